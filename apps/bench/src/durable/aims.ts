/** What was aimed at, held against what was found. Only ratios within one run, but for what people wait for. */
import { BARE, type DurableFigures, MEMORY, type PublishFigure, STORED } from './benchmark.js';

export interface Aim {
  readonly what: string;
  readonly aim: string;
  readonly found: number;
  /** How `found` is read: a ratio, or a number with a unit. */
  readonly unit: '×' | '/s' | 'ms' | 'MiB';
  readonly isMet: boolean;
}

/** Deliveries per CPU-second of the server, as a share of those in memory, at least; by window. */
const LEAST_FANOUT: Readonly<Record<number, number>> = { 256: 0.8, 16: 0.8, 1: 0.9 };
const LEAST_OF_BARE = 0.7;
const LEAST_PAGES = 2000;
const MOST_READY_MS = 3000;
const MOST_GROWTH_MIB = 16;
const FLUSHES = 2;
const MIB = 1_048_576;

/** Every aim that the figures say something about. */
export function aimsOf(figures: DurableFigures): Aim[] {
  return [
    ...fanoutAims(figures),
    ...latencyAims(figures),
    ...publishAims(figures),
    ...figures.pages
      .filter(({ room }) => room === 'dense')
      .map(({ pagesPerSecond: { median } }) =>
        least('pages of 100 from the store', LEAST_PAGES, median, '/s'),
      ),
    ...startAims(figures),
  ];
}

function fanoutAims({ fanout }: DurableFigures): Aim[] {
  const rows = fanout?.windows ?? [];
  return rows
    .filter(({ target, window }) => STORED.includes(target) && LEAST_FANOUT[window] !== undefined)
    .map(({ target, window, deliveriesPerCpuSecond }) => {
      const memory = rows.find((row) => row.target === MEMORY && row.window === window);
      const ratio = share(deliveriesPerCpuSecond?.median, memory?.deliveriesPerCpuSecond?.median);
      return least(`fan-out of ${target}, window ${window}: of memory's`, LEAST_FANOUT[window]!, ratio, '×');
    });
}

/** From publish to delivery: a flush that is under way, and the one of its own group. */
function latencyAims({ fanout, publish }: DurableFigures): Aim[] {
  const memory = fanout?.paced.find(({ target }) => target === MEMORY);
  const flushMs = publish.find(({ name, window }) => name === BARE && window === 1)?.commitMs;
  if (!fanout || !memory || flushMs === undefined) return [];
  return fanout.paced
    .filter(({ target }) => STORED.includes(target))
    .map(({ target, p50Ns }) => {
      const mostMs = memory.p50Ns.median / 1e6 + FLUSHES * flushMs;
      const what = `p50 from publish to delivery, ${target}: memory's and ${FLUSHES} flushes`;
      return most(what, mostMs, p50Ns.median / 1e6, 'ms');
    });
}

function publishAims({ publish }: DurableFigures): Aim[] {
  const ours = publish.filter(({ name }) => name.startsWith(MEMORY));
  return ours.flatMap((row) => {
    const others = publish.filter(({ name, window }) => window === row.window && name !== row.name);
    return others.flatMap((other) =>
      other.name === BARE
        ? [least(`stored messages, window ${row.window}: of ${BARE}'s`, LEAST_OF_BARE, rate(row, other), '×')]
        : [
            least(`stored messages, window ${row.window}: of ${other.name}'s`, 1, rate(row, other), '×'),
            least(
              `messages per CPU-second, window ${row.window}: of ${other.name}'s`,
              1,
              share(other.cpuNsPerMessage?.median, row.cpuNsPerMessage?.median),
              '×',
            ),
          ],
    );
  });
}

function startAims({ starts }: DurableFigures): Aim[] {
  const [small, large] = [starts[0], starts.at(-1)];
  if (!small || !large) return [];
  const ready = most(
    `start with ${large.messages} messages until readyz`,
    MOST_READY_MS,
    large.readyMs.median,
    'ms',
  );
  if (small === large || small.residentBytes === undefined || large.residentBytes === undefined)
    return [ready];
  const growth = (large.residentBytes - small.residentBytes) / MIB;
  return [
    ready,
    most(
      `memory with ${large.messages} messages above that with ${small.messages}`,
      MOST_GROWTH_MIB,
      growth,
      'MiB',
    ),
  ];
}

function rate(ours: PublishFigure, theirs: PublishFigure): number {
  return share(ours.messagesPerSecond.median, theirs.messagesPerSecond.median);
}

function share(part: number | undefined, whole: number | undefined): number {
  return part === undefined || !whole ? Number.NaN : part / whole;
}

function least(what: string, aim: number, found: number, unit: Aim['unit']): Aim {
  return { what, aim: `≥ ${Number(aim.toPrecision(3))}`, found, unit, isMet: found >= aim };
}

function most(what: string, aim: number, found: number, unit: Aim['unit']): Aim {
  return { what, aim: `≤ ${Number(aim.toPrecision(3))}`, found, unit, isMet: found <= aim };
}
