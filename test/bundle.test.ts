/**
 * The code that a web page has to load of the protocol. The budgets are bytes of minified and compressed code, a
 * little above what it takes today: a change that exceeds one either leaves something out, or raises it and says why.
 * `packages/client/test/bundle.test.ts` has those of the client.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'tsup';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/workspaces.js';

// Inside the repository, where the workspaces resolve.
const folder = mkdtempSync(join(ROOT, 'node_modules', '.bundle-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bundles a module for the browser, the way a bundler of web pages does. */
async function bundle(name: string, code: string): Promise<string> {
  const entry = join(folder, `${name}.ts`);
  const outDir = join(folder, name);
  writeFileSync(entry, code);
  await build({
    entry: [entry],
    outDir,
    config: false,
    format: ['esm'],
    target: 'es2022',
    platform: 'browser',
    minify: true,
    treeshake: true,
    noExternal: [/.*/],
    silent: true,
    esbuildOptions: (options) => {
      options.conditions = ['@chat/source', 'browser'];
    },
  });
  const files = readdirSync(outDir).filter((file) => /\.m?js$/.test(file));
  expect(files).toHaveLength(1);
  return readFileSync(join(outDir, files[0]!), 'utf8');
}

describe('the bundle for a web page', () => {
  it.each([
    ['protocol', "export * from '@chat/protocol';", 6500],
    ['frames', "export * from '@chat/protocol/frames';", 4800],
    ['lines', "export * from '@chat/protocol/lines';", 2400],
    ['names', "export { nameKey } from '@chat/protocol';", 700],
  ] as const)('of %s stays within its budget and needs nothing of Node', async (name, code, maxBytes) => {
    const output = await bundle(name, code);
    expect(output).not.toMatch(/["']node:|\brequire\(|\bBuffer\b/);
    expect(gzipSync(output).length).toBeGreaterThan(maxBytes / 2);
    expect(gzipSync(output).length).toBeLessThanOrEqual(maxBytes);
  });
});
