/**
 * Counts our own code: how much there is behind each side of the comparison. Lines that are empty or comment
 * are not code; the names in a package's `index.ts` are the concepts that its user meets.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodeCount } from './figures.js';

/** Counts the TypeScript below each folder. */
export function countCode(
  root: string,
  parts: readonly { readonly part: string; readonly folders: readonly string[] }[],
): CodeCount[] {
  return parts.map(({ part, folders }) => {
    const files = folders.flatMap((folder) => listSources(join(root, folder)));
    let codeLines = 0;
    let commentLines = 0;
    for (const file of files) {
      const count = countLines(readFileSync(file, 'utf8'));
      codeLines += count.code;
      commentLines += count.comment;
    }
    const index = join(root, folders[0]!, 'index.ts');
    const exports = existsSync(index) ? countExports(index) : 0;
    return { part, files: files.length, codeLines, commentLines, exports };
  });
}

/** Counts the lines of one source. A line with code and a comment behind it is code. */
export function countLines(source: string): { code: number; comment: number } {
  let code = 0;
  let comment = 0;
  let inside = false;
  for (const raw of source.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    if (inside) {
      comment++;
      if (line.includes('*/')) inside = false;
    } else if (line.startsWith('//')) {
      comment++;
    } else if (line.startsWith('/*')) {
      comment++;
      inside = !line.includes('*/');
    } else {
      code++;
    }
  }
  return { code, comment };
}

/** Names in `export { … }`, those of files that are exported whole included. */
function countExports(file: string): number {
  const source = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  let count = 0;
  for (const [, names] of source.matchAll(/export (?:type )?\{([^}]*)\}/g)) {
    count += names!.split(',').filter((name) => name.trim() !== '').length;
  }
  count += [...source.matchAll(/^export (?:async )?(?:function|class|const|interface|type) \w/gm)].length;
  for (const [, path] of source.matchAll(/export \* from '\.\/(.+)\.js'/g)) {
    count += countExports(join(file, '..', `${path}.ts`));
  }
  return count;
}

function listSources(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listSources(path);
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}
