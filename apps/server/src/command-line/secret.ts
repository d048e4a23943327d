/**
 * Secrets that the program is given. The list of processes shows command lines to everybody on a machine, so a secret
 * comes from a file or from the environment; on the command line it is taken with a warning.
 */
import { readFileSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/** A secret, and where it came from. */
export interface Secret {
  readonly value: string;
  readonly isOnCommandLine: boolean;
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
