/**
 * The code that a web page has to load. The budgets are bytes of minified and compressed code, a little above
 * what it takes today: a change that exceeds one either leaves something out, or raises it and says why.
 *
 * The client with the JSON codec is meant to come down to 12 KB (12,288); it is not there, and nothing that can be
 * taken away leads there. Without one of these parts it would be so many bytes smaller: protocol 2,200; session and
 * client 2,100; rooms 2,100; connection, heartbeat and WebSocket 2,100; outbox and requests 1,500; entries and their
 * proof 1,200; events and iterators 750; errors and their tables 700; options and clock 500; members and checks of
 * JSON 400; identity 350; history 200; search 130. All texts of errors are 750, all their codes 550; the names that a minifier
 * must leave alone, since they go from one class to another, 400. Nothing waits until it is asked for: the parts that
 * a lost connection needs cannot be loaded over it, and the others are too small for a file.
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
    ['client', "export { connect } from '@chat/client'; export { jsonCodec } from '@chat/protocol';", 16_150],
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
