/**
 * `npm run bench:check`: has something become slower? Ratios of this commit against the committed ones; never
 * absolute times. `--update` commits to what was measured now.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { measureCodecRatios } from '../check/codec-ratios.js';
import { judge, type ReferenceRatios } from '../check/verdict.js';
import { measureFanoutRatios, measurePairRatios } from '../check/way-ratios.js';
import { BENCH_FOLDER } from '../harness/built-module.js';
import { describeMachine, formatMachine } from '../harness/machine.js';
import { formatTable } from '../report/text-table.js';
import { formatNumber } from '../report/units.js';

const FILE = join(BENCH_FOLDER, 'reference-ratios.json');
/** What two runs of the same commit on a busy machine differ by, and some. */
const TOLERANCE = 0.4;

const { update } = new Command('bench:check')
  .description('Compares ratios of this commit with the committed ones and says what got slower.')
  .option('--update', 'write what was measured to reference-ratios.json', false)
  .parse()
  .opts<{ update: boolean }>();

const measured = {
  ...(await measureCodecRatios()),
  ...(await measureFanoutRatios()),
  ...(await measurePairRatios()),
};
const reference = JSON.parse(readFileSync(FILE, 'utf8')) as ReferenceRatios;
const verdicts = judge(reference, measured);
console.log(`${formatMachine(describeMachine(new Date()))}\n`);
console.log(
  formatTable(
    ['ratio', 'committed', 'least', 'measured', ''],
    verdicts.map((row) => [
      row.name,
      ...[row.reference, row.least, row.measured].map((ratio) =>
        ratio === undefined ? '-' : formatNumber(ratio),
      ),
      row.outcome,
    ]),
    [0, 4],
  ),
);
if (update) {
  const ratios = Object.entries(measured).filter(([, ratio]) => Number.isFinite(ratio));
  const written = Object.fromEntries(
    ratios.map(([name, ratio]) => [
      name,
      { ratio: Number(ratio.toPrecision(3)), tolerance: reference[name]?.tolerance ?? TOLERANCE },
    ]),
  );
  writeFileSync(FILE, `${JSON.stringify(written, undefined, 2)}\n`);
  console.log(`written to ${FILE}`);
} else {
  const slower = verdicts.filter(({ outcome }) => outcome === 'slower');
  for (const { name } of slower) console.log(`SLOWER: ${name}`);
  if (slower.length > 0) process.exitCode = 1;
  else console.log('Nothing got slower.');
}
