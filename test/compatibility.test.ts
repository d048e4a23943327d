/** The page of what the packages were tried with is the one that the program writes which tries them. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, read } from './support/workspaces.js';

it('docs/compatibility.md has the rows of npm run check:packed, no more and no less', () => {
  const program = join(ROOT, 'scripts/packed/main.mjs');
  const table = execFileSync(process.execPath, [program, '--table'], { encoding: 'utf8' });
  expect(table.match(/^\| (Node|npm|pnpm|TypeScript|webpack|Next\.js) /gm)?.length).toBeGreaterThan(10);
  expect(read('docs/compatibility.md')).toBe(table);
});

it('the oldest Node and TypeScript of the table are those that the packages promise', () => {
  const table = read('docs/compatibility.md');
  for (const name of ['protocol', 'client', 'server', 'shm']) {
    expect(read(`packages/${name}/package.json`)).toContain('"node": ">=20"');
  }
  expect(table).toContain('| Node 20.0.0 |');
  expect(table).toContain('| TypeScript 5.4.5 |');
  expect(read('packages/client/README.md')).toContain('TypeScript 5.4 or later');
});
