/**
 * The bearer tokens that may use the API: a file with one a line, so that they can be exchanged one after the other.
 *
 * The file is looked at before each request, so that a token which was taken out of it is good for nothing from then on.
 * A file that cannot be read holds no token. Guesses are throttled per address; whoever guesses too fast is not compared
 * at all for a while, the right token included.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { UsageError } from '../command-line/usage-error.js';
import { guesserKey } from '../guesser-key.js';
import { ApiError } from './problem.js';

/** Shorter ones could be guessed. */
const MIN_TOKEN_LENGTH = 16;
/** Wrong tokens of one address at once, and how long each of them counts. */
const GUESSES = 10;
const GUESS_MS = 6000;
/** Addresses that are remembered; beyond, those forget first that guessed first. */
const MAX_GUESSERS = 10_000;

/** Says whether a request may use the API. */
export interface Authorizer {
  /** @returns a name for the token, which says nothing about it @throws ApiError */
  authorize(authorization: string | undefined, address: string): string;
}

export class TokenFile implements Authorizer {
  readonly #path: string;
  readonly #now: () => number;
  #digests: readonly Buffer[] = [];
  #seen = '';
  /** Until when the guesses of an address count. */
  readonly #guessers = new Map<string, number>();

  /**
   * @param now milliseconds of a clock that never jumps
   * @throws UsageError when the file cannot be read, or has no token; none of it is in the message
   */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.#path = path;
    this.#now = now;
    try {
      this.#digests = readTokens(path);
      this.#seen = stampOf(path);
    } catch (error) {
      throw error instanceof UsageError
        ? error
        : new UsageError(`cannot read the API tokens: ${(error as Error).message}`);
    }
  }

  authorize(authorization: string | undefined, address: string): string {
    const key = guesserKey(address);
    const now = this.#now();
    const until = Math.max(this.#guessers.get(key) ?? 0, now);
    const waitMs = until - now - (GUESSES - 1) * GUESS_MS;
    if (waitMs > 0) {
      throw new ApiError('ERR_API_THROTTLED', 'too many wrong tokens from this address', {
        retryAfterMs: waitMs,
      });
    }
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) throw new ApiError('ERR_API_UNAUTHORIZED', 'a bearer token is needed');
    this.#look();
    const digest = digestOf(given);
    // All of them are compared, each in the same time.
    const found = this.#digests.filter((known) => timingSafeEqual(known, digest));
    if (found.length > 0) return found[0]!.toString('base64url', 0, 6);
    this.#guessers.delete(key);
    this.#guessers.set(key, until + GUESS_MS);
    if (this.#guessers.size > MAX_GUESSERS) this.#guessers.delete(this.#guessers.keys().next().value!);
    throw new ApiError('ERR_API_UNAUTHORIZED', 'this token is not good here');
  }

  #look(): void {
    try {
      const stamp = stampOf(this.#path);
      if (stamp === this.#seen) return;
      this.#digests = readTokens(this.#path);
      this.#seen = stamp;
    } catch {
      this.#digests = [];
      this.#seen = '';
    }
  }
}

function readTokens(path: string): Buffer[] {
  const tokens = readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');
  if (tokens.length === 0) throw new UsageError(`the API tokens in the file ${path} are empty`);
  if (tokens.some((token) => token.length < MIN_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token))) {
    const message = `each line of the file ${path} must be a token of at least ${MIN_TOKEN_LENGTH} visible ASCII characters`;
    throw new UsageError(message);
  }
  return tokens.map(digestOf);
}

/** Changes when the file does. */
function stampOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path);
  return `${mtimeMs} ${size} ${ino}`;
}

/** Of equal length for all, as the comparison needs it. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
