/**
 * The reports of the public types are those of the types that were built. Whoever changes the surface of a package
 * writes them anew with `npm run api`, so that the change stands in the review.
 */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ROOT, read, workspacesIn } from './support/workspaces.js';

it('the reports say what the types are', () => {
  const args = ['scripts/api-report.mjs', '--check'];
  const { stderr, status } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

it.each(workspacesIn('packages'))('the report of $name has every subpath', ({ name, folder, manifest }) => {
  const headings = [...read(`${folder}/api-report.md`).matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  const subpaths = Object.keys(manifest.exports ?? {}).filter((path) => path !== './package.json');
  expect(headings).toEqual(expect.arrayContaining(subpaths.map((path) => name + path.slice(1))));
});
