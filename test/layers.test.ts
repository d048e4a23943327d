/**
 * The folders of a package are layers, and its files make no cycle: types included. Whoever reads a file has to know
 * only what stands below it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PACKAGES = fileURLToPath(new URL('../packages', import.meta.url));
/** Files that lie side by side, at the most. */
const MAX_FILES = 10;

/** From below: each layer knows those before it. A name stands for all folders in it. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  server: [
    'errors.ts',
    'time',
    'names',
    'log',
    'sqlite',
    'options',
    'limits',
    'room',
    'session',
    'admission',
    'connection',
    'dialects',
    'server',
    'index.ts',
  ],
};

const SOURCES = readdirSync(PACKAGES).map((name) => join(PACKAGES, name, 'src'));

function filesOf(source: string): string[] {
  return readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => join(parentPath, name));
}

function importsOf(path: string): string[] {
  // Comments go first: the examples of TSDoc may import what the code may not.
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const specifiers = [...code.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)];
  return specifiers.map(([, specifier]) => resolve(dirname(path), specifier!).replace(/\.js$/, '.ts'));
}

/** The first cycle that a walk over all imports finds, as the names of its files. */
function cycleIn(files: readonly string[]): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): string[] | undefined => {
    const at = way.indexOf(file);
    if (at >= 0) return way.slice(at).map((path) => basename(path));
    if (done.has(file) || !files.includes(file)) return undefined;
    for (const next of importsOf(file)) {
      const cycle = walk(next, [...way, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const cycle = walk(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

describe.each(SOURCES)('%s', (source) => {
  const files = filesOf(source);

  it('has no import cycle', () => {
    expect(files.length).toBeGreaterThan(0);
    expect(cycleIn(files)).toBeUndefined();
  });

  it(`has at most ${MAX_FILES} files side by side`, () => {
    const counts = new Map<string, number>();
    for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    const crowded = [...counts].filter(([, count]) => count > MAX_FILES).map(([folder]) => folder);
    expect(crowded).toEqual([]);
  });
});

describe.each(Object.entries(LAYERS))('the layers of %s', (name, layers) => {
  const source = join(PACKAGES, name, 'src');
  const layerOf = (path: string): string => relative(source, path).split('/')[0]!;

  it('are all its folders', () => {
    expect([...new Set(filesOf(source).map(layerOf))].sort()).toEqual([...layers].sort());
  });

  it('know only those below', () => {
    const wrong = filesOf(source).flatMap((file) =>
      importsOf(file)
        .filter((other) => layers.indexOf(layerOf(other)) > layers.indexOf(layerOf(file)))
        .map((other) => `${relative(source, file)} -> ${relative(source, other)}`),
    );
    expect(wrong).toEqual([]);
  });
});
