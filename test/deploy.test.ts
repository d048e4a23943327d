/** What `deploy/` says about the server is true of it: command lines, paths, metrics. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChatServer } from '@chat/server';
import { openSqliteLog } from '@chat/server/sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseArguments } from '../apps/server/src/command-line/args.js';
import { registerMetrics } from '../apps/server/src/metrics/metrics.js';
import { registerStoreMetrics } from '../apps/server/src/metrics/store-metrics.js';
import { filesBelow, read } from './support/workspaces.js';

const folder = mkdtempSync(join(tmpdir(), 'chat-deploy-'));
const token = join(folder, 'token');
writeFileSync(token, 'a long secret of the operator\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every value of that name, however deep. */
function valuesOf(name: string, tree: unknown): unknown[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) =>
    key === name ? [value, ...valuesOf(name, value)] : valuesOf(name, value),
  );
}

const documents = (path: string): unknown[] =>
  parseAllDocuments(read(path)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });

const kubernetes = documents('deploy/kubernetes/chat-server.yaml');
const compose = parse(read('deploy/compose.yaml')) as unknown;
const unit = read('deploy/chat-server.service').replaceAll('\\\n', ' ');
const container = read('deploy/Containerfile');
const dashboard: unknown = JSON.parse(read('deploy/grafana-dashboard.json'));
const alerts: unknown = parse(read('deploy/prometheus/alerts.yml'));

describe('command lines', () => {
  const execStart = /^ExecStart=\S+ node \S+\/apps\/server\/dist\/main\.js (.*)$/m.exec(unit)?.[1];
  const proxies = ['deploy/nginx.conf', 'deploy/Caddyfile'].map(
    (path) => [path, /# chat-server … (.*)$/m.exec(read(path))?.[1]?.split(' ')] as const,
  );
  it.each([
    ['deploy/chat-server.service', execStart?.trim().split(/\s+/)],
    ['deploy/Containerfile', JSON.parse(/^CMD (.*)$/m.exec(container)![1]!) as string[]],
    ['deploy/compose.yaml', valuesOf('command', compose)[0] as string[]],
    ['deploy/kubernetes/chat-server.yaml', valuesOf('args', kubernetes)[0] as string[]],
    ...proxies,
  ] as const)('of %s is one that the server takes', (_path, argv) => {
    expect(argv?.length).toBeGreaterThan(0);
    const placed = argv!.map((word) => (/metrics.token$/.test(word) ? token : word));
    expect(() => parseArguments(placed, '0.0.0')).not.toThrow();
    if (argv!.includes('--metrics-token-file')) expect(placed).toContain(token);
  });
});

describe('probes', () => {
  it('ask for paths that the server answers', async () => {
    const server = createChatServer();
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const probes = [...valuesOf('httpGet', kubernetes), ...valuesOf('httpGet', compose)];
    const paths = probes.map((probe) => (probe as { path: string }).path);
    expect(paths).toHaveLength(3);
    const check = /fetch\('http:\/\/127\.0\.0\.1:12345([^']*)'\)/.exec(container)![1]!;
    for (const path of [...paths, check]) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status, path).toBe(200);
    }
    await server.close();
  });
});

describe('metrics', () => {
  it('in alerts and dashboard are ones that the server has', async () => {
    const log = await openSqliteLog({ directory: join(folder, 'data') });
    const register = registerMetrics(createChatServer());
    registerStoreMetrics(register, log);
    const known = new Set((await register.getMetricsAsJSON()).map(({ name }) => name));
    await log.close();
    const expressions = [...valuesOf('expr', alerts), ...valuesOf('expr', dashboard)] as string[];
    expect(expressions.length).toBeGreaterThan(20);
    const named = expressions.flatMap((text) => text.match(/\b(?:chat|process|nodejs)_\w+/g) ?? []);
    const unknown = named
      .map((name) => name.replace(/_(?:bucket|sum|count)$/, ''))
      .filter((name) => !known.has(name));
    expect(unknown).toEqual([]);
    expect(named.length).toBeGreaterThanOrEqual(expressions.length - 1);
  });
});

it('says of every file what it is for in docs/operating.md', () => {
  const page = read('docs/operating.md');
  const files = ['', 'kubernetes/', 'prometheus/'].flatMap((below) =>
    filesBelow('deploy', '').filter((path) => path.startsWith(`deploy/${below}`)),
  );
  expect(files.length).toBeGreaterThan(7);
  expect([...new Set(files)].filter((path) => !page.includes(`../${path}`))).toEqual([]);
});
