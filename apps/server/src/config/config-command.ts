/**
 * `chat-server config`: what is in force with these options, and where each value comes from. Starts nothing, so it is
 * the check of a configuration file as well.
 */
import { LIMITS, type LimitName, UNLIMITED } from '@chat/server';
import { Option } from 'commander';
import { type Arguments, parseServerOptions } from '../command-line/args.js';
import type { Environment } from '../command-line/environment.js';
import { flagOf, OPTIONS, type OptionName, type OptionRow } from '../command-line/options.js';
import { sourceText } from '../command-line/settings.js';
import type { WebhookOptions } from '../webhooks/webhook-options.js';
import { createCheckedServer } from './checked-server.js';
import { configSchema } from './schema.js';

/** One option as it is in force. */
interface Line {
  readonly name: string;
  readonly value: unknown;
  readonly source: string;
}

const HIDDEN = '(secret)';

/**
 * @param argv - behind `config`
 * @returns the exit code
 * @throws UsageError when the options cannot be carried out
 */
export function runConfigCommand(
  argv: readonly string[],
  version: string,
  print: (line: string) => void,
  environment: Environment = process.env,
): number {
  const schema = new Option('--schema', 'prints the schema of configuration files instead (JSON Schema)');
  const command = {
    name: 'config',
    version,
    description: 'Prints what is in force with these options, and where it comes from; --json for programs.',
  };
  if (argv.length === 1 && argv[0] === '--schema') {
    print(JSON.stringify(configSchema(), null, 2));
    return 0;
  }
  const { flags, args } = parseServerOptions(command, argv, [schema], environment);
  const lines = linesOf(args);
  if (flags.has('json')) {
    const fields = lines.map(({ name, value, source }) => [name, { value: infinityAsText(value), source }]);
    print(JSON.stringify(Object.fromEntries(fields), null, 2));
    return 0;
  }
  const rows = lines.map(({ name, value, source }) => [name, textOf(value), source] as const);
  const widthOf = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  const [names, values] = [widthOf(0), Math.min(widthOf(1), 40)];
  for (const [name, value, source] of rows)
    print(`${name.padEnd(names)}  ${value.padEnd(values)}  ${source}`);
  return 0;
}

function linesOf({ given, limits }: Arguments): Line[] {
  const { settings, sources } = given;
  // The server knows what limits become that nobody has set.
  const inForce = createCheckedServer(given, limits).limits();
  return Object.keys(OPTIONS).flatMap((key): Line[] => {
    const name = key as OptionName;
    const source = sources.get(name);
    if (source) {
      return [{ name, value: shown(settings[name], OPTIONS[name]), source: sourceText(name, source) }];
    }
    if (!Object.hasOwn(LIMITS, name)) return [];
    const isLifted = settings.unlimited && Object.hasOwn(UNLIMITED, name);
    return [{ name, value: inForce[name as LimitName], source: isLifted ? flagOf('unlimited') : 'default' }];
  });
}

/** As a configuration file has it. */
function shown(value: unknown, { type }: OptionRow): unknown {
  if (type === 'secret') return HIDDEN;
  if (type === 'webhooks') return (value as readonly WebhookOptions[]).map(({ name }) => name);
  return type === 'mode' ? (value as number).toString(8).padStart(3, '0') : value;
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') : String(value);
}

/** JSON has no infinity; a configuration file takes the word. */
function infinityAsText(value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? String(value) : value;
}
