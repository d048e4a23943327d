/** npm, as a script that Node runs. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** npm beside this Node, as a script: started by its name it would need a shell on Windows. */
export function npmOfThisNode() {
  const places = [
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
    join(dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js'),
    // biome-ignore lint/suspicious/noUndeclaredEnvVars: set by npm itself; it may name npx.
    (process.env.npm_execpath ?? '').replace(/npx-cli\.js$/, 'npm-cli.js'),
  ];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error('npm is not beside Node: start this with "npm run" or "npm test"');
  return found;
}
