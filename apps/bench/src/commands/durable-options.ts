/** The command line of the benchmark of the durable log. */
import { Command, InvalidArgumentError } from 'commander';
import { DURABLE_PARTS, type DurablePart } from '../durable/benchmark.js';
import { list, number } from './fanout-options.js';

/** What to measure, and for how long. */
export interface DurableOptions {
  readonly members: number;
  readonly windows: readonly number[];
  readonly payloadBytes: number;
  readonly roundMs: number;
  readonly rounds: number;
  readonly latencyRate: number;
  readonly messages: number;
  readonly parts: ReadonlySet<DurablePart>;
  readonly json: string | undefined;
}

const QUICK = { seconds: 0.6, rounds: 1, messages: 50_000 };
const FULL = { seconds: 2, rounds: 3, messages: 1_000_000 };

/** Reads the arguments after `node durable.js`. Ends the process with a line when they make no sense. */
export function parseDurableOptions(args: readonly string[]): DurableOptions {
  const command = new Command('bench:durable')
    .description('What a log in a file costs. The disk is that of the temporary folder (TMPDIR).')
    .addOption(number('--members <n>', 'subscribers of the fan-out', 100))
    .addOption(list('--window <n,…>', 'messages in flight', [256, 16, 1]))
    .addOption(number('--bytes <n>', 'body of a message', 64))
    .addOption(number('--seconds <n>', `length of one round (${FULL.seconds}, quick ${QUICK.seconds})`))
    .addOption(number('--rounds <n>', `rounds of each measurement (${FULL.rounds}, quick ${QUICK.rounds})`))
    .addOption(number('--rate <n>', 'messages a second for the latency', 200))
    .addOption(
      number(
        '--messages <n>',
        `messages in the store that is started and read (${FULL.messages}, quick ${QUICK.messages})`,
      ),
    )
    .option(
      '--parts <name,…>',
      `what is measured: ${DURABLE_PARTS.join(', ')}`,
      parts,
      new Set(DURABLE_PARTS),
    )
    .option('--quick', 'short rounds, for a first look', false)
    .option('--json <file>', 'the report as JSON, to a file as well');
  command.parse(args, { from: 'user' });
  const given = command.opts();
  const length = given.quick ? QUICK : FULL;
  return {
    members: given.members,
    windows: given.window,
    payloadBytes: given.bytes,
    roundMs: (given.seconds ?? length.seconds) * 1000,
    rounds: given.rounds ?? length.rounds,
    latencyRate: given.rate,
    messages: given.messages ?? length.messages,
    parts: given.parts,
    json: given.json,
  };
}

function parts(text: string): Set<DurablePart> {
  const names = text.split(',').map((name) => {
    const known = DURABLE_PARTS.find((part) => part === name.trim());
    if (!known) throw new InvalidArgumentError(`Known are ${DURABLE_PARTS.join(', ')}.`);
    return known;
  });
  return new Set(names);
}
