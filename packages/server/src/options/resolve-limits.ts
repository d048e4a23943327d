/**
 * Limits with their defaults, each checked against its row of the table and against the largest frame.
 */
import { MAX_NAME_BYTES } from '@chat/protocol';
import { CALL_HEADER_BYTES, ENTRY_HEADER_BYTES } from '@chat/protocol/frames';
import { ServerError, ServerErrorCode } from '../errors.js';
import { availableMemoryBytes } from './available-memory.js';
import { LIMITS, type Limit, type LimitName, type LimitOptions, type LimitProduct } from './limits.js';

/** Every limit, as it holds. */
export type ResolvedLimits = Required<LimitOptions>;

/** The values that a default may depend on, as far as the table was read. */
type Known = { [Name in LimitName | 'memory']?: number };

/**
 * Fills in the defaults. Other options are left alone.
 *
 * @throws ServerError `ERR_SERVER_BAD_OPTION` that names the limit
 */
export function resolveLimits(options: LimitOptions): ResolvedLimits {
  const known: Known = { memory: availableMemoryBytes() };
  for (const [name, limit] of Object.entries(LIMITS) as [LimitName, Limit][]) {
    const given = options[name];
    const value = given === undefined ? defaultOf(limit, known) : given;
    assertWithin(name, limit, value);
    known[name] = value;
    assertFitsFrame(name, limit, value, known.maxFrameBytes!);
  }
  const { memory: _, ...limits } = known;
  return limits as ResolvedLimits;
}

/** Largest body of a message: with the longest name, and a history frame around it, it still makes one frame. */
export function maxMessageBytes({ maxFrameBytes }: { readonly maxFrameBytes: number }): number {
  return maxFrameBytes - CALL_HEADER_BYTES - ENTRY_HEADER_BYTES - MAX_NAME_BYTES;
}

function defaultOf({ default: plain, orMore, orLess, least = 1 }: Limit, known: Known): number {
  if (orMore) return Math.max(plain, Math.ceil(productOf(orMore, known)));
  if (orLess) return Math.max(least, Math.min(plain, Math.floor(productOf(orLess, known))));
  return plain;
}

/** NaN, which no limit may be, where the product names a limit that stands further down in the table. */
function productOf({ times, of }: LimitProduct, known: Known): number {
  return of.reduce((product, factor) => product * (known[factor] ?? Number.NaN), times);
}

function assertWithin(name: string, { least = 1, most, mayBeInfinite }: Limit, value: number): void {
  if (typeof value !== 'number') throw bad(`${name} must be a number, got ${String(value)}`);
  if (value === Number.POSITIVE_INFINITY && mayBeInfinite) return;
  if (Number.isInteger(value) && value >= least && value <= (most ?? value)) return;
  const bounds = most === undefined ? `of at least ${least}` : `from ${least} to ${most}`;
  throw bad(`${name} must be a whole number ${bounds}, got ${value}`);
}

function assertFitsFrame(name: string, { frame }: Limit, value: number, maxFrameBytes: number): void {
  if (frame === 'fits-into-one' && value > maxMessageBytes({ maxFrameBytes })) {
    throw bad(`${name} ${value} does not fit into maxFrameBytes ${maxFrameBytes}`);
  }
  if (frame === 'holds-one' && value < maxFrameBytes) {
    throw bad(`${name} ${value} does not hold one frame of maxFrameBytes ${maxFrameBytes}`);
  }
}

function bad(message: string): ServerError {
  return new ServerError(ServerErrorCode.BadOption, message);
}
