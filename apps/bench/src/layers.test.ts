/** The rule of the folders: each imports only from itself and from those before it, types included. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const ORDER = ['harness', 'ways', 'fanout', 'pairs', 'check', 'report', 'commands'];

const folderOf = (path: string): number => ORDER.indexOf(path.split(sep)[0]!);
const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.ts') && !path.endsWith('.test.ts'),
);

describe('the folders', () => {
  it('are all in the order', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.filter((path) => folderOf(path) === -1)).toEqual([]);
  });

  it('import nothing from a folder after them', () => {
    const wrong = sources.flatMap((path) =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(/from '(\.[^']+)'/g)]
        .map(([, target]) => relative(ROOT, join(ROOT, dirname(path), target!)))
        .filter((target) => folderOf(target) > folderOf(path))
        .map((target) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });
});
