/** The flags of a command line, from the table of options, and their help. */
import { Command, CommanderError, Option } from 'commander';
import { flagOf, helpOf, OPTIONS, type OptionName, type OptionRow } from './options.js';
import { UsageError } from './usage-error.js';
import { parseValue } from './values.js';

const USAGE = 2;

/** What a command that takes the options of the server is called, and what it says of itself. */
export interface CommandText {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  /** Stands behind the options in the help. */
  readonly after: string;
}

/**
 * Reads the flags of a command line without the program's name.
 *
 * @param more options of the command alone
 * @returns what is given, by the name of the option
 * @throws UsageError when there is something else; with exit code 0 after help or version were printed
 */
export function readFlags(
  argv: readonly string[],
  { name, description, version, after }: CommandText,
  more: readonly Option[] = [],
): ReadonlyMap<string, unknown> {
  const command = new Command(name).description(description).version(version);
  for (const [option, row] of Object.entries(OPTIONS)) {
    if (!row.onlyInFile) command.addOption(flag(option as OptionName, row));
  }
  for (const option of more) command.addOption(option);
  command
    .addHelpText('after', after)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) throw new UsageError('', 0);
    // One line, also where a suggestion stands on a second one.
    throw new UsageError(withoutValue((error as Error).message).replace(/\s*\n\s*/g, ' '), USAGE);
  }
  if (command.args.length > 0) throw new UsageError(`unexpected argument ${command.args[0]}`, USAGE);
  return new Map(Object.entries(command.opts()));
}

function flag(name: OptionName, row: OptionRow): Option {
  if (row.type === 'switch') return new Option(flagOf(name), helpOf(row));
  const option = new Option(`${flagOf(name)} <${row.shown}${row.list ? '...' : ''}>`, helpOf(row));
  if (row.choices) return option.choices(row.choices);
  return option.argParser((text, before: unknown): unknown =>
    row.list ? [...((before as unknown[] | undefined) ?? []), parseValue(text, row)] : parseValue(text, row),
  );
}

/** The value behind a mistyped option may be a secret: it is not repeated. */
function withoutValue(message: string): string {
  return message.replace(/^error: /, '').replace(/^(unknown option '[^'=]*)=[\s\S]*?'(?=\n|$)/, "$1'");
}
