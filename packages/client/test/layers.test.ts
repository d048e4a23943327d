/**
 * The folders are layers: each knows those below it, types included, and no file reaches itself by its
 * imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('../src', import.meta.url));
const FILES = readdirSync(SOURCES, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => join(parentPath, name));

/** What the files of a folder may import from other folders; any may import {@link SHARED}. */
const KNOWS: Readonly<Record<string, readonly string[]>> = {
  events: [],
  'connection/transports': ['connection', 'events'],
  connection: [],
  sending: ['connection', 'events'],
  rooms: ['connection', 'events', 'sending'],
  session: ['.', 'connection', 'events', 'rooms', 'sending'],
  timeline: ['.', 'rooms', 'sending'],
};

/** Files at the top that know no folder. */
const SHARED = ['assert-known.ts', 'clock.ts', 'errors.ts'];

const folderOf = (path: string): string => relative(SOURCES, dirname(path)) || '.';

function importsOf(path: string): string[] {
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const specifiers = [...code.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)];
  return specifiers.map(([, specifier]) => resolve(dirname(path), specifier!.replace(/\.js$/, '.ts')));
}

describe('the folders', () => {
  it.each(Object.entries(KNOWS))('%s knows no other than it may', (folder, known) => {
    const files = FILES.filter((path) => folderOf(path) === folder);
    expect(files.length).toBeGreaterThan(0);
    const found = files.flatMap(importsOf).filter((path) => !SHARED.includes(relative(SOURCES, path)));
    const beyond = found.filter((path) => folderOf(path) !== folder && !known.includes(folderOf(path)));
    expect(beyond.map((path) => relative(SOURCES, path))).toEqual([]);
  });

  it('are all spoken of, and hold about ten files at most', () => {
    const counts = new Map<string, number>();
    for (const path of FILES) counts.set(folderOf(path), (counts.get(folderOf(path)) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([...Object.keys(KNOWS), '.'].sort());
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(10);
  });

  it('have no file that reaches itself', () => {
    const reach = (path: string, seen: Set<string>): Set<string> => {
      for (const next of importsOf(path)) {
        if (seen.has(next)) continue;
        seen.add(next);
        reach(next, seen);
      }
      return seen;
    };
    expect(FILES.filter((path) => reach(path, new Set()).has(path))).toEqual([]);
  });
});
