/** The folders are layers: each knows those before it, types included. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('../src', import.meta.url));
const FOLDERS = readdirSync(SOURCES, { recursive: true, withFileTypes: true });
const FILES = FOLDERS.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));

/** What the files of a folder may import from other folders; `.` are the files beside `main.ts`. */
const KNOWS: Readonly<Record<string, readonly string[]>> = {
  session: [],
  text: ['session'],
  lines: ['.', 'session', 'text'],
  'screen/rows': ['session', 'text'],
  'screen/state': ['session', 'screen/rows'],
  'screen/terminal': ['.'],
  'screen/view': ['screen/rows', 'screen/state', 'screen/terminal'],
  'screen/live': ['.', 'session', 'screen/rows', 'screen/state', 'screen/terminal'],
};

function folderOf(path: string): string {
  return relative(SOURCES, dirname(path)) || '.';
}

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
    expect([...counts.keys()].sort()).toEqual([...Object.keys(KNOWS), '.', 'screen'].sort());
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(10);
  });
});
