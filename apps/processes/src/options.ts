/** The options that both processes have. */
import { Command, InvalidArgumentError } from 'commander';

/** What was said on the command line. */
export interface ProcessOptions {
  readonly name: string;
  readonly segment: string;
  readonly count?: number;
  readonly steps?: true;
  readonly quiet?: true;
  readonly optional?: true;
}

/** Reads the command line of one of the processes; `add` adds what only this one has. */
export function processOptions<Own>(
  program: 'process-a' | 'process-b',
  description: string,
  add: (command: Command) => Command,
): ProcessOptions & Own {
  const command = new Command(program)
    .description(description)
    .option('--name <name>', 'how to sign messages', program === 'process-a' ? 'A' : 'B')
    .option('--segment <name>', 'name of the shared memory', 'chat')
    .option('--count <n>', 'leave once messages 1 to n were exchanged both ways', wholeNumber)
    .option('--steps', 'show what is done to the shared memory, step by step (default in a terminal)')
    .option('--quiet', 'show the messages only')
    .option('--optional', 'where there is no shared memory, say so and end without an error')
    .addHelpText(
      'after',
      '\n/quit, Ctrl-C or the end of standard input ends it. Killed with kill -9 and started again, it goes on where it stopped.',
    );
  return add(command).parse().opts<ProcessOptions & Own>();
}

/** An option that is a number of 0 to 999,999,999. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Not a whole number.');
  return Number(text);
}
