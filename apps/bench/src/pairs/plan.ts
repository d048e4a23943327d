/** How long each thing is measured: a full run that is worth keeping, and a quick one of less than a minute. */

/** Lengths, sizes and counts of a run. */
export interface Plan {
  readonly quick: boolean;
  readonly rounds: number;
  readonly roundTripBytes: number;
  readonly ratePerSecond: number;
  readonly roundTripMs: number;
  readonly sizes: readonly number[];
  readonly throughputMs: number;
  /** Traffic before anything counts, so that compiled code is measured. */
  readonly warmUpMs: number;
  readonly wakeUps: number;
  readonly silenceMs: number;
  readonly idleMs: number;
  readonly fanoutMembers: readonly number[];
  readonly fanoutRoundMs: number;
  readonly fanoutRounds: number;
  readonly idleConnections: number;
  /** Servers whose memory is looked at. */
  readonly memoryOf: readonly string[];
  readonly logReaders: readonly number[];
}

const KIB = 1024;

export const FULL_PLAN: Plan = {
  quick: false,
  rounds: 3,
  roundTripBytes: 64,
  ratePerSecond: 2000,
  roundTripMs: 3000,
  sizes: [16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, KIB * KIB],
  throughputMs: 350,
  warmUpMs: 600,
  wakeUps: 25,
  silenceMs: 30,
  idleMs: 700,
  fanoutMembers: [1, 10, 100, 1000],
  fanoutRoundMs: 800,
  fanoutRounds: 3,
  idleConnections: 5000,
  memoryOf: ['chat', 'chat (line)', 'ws', 'socket.io', 'redis', 'nats'],
  logReaders: [1, 10, 100, 1000],
};

export const QUICK_PLAN: Plan = {
  ...FULL_PLAN,
  quick: true,
  rounds: 1,
  roundTripMs: 300,
  sizes: [64, KIB, 16 * KIB],
  throughputMs: 120,
  warmUpMs: 120,
  wakeUps: 6,
  silenceMs: 25,
  idleMs: 150,
  fanoutMembers: [1, 100],
  fanoutRoundMs: 250,
  fanoutRounds: 1,
  idleConnections: 2000,
  memoryOf: ['chat', 'ws'],
  logReaders: [1, 100],
};

/** Sizes above this are measured over a second opening of the line, so that small ones have small buffers. */
export const SMALL_MESSAGE_BYTES: number = 16 * KIB;

/** Time to start and stop the processes of one line. */
const OPEN_MS = 450;

/** Expected length of one round of one transport, for the bar. */
export function expectedMs(plan: Plan): number {
  const throughput = plan.sizes.length * plan.throughputMs * 1.4;
  return (
    2 * (OPEN_MS + 1.3 * plan.warmUpMs) +
    plan.roundTripMs +
    throughput +
    plan.wakeUps * (plan.silenceMs + 2) +
    plan.idleMs
  );
}
