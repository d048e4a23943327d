/** The command line of the fan-out benchmark. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { WORKER_COUNTS } from '../ways/chat/chat.js';
import { PEER_NAMES, type PeerName } from '../ways/index.js';

/** How the load talks to our server. */
export type ChatDialect = 'binary' | 'websocket' | 'line';

/** What to measure, and for how long. */
export interface FanoutOptions {
  readonly members: readonly number[];
  readonly windows: readonly number[];
  readonly payloadBytes: number;
  readonly roundMs: number;
  readonly rounds: number;
  readonly peers: readonly PeerName[];
  readonly dialect: ChatDialect;
  /** Our server with so many worker processes, each a row of its own. */
  readonly workers: readonly number[];
  readonly verify: boolean;
  readonly latencyRate: number;
  readonly memory: boolean;
  readonly idleConnections: number;
  readonly json: string | boolean;
  /** Folder for a CPU profile of our server. */
  readonly profile: string | undefined;
}

const QUICK = { seconds: 0.6, rounds: 1 };
const FULL = { seconds: 2, rounds: 3 };

/** Reads the arguments after `node fanout.js`. Ends the process with a line when they make no sense. */
export function parseFanoutOptions(args: readonly string[]): FanoutOptions {
  const command = new Command('bench:fanout')
    .description('One publisher, N subscribers, one room: this server beside others, in interleaved rounds.')
    .addOption(list('--members <n,…>', 'subscribers', [100]))
    .addOption(
      list('--window <n,…>', 'messages in flight: published, but not yet received by all', [256, 16, 1]),
    )
    .addOption(number('--bytes <n>', 'body of a message', 64))
    .addOption(number('--seconds <n>', `length of one round (${FULL.seconds}, quick ${QUICK.seconds})`))
    .addOption(number('--rounds <n>', `rounds of each measurement (${FULL.rounds}, quick ${QUICK.rounds})`))
    .addOption(number('--rate <n>', 'messages a second for the latency; 0 leaves it out', 200))
    .option('--peers <name,…>', `what to compare with: ${PEER_NAMES.join(', ')}, none or all`, peers, [
      ...PEER_NAMES,
    ])
    .addOption(
      new Option('--dialect <name>', 'how our server is spoken to; line: beside binary, as a row of its own')
        .choices(['binary', 'websocket', 'line'])
        .default('binary'),
    )
    .addOption(
      list(
        `--workers <n,…>`,
        `our server with worker processes, a row each: ${WORKER_COUNTS.join(', ')}`,
        [],
      ),
    )
    .option(
      '--verify',
      'look at every byte that arrives, with one subscriber that pauses again and again',
      false,
    )
    .option('--memory', 'instead: memory of idle connections', false)
    .addOption(number('--connections <n>', 'idle connections for --memory', 5000))
    .option('--quick', 'short rounds, for a first look', false)
    .option('--profile <folder>', 'leave a CPU profile of our server there')
    .option('--json [file]', 'the report as JSON, to a file or instead of the table');
  command.parse(args, { from: 'user' });
  const given = command.opts();
  const length = given.quick ? QUICK : FULL;
  return {
    members: given.members,
    windows: given.window,
    payloadBytes: given.bytes,
    roundMs: (given.seconds ?? length.seconds) * 1000,
    rounds: given.rounds ?? length.rounds,
    peers: given.peers,
    dialect: given.dialect,
    workers: given.workers,
    verify: given.verify,
    latencyRate: given.rate,
    memory: given.memory,
    idleConnections: given.connections,
    json: given.json ?? false,
    profile: given.profile,
  };
}

/** An option that takes a number above or at 0. */
export function number(flags: string, description: string, standard?: number): Option {
  const option = new Option(flags, description).argParser(positive);
  return standard === undefined ? option : option.default(standard);
}

/** An option that takes such numbers, with commas between them. */
export function list(flags: string, description: string, standard: readonly number[]): Option {
  return new Option(flags, description)
    .argParser((text: string) => text.split(',').map(positive))
    .default(standard, standard.join(','));
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError('This is not a positive number.');
  }
  return value;
}

function peers(text: string): PeerName[] {
  if (text === 'all') return [...PEER_NAMES];
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const known = PEER_NAMES.find((peer) => peer === name.trim());
    if (!known) throw new InvalidArgumentError(`Known are ${PEER_NAMES.join(', ')}.`);
    return known;
  });
}
