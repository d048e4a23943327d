/** Bundles the benchmark as the library is published, without kill points, and runs it. */
import { spawn } from 'node:child_process';
import { buildHarness } from '../test/support/build-harness.mjs';

const program = await buildHarness('bench/main.ts', { steps: false });
const child = spawn(process.execPath, [program.file, ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  program.remove();
  process.exitCode = code ?? 1;
});
