/** The folders are layers: each knows those that it may, types included. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('../src', import.meta.url));
const FILES = readdirSync(SOURCES, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map(({ parentPath, name }) => join(parentPath, name));

/** The folders whose files a folder may import. */
const KNOWS: Readonly<Record<string, readonly string[]>> = {
  text: [],
  'sign-in': ['text'],
  model: ['sign-in', 'text'],
  'ui/marks': ['text'],
  'ui/dialogs': ['model', 'text', 'ui/marks'],
  'ui/composer': ['model', 'ui/marks'],
  'ui/sides': ['model', 'sign-in', 'text', 'ui/marks'],
  'ui/timeline': ['model', 'text', 'ui/marks'],
};

const folderOf = (path: string): string => relative(SOURCES, dirname(path)).replaceAll('\\', '/') || '.';

function importsOf(path: string): string[] {
  const specifiers = [...readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)];
  return specifiers.map(([, specifier]) => resolve(dirname(path), specifier!));
}

describe('the folders', () => {
  it.each(Object.entries(KNOWS))('%s knows no other than it may', (folder, known) => {
    const files = FILES.filter((path) => folderOf(path) === folder);
    expect(files.length).toBeGreaterThan(0);
    const found = files.flatMap(importsOf).map(folderOf);
    expect([...new Set(found)].filter((other) => other !== folder && !known.includes(other))).toEqual([]);
  });

  it('are all spoken of, and hold at most ten files each', () => {
    const counts = new Map<string, number>();
    for (const path of FILES) counts.set(folderOf(path), (counts.get(folderOf(path)) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([...Object.keys(KNOWS), '.', 'ui'].sort());
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(10);
  });
});
