/** Set-up of the tests that start programs: builds what has changed since it was built, once in a run of all projects. */
import { execFileSync } from 'node:child_process';
import { ROOT } from './workspaces.js';

const DONE = Symbol.for('chat.apps-are-built');
const shared = globalThis as { [DONE]?: true };

export function setup(): void {
  if (shared[DONE]) return;
  const quiet = ['--ui=stream', '--output-logs=errors-only'];
  execFileSync('npx', ['--no-install', 'turbo', 'run', 'build', ...quiet], { cwd: ROOT, stdio: 'pipe' });
  shared[DONE] = true;
}
