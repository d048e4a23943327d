/** Where the built modules of this app and of the server app lie, for starting them as processes. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this app. */
export const BENCH_FOLDER: string = findFolder();

/** The root of the repository. */
export const REPOSITORY_FOLDER: string = join(BENCH_FOLDER, '..', '..');

/** Path of a module of this app that is started as a process of its own. */
export function builtModule(name: string): string {
  return requireBuilt(join(BENCH_FOLDER, 'dist', `${name}.js`));
}

/** Path of the chat server. */
export function chatServerModule(): string {
  return requireBuilt(join(REPOSITORY_FOLDER, 'apps', 'server', 'dist', 'main.js'));
}

/** The version of a package that this app depends on. */
export function packageVersion(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return version;
}

function requireBuilt(path: string): string {
  if (!existsSync(path)) throw new Error(`${path} is not there: run "npm run build" first`);
  return path;
}

function findFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
