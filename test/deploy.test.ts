/** What `deploy/` says about the server is true of it: command lines, paths, metrics. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createChatServer } from '@chat/server';
import { openSqliteLog } from '@chat/server/sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseArguments } from '../apps/server/src/command-line/args.js';
import { registerMetrics } from '../apps/server/src/metrics/metrics.js';
import { registerStoreMetrics } from '../apps/server/src/metrics/store-metrics.js';
import { newNats } from '../packages/server/test/support/nats-process.js';
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
const many = documents('deploy/kubernetes/many-machines.yaml');
const manyCompose = parse(read('deploy/many-machines/compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, { readonly command: string[] }>>;
};
const natsConfig = read('deploy/many-machines/nats.conf');
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
    ['deploy/many-machines/compose.yaml', manyCompose.services['chat-1']!.command],
    ['deploy/kubernetes/many-machines.yaml', (valuesOf('args', many) as string[][])[1]],
    ...proxies,
  ] as const)('of %s is one that the server takes', (_path, argv) => {
    expect(argv?.length).toBeGreaterThan(0);
    const placed = argv!.map((word) => (/(?:metrics.token|nats.password)$/.test(word) ? token : word));
    expect(() => parseArguments(placed, '0.0.0')).not.toThrow();
    if (argv!.includes('--metrics-token-file')) expect(placed).toContain(token);
  });
});

describe('probes', () => {
  it('ask for paths that the server answers', async () => {
    const server = createChatServer();
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const ofChat = [kubernetes, compose, many].flatMap((tree) => valuesOf('httpGet', tree));
    const probes = ofChat.filter((probe) => (probe as { port: string }).port !== 'monitor');
    const paths = probes.map((probe) => (probe as { path: string }).path);
    expect(paths).toHaveLength(6);
    const check = /fetch\('http:\/\/127\.0\.0\.1:12345([^']*)'\)/.exec(container)![1]!;
    for (const path of [...paths, check]) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status, path).toBe(200);
    }
    await server.close();
  });
});

describe('many machines', () => {
  it('have a configuration of NATS that it takes, with what docs/scale.md says that is needed', () => {
    const permissions = (text: string): string[] =>
      (/permissions: \{[\s\S]*?\n {4}\}/.exec(text)![0].match(/"[^"]+"/g) ?? []).toSorted();
    expect(permissions(natsConfig)).toEqual(permissions(read('docs/scale.md')));
    expect(natsConfig).toMatch(/^ {2}sync_interval: always$/m);
    if (newNats === undefined) return;
    const env = { ...process.env, CHAT_NATS_PASSWORD: 'secret' };
    const config = fileURLToPath(new URL('../deploy/many-machines/nats.conf', import.meta.url));
    execFileSync(newNats, ['-t', '-c', config], { env, stdio: 'pipe' });
  });

  it('have three of each, and each knows all', () => {
    const { services } = manyCompose;
    const nodes = Object.entries(services).filter(([name]) => name.startsWith('nats-'));
    const servers = Object.entries(services).filter(([name]) => name.startsWith('chat-'));
    expect([nodes.length, servers.length]).toEqual([3, 3]);
    for (const [name, { command }] of nodes) {
      expect(command[command.indexOf('-n') + 1]).toBe(name);
      for (const [other] of nodes) expect(command.at(-1)).toContain(`nats://${other}:6222`);
      for (const [, server] of servers) expect(server.command).toContain(`nats://${name}:4222`);
    }
    for (const [name] of servers) {
      expect(read('deploy/many-machines/nginx.conf')).toContain(`server ${name}:12345 `);
    }
    expect(valuesOf('replicas', many)).toEqual([3, 3]);
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
  const files = ['', 'kubernetes/', 'many-machines/', 'prometheus/'].flatMap((below) =>
    filesBelow('deploy', '').filter((path) => path.startsWith(`deploy/${below}`)),
  );
  expect(files.length).toBeGreaterThan(7);
  expect([...new Set(files)].filter((path) => !page.includes(`../${path}`))).toEqual([]);
});
