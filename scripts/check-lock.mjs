#!/usr/bin/env node
/**
 * Checks `package-lock.json` before it is used: `node scripts/check-lock.mjs [FILE]`. Needs nothing installed.
 *
 *  - Every package has its `integrity`. Without one `npm ci` takes whatever a registry serves under that version.
 *  - No entry has the address of a registry, so that the file works with any.
 *  - Every optional platform package is in it. npm leaves one out without a word when a registry lacks it; npm 10
 *    accepts such a file, later ones refuse it.
 */
import { readFileSync } from 'node:fs';

const file = process.argv[2] ?? new URL('../package-lock.json', import.meta.url);
const { packages } = JSON.parse(readFileSync(file, 'utf8'));
const problems = [];

for (const [path, entry] of Object.entries(packages)) {
  const isInstalled = path.split('/').includes('node_modules') && !entry.link;
  if (isInstalled && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? '')) {
    problems.push(`no integrity (sha512): ${path}`);
  }
  if (/^(https?|git)/.test(entry.resolved ?? '')) problems.push(`an address: ${path}`);
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!isFound(name, path)) problems.push(`optional package missing: ${name}, which ${path} names`);
  }
}

/** As Node looks it up: in the folder of the package, then in each above it. */
function isFound(name, path) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))) {
    if (`${base === '' ? '' : `${base}/`}node_modules/${name}` in packages) return true;
    if (base === '') return false;
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length === 0) process.stdout.write(`${Object.keys(packages).length} entries, no problem\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
