/**
 * `npm start`: `turbo run start`, stopped as a whole. What stands behind `npm start --` is for the server.
 *
 * npm runs a script through a shell, and where that shell does not replace itself, a SIGTERM sent to npm ends
 * npm and the shell and leaves turbo with all its tasks behind. So this passes signals on, and takes the loss
 * of its parent for one.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PARENT_POLL_MS = 250;

const turbo = fileURLToPath(new URL('../node_modules/turbo/bin/turbo', import.meta.url));
if (!existsSync(turbo)) {
  process.stderr.write('Nothing is installed yet: run "npm ci" first.\n');
  process.exit(1);
}
const child = spawn(process.execPath, [turbo, 'run', 'start'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    CHAT_SERVER_ARGUMENTS: JSON.stringify(process.argv.slice(2)),
    CHAT_SERVER_FOLDER: process.env.INIT_CWD ?? process.cwd(),
  },
});

let stopping = false;
function stop() {
  if (stopping) return;
  stopping = true;
  // SIGTERM, whatever came: turbo's launcher alone does not obey a SIGINT.
  child.kill('SIGTERM');
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

const parent = process.ppid;
setInterval(() => process.ppid !== parent && stop(), PARENT_POLL_MS).unref();

child.on('exit', (code) => process.exit(stopping ? 0 : (code ?? 1)));
