#!/usr/bin/env node
/**
 * Opens the terminal client: `npm run chat -- --name ada`.
 *
 * Builds what it needs first; that is quiet, and quick when nothing changed. Then the client has the terminal to
 * itself, and this process only passes on signals and the exit code.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// Started by path with this Node: `npx` would ask the network, and a .cmd needs a shell on Windows.
const turbo = fileURLToPath(new URL('../node_modules/turbo/bin/turbo', import.meta.url));
const client = fileURLToPath(new URL('../apps/client/dist/main.js', import.meta.url));

if (!existsSync(turbo)) {
  process.stderr.write('Nothing is installed yet: run "npm ci" first.\n');
  process.exit(1);
}
const build = spawnSync(
  process.execPath,
  [turbo, 'run', 'build', '--filter=chat-client...', '--output-logs=errors-only', '--ui=stream'],
  { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
);
if (build.status !== 0) {
  process.stderr.write(`${build.stdout ?? ''}${build.stderr ?? ''}`);
  process.stderr.write(
    `chat: the client could not be built${build.error ? `: ${build.error.message}` : ''}\n`,
  );
  process.exit(1);
}

const child = spawn(process.execPath, [client, ...process.argv.slice(2)], { stdio: 'inherit' });
// Ctrl-C reaches the client by itself, since it shares the terminal; this process must only outlive it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`chat: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  // Ends as the client did, so that a shell sees the same.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
