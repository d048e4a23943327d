/**
 * The bytes that a web page loads for this package with the JSON codec, minified and compressed, as a bundler
 * makes it of the sources.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'tsup';
import { afterAll, expect, it } from 'vitest';

/** A little above what it takes today: see `test/bundle.test.ts` at the root for where the bytes go. */
const MAX_BYTES = 16_150;

// Inside the repository, where the packages resolve.
const folder = mkdtempSync(fileURLToPath(new URL('../../../node_modules/.client-bundle-', import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('fits its budget in the browser, and needs nothing of Node', { timeout: 60_000 }, async () => {
  const entry = join(folder, 'entry.ts');
  writeFileSync(
    entry,
    "export { connect } from '@chat/client';\nexport { jsonCodec } from '@chat/protocol';\n",
  );
  await build({
    entry: [entry],
    outDir: folder,
    config: false,
    format: ['esm'],
    target: 'es2022',
    platform: 'browser',
    minify: true,
    noExternal: [/.*/],
    silent: true,
    esbuildOptions: (options) => {
      options.conditions = ['@chat/source', 'browser'];
    },
  });
  const code = readFileSync(join(folder, 'entry.js'), 'utf8');
  expect(code).not.toMatch(/["']node:|\brequire\(|\bBuffer\b|\bprocess\b/);
  expect(gzipSync(code).length).toBeLessThanOrEqual(MAX_BYTES);
  expect(gzipSync(code).length).toBeGreaterThan(MAX_BYTES / 2);
});
