/**
 * Finds a program that a fresh machine may lack (tmux, chromium, nats-server…).
 *
 * A test that needs one is skipped where it is not installed, and a line says so. With CHAT_TEST_REQUIRE_ALL=1, as
 * in `.ci/run`, that is a failure instead. Tests of packages and apps import this file by its path; nothing that is
 * published does.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Looks for the first of `names` on the PATH.
 *
 * @returns its path, or `undefined` when there is none: pass that to `it.skipIf`
 * @throws Error when there is none and CHAT_TEST_REQUIRE_ALL is 1
 */
export function findProgram(...names: [string, ...string[]]): string | undefined {
  // biome-ignore lint/suspicious/noUndeclaredEnvVars: no task of turbo runs this.
  const endings = process.platform === 'win32' ? (process.env.PATHEXT ?? '.EXE').split(';') : [''];
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      for (const ending of endings) {
        const path = join(folder, name + ending);
        if (folder !== '' && isExecutable(path)) return path;
      }
    }
  }
  const missing = `${names.join(' or ')} is not installed`;
  if (process.env.CHAT_TEST_REQUIRE_ALL === '1')
    throw new Error(`${missing}, and CHAT_TEST_REQUIRE_ALL is set`);
  process.stderr.write(`skipped: ${missing}\n`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
