/** `npm run bench:shm`: the structures of `@chat/shm` at full speed, beside what Node offers. */
import { Command } from 'commander';
import { listenForInterrupt } from '../harness/interrupt.js';
import { describeMachine, formatMachine } from '../harness/machine.js';
import { Progress } from '../harness/progress.js';
import { measureShm } from '../pairs/shm-benchmark.js';
import { formatShm } from '../report/runs/shm.js';

const QUICK_SCALE = 0.1;

const { quick, only } = new Command('bench:shm')
  .description('Messages between two processes, through shared memory and through what Node offers.')
  .option('--quick', 'a tenth of it, to see that it works', false)
  .option('--only <word>', 'rows whose name contains the word; also: log, idle, mutex', '')
  .parse()
  .opts<{ quick: boolean; only: string }>();

const progress = new Progress(1, process.stderr);
const figures = await measureShm(quick ? QUICK_SCALE : 1, only, {
  signal: listenForInterrupt(),
  onStep: (what, done) => progress.show(what, done),
});
progress.clear();
console.log(`${formatMachine(describeMachine(new Date()))}\n\n${formatShm(figures)}`);
if (figures.failures.length > 0) process.exitCode = 1;
