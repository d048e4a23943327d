/** Values of the command line: text to what it means, or a sentence that says what is needed. */
import { availableParallelism } from 'node:os';
import type { Limit } from '@chat/server';
import { InvalidArgumentError } from 'commander';

const MAX_WORKERS = 128;

export function portNumber(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535) {
    throw new InvalidArgumentError('a port is a number from 0 to 65535.');
  }
  return port;
}

/** How many workers: a number, or `auto` for one on each core. */
export function workerCount(value: string): number {
  if (value === 'auto') return availableParallelism();
  const count = Number(value);
  if (!/^\d+$/.test(value) || count < 1 || count > MAX_WORKERS) {
    throw new InvalidArgumentError(`a number from 1 to ${MAX_WORKERS} is needed, or auto.`);
  }
  return count;
}

/** Nothing that could end the directive of the policy that it goes into. */
export function frameAncestor(value: string, before: readonly string[]): readonly string[] {
  if (value === 'self') return [...before, "'self'"];
  if (/^https?:\/\/[\w.*:[\]-]+$/.test(value)) return [...before, value];
  throw new InvalidArgumentError('an origin such as https://www.example.org is needed, or self.');
}

export function fileMode(value: string): number {
  if (!/^0?[0-7]{3}$/.test(value)) throw new InvalidArgumentError('permissions are three octal digits.');
  return Number.parseInt(value, 8);
}

export function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('a whole number is needed.');
  return Number(value);
}

/** Whether the number is within its bounds is checked by the server. */
export function limitValue(value: string, { mayBeInfinite }: Limit): number {
  if (mayBeInfinite && value === 'Infinity') return Number.POSITIVE_INFINITY;
  return wholeNumber(value);
}
