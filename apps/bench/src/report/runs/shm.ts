/** The figures of `npm run bench:shm` as a table in Markdown, to be kept in documents. */
import { formatNoise } from '../../harness/machine.js';
import { HOLD_MS } from '../../pairs/crowd.js';
import { LOG_READERS, SHM_REFERENCE, SHM_SIZES, type ShmFigures } from '../../pairs/shm-benchmark.js';
import { formatCount } from '../units.js';

/** Renders a run. */
export function formatShm(figures: ShmFigures): string {
  const { rows, log, idleShare, idleChannels, fairness, otherWork, failures } = figures;
  const lines: string[] = [];
  if (rows.length > 0) {
    const reference = rows.find(({ id }) => id === SHM_REFERENCE);
    const sizes = SHM_SIZES.map((bytes) => `${bytes} B, msg/s`).join(' | ');
    lines.push(
      `| way | ${sizes} | round trip p50, µs | p99, µs |`,
      `| --- |${' ---: |'.repeat(SHM_SIZES.length + 2)}`,
    );
    for (const { title, messagesPerSecond, p50Ns, p99Ns } of rows) {
      const rates = messagesPerSecond.map((rate, i) =>
        rate === undefined ? '–' : formatCount(rate) + ratio(rate, reference?.messagesPerSecond[i]),
      );
      const trip = inMicroseconds(p50Ns) + ratio(p50Ns, reference?.p50Ns);
      lines.push(`| ${title} | ${rates.join(' | ')} | ${trip} | ${inMicroseconds(p99Ns)} |`);
    }
    lines.push('');
    if (reference) lines.push(`In parentheses: compared with the ${reference.title} of the same run.`, '');
  }
  for (const { batch, entriesPerSecond: rate } of log) {
    const how = batch === 1 ? 'one at a time' : `${batch} at a time`;
    lines.push(
      `log, 1 writer, ${LOG_READERS} reliable readers, ${SHM_SIZES[0]} B, ${how}: ` +
        `${formatCount(rate.median)} entries/s read in total (best ${formatCount(rate.max)})`,
    );
  }
  if (idleShare !== undefined) {
    lines.push(`idle reader of a channel: ${(idleShare * 100).toFixed(2)} % of a core`);
  }
  if (idleChannels !== undefined) {
    const { channels, cpuShare, descriptors = 'n/a' } = idleChannels;
    lines.push(
      `${channels} idle channels of one process: ${(cpuShare * 100).toFixed(2)} % of a core, ${descriptors} descriptors`,
    );
  }
  for (const { processes, turnsPerSecond, leastShare, worstWaitMs } of fairness) {
    lines.push(
      `mutex, ${processes} processes without pause, held for ${HOLD_MS} ms: ${formatCount(turnsPerSecond)} turns/s, ` +
        `worst wait ${worstWaitMs.toFixed(1)} ms, fewest turns ${leastShare.toFixed(2)} of the most`,
    );
  }
  lines.push(...failures.map((line) => `FAILED ${line}`), ...formatNoise(otherWork));
  return `${lines.join('\n')}\n`;
}

function inMicroseconds(ns: number): string {
  return (ns / 1000).toFixed(2);
}

function ratio(value: number, reference: number | undefined): string {
  if (reference === undefined) return '';
  const times = value / reference;
  return ` (${times.toFixed(times < 1 ? 2 : 1)}×)`;
}
