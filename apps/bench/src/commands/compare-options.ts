/** The command line of the comparison. */
import { resolve } from 'node:path';
import { Command } from 'commander';

/** What to compare, and where to write it. */
export interface CompareOptions {
  readonly quick: boolean;
  readonly only: readonly string[] | undefined;
  readonly json: boolean;
  readonly out: string | undefined;
  readonly against: string | undefined;
  /** Makes the pictures again from a report that exists. */
  readonly render: string | undefined;
}

/** Reads the arguments after `node compare.js`. */
export function parseCompareOptions(args: readonly string[]): CompareOptions {
  const command = new Command('compare')
    .description('Sockets against shared memory on this machine: tables, pictures, a report.')
    .option('--quick', 'less than a minute, for a first look', false)
    .option('--only <id,…>', 'only these lines', (text: string) => text.split(','))
    .option('--out <folder>', 'where the report goes (reports/<date>)')
    .option('--against <report.json>', 'also show what has changed since that report')
    .option('--render <report.json>', 'measure nothing, write the pages of that report')
    .option('--json', 'print the report as JSON instead of tables', false);
  command.parse(args, { from: 'user' });
  const { quick, only, out, against, json, render } = command.opts();
  return { quick, only, out: fromHere(out), against: fromHere(against), json, render: fromHere(render) };
}

/** A path as it was typed: npm changes to the folder of a workspace, and says where it came from. */
function fromHere(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', path);
}
