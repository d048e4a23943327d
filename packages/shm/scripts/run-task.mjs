/** Bundles and runs a long task of `test/tasks`: `node scripts/run-task.mjs soak --seconds 60`. */
import { spawn } from 'node:child_process';
import { buildHarness } from '../test/support/build-harness.mjs';

const [task, ...args] = process.argv.slice(2);
if (!/^[a-z]+$/.test(task ?? '')) {
  console.error('usage: node scripts/run-task.mjs <litmus|soak> [options]');
  process.exit(2);
}
const program = await buildHarness(`test/tasks/${task}.ts`, { steps: false });
const child = spawn(process.execPath, [program.file, ...args], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  program.remove();
  process.exitCode = code ?? 1;
});
