/**
 * Secrets that the program is given. The list of processes shows command lines to everybody on a machine, so a secret
 * comes from a file or from the environment; on the command line it is taken with a warning, in a configuration file
 * not at all.
 */
import { readFileSync } from 'node:fs';
import { flagOf, type OptionName, type SecretName, variableOf } from './options.js';
import { type Source, type SourcedSettings, withPlaces } from './settings.js';
import { UsageError } from './usage-error.js';

/** A secret, and where it came from. */
export interface Secret {
  readonly value: string;
  readonly isOnCommandLine: boolean;
}

/** What counts before what. */
const RANK: Readonly<Record<Source['kind'], number>> = { default: 0, file: 1, environment: 2, flag: 3 };

/**
 * The secret of an option: its value, or what is in the file that `…File` names; of two, the one that counts before the
 * other.
 *
 * @param what - the secret, in words
 * @throws UsageError when both are said at the same place, or what is said is no secret
 */
export function secretOf(name: SecretName, what: string, given: SourcedSettings): Secret | undefined {
  const fileName = `${name}File` as const satisfies OptionName;
  const { settings, sources } = given;
  const rankOf = (option: string): number => RANK[sources.get(option)?.kind ?? 'default'];
  const [value, file] = [settings[name], settings[fileName]];
  if (value !== undefined && file !== undefined && rankOf(name) === rankOf(fileName)) {
    const message = `${flagOf(name)} and ${flagOf(fileName)} say two things`;
    throw new UsageError(withPlaces(message, [name, fileName], given));
  }
  if (file !== undefined && rankOf(fileName) > rankOf(name)) {
    return { value: readSecret(file, what), isOnCommandLine: false };
  }
  if (value === undefined) return undefined;
  const isOnCommandLine = sources.get(name)?.kind === 'flag';
  const where = isOnCommandLine ? flagOf(name) : variableOf(name);
  return { value: checkSecret(value, what, where), isOnCommandLine };
}

/**
 * Reads a secret from a file, without the line end that editors put behind it. Neither the file's content nor anything
 * of it is ever in a message.
 *
 * @throws UsageError when there is no such file, or nothing in it
 */
export function readSecret(path: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the ${what}: ${(error as Error).message}`);
  }
  return checkSecret(text.replace(/\r?\n$/, ''), what, `the file ${path}`);
}

/**
 * @param where - named in the message
 * @throws UsageError when it is empty, or has a line end, which no header can carry
 */
export function checkSecret(value: string, what: string, where: string): string {
  if (value === '') throw new UsageError(`the ${what} in ${where} is empty`);
  if (/[\r\n]/.test(value)) throw new UsageError(`the ${what} in ${where} has more than one line`);
  return value;
}
