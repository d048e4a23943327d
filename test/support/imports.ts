/** Which file of a workspace imports which, types included. */
import { dirname, join } from 'node:path/posix';
import { filesBelow, read } from './workspaces.js';

/** The sources below a folder, without tests; relative to the root, with slashes. */
export function sourcesBelow(folder: string): string[] {
  return [...filesBelow(folder, '.ts'), ...filesBelow(folder, '.tsx')].filter(
    (path) => !/\.test\.tsx?$/.test(path),
  );
}

/** The files of the same workspace that a source imports. */
export function importsOf(path: string, files: ReadonlySet<string>): string[] {
  // Comments go first: the examples of TSDoc may import what the code may not.
  const code = read(path).replace(/\/\*[\s\S]*?\*\//g, '');
  const specifiers = [...code.matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g)];
  return specifiers.flatMap(([, specifier]) => {
    const target = join(dirname(path), specifier!).replace(/\.js$/, '');
    return [`${target}.ts`, `${target}.tsx`].filter((file) => files.has(file));
  });
}

/** The first cycle that a walk over all imports finds. */
export function cycleIn(files: ReadonlySet<string>): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): string[] | undefined => {
    const at = way.indexOf(file);
    if (at >= 0) return way.slice(at);
    if (done.has(file)) return undefined;
    for (const next of importsOf(file, files)) {
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
