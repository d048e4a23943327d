/** npm beside this Node, as a script: started by its name it would need a shell on Windows. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function findNpm(): string {
  const places = [
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
    join(dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js'),
    // biome-ignore lint/suspicious/noUndeclaredEnvVars: set by npm itself; it may name npx.
    (process.env.npm_execpath ?? '').replace(/npx-cli\.js$/, 'npm-cli.js'),
  ];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error('npm is not beside Node: run the tests with "npm test"');
  return found;
}
