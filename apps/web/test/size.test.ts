/**
 * What a browser loads before anybody can talk. The budget is part of the promise; whoever exceeds it finds
 * what to leave out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const MAX_FIRST_LOAD_BYTES = 60 * 1024;
/** Of what a page fetches behind that. */
const MAX_LATER_BYTES = 6 * 1024;

// Where the server has it, and serves it from.
const BUILD = fileURLToPath(new URL('../../server/dist/web', import.meta.url));
const files = readdirSync(BUILD, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
/** Those that are fetched later, by an `import()`, and with which nothing else comes that is needed at first. */
const scripts = files.filter((file) => file.endsWith('.js'));
const isLater = (file: string): boolean =>
  scripts.some((other) => readFileSync(other, 'utf8').match(dynamicImportOf(basename(file))));
const dynamicImportOf = (name: string): RegExp => new RegExp(`\\bimport\\([\`"']\\./${name}`);

const bytesOf = (some: readonly string[]): number =>
  some.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
const text = (ending: string): string =>
  files
    .filter((file) => file.endsWith(ending))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');

describe('the build of the page', () => {
  it('loads within 60 KB, compressed', () => {
    const first = bytesOf(files.filter((file) => !isLater(file)));
    expect(first).toBeGreaterThan(10_000);
    expect(first).toBeLessThanOrEqual(MAX_FIRST_LOAD_BYTES);
    // What is fetched later is small, and there is some.
    const later = bytesOf(files.filter(isLater));
    expect(later).toBeGreaterThan(1000);
    expect(later).toBeLessThanOrEqual(MAX_LATER_BYTES);
  });

  it('needs nothing from elsewhere, and nothing of Node', () => {
    // Beside the page, wherever that is: a path from the root would not be found under the path of a proxy.
    expect(text('.html')).not.toMatch(/(?:src|href)="(?!\.\/)/);
    expect(text('.css')).not.toMatch(/url\(|@import/);
    expect(text('.js')).not.toMatch(/["'`]node:|\brequire\(/);
  });

  it('has no script and no style in its page', () => {
    expect(text('.html')).not.toMatch(/<script(?![^>]* src=)|<style| on[a-z]+=| style=/);
  });
});
