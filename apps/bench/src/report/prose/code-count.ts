/**
 * Counts our own code: how much there is behind each side of the comparison. Lines that are empty or comment
 * are not code; the names in a package's `index.ts` are the concepts that its user meets.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodeCount } from '../figures.js';

/** The parts whose code is counted; each has the `index.ts` that users import. */
export const CODE_PARTS: Readonly<Record<string, string>> = {
  protocol: 'packages/protocol/src',
  server: 'packages/server/src',
  client: 'packages/client/src',
  'shared memory': 'packages/shm/src',
};

/** Counts the TypeScript of each part, tests apart. */
export function countCode(root: string): CodeCount[] {
  return Object.entries(CODE_PARTS).map(([part, folder]) => {
    const files = listSources(join(root, folder));
    let codeLines = 0;
    let commentLines = 0;
    for (const file of files) {
      const count = countLines(readFileSync(file, 'utf8'));
      codeLines += count.code;
      commentLines += count.comment;
    }
    const exports = countExports(join(root, folder, 'index.ts'));
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
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(?<!\.d|\.test)\.tsx?$/.test(path))
    .map((path) => join(folder, path));
}
