/**
 * Answers to requests that carry an `Idempotency-Key`: the same request again gets the same answer and does nothing,
 * while the first is under way as well. They are kept in memory, for a day, and so many at the most.
 */
import { createHash } from 'node:crypto';
import { type ApiAnswer, ApiError } from './problem.js';

const MAX_KEYS = 10_000;
const KEPT_MS = 86_400_000;
/** Answers of the server's own failing are not kept: the client is to try again. */
const FAILED = 500;

interface Kept {
  readonly request: string;
  readonly since: number;
  readonly answer: Promise<ApiAnswer>;
}

/** Carries out a request with a key once. */
export interface OncePort {
  /**
   * @param owner whose keys these are
   * @param request all that it asks for
   * @throws ApiError `ERR_API_BAD_REQUEST` for a key that is none, `ERR_API_KEY_REUSED` for another request of that key
   */
  once(owner: string, key: string, request: string, run: () => Promise<ApiAnswer>): Promise<ApiAnswer>;
}

export class IdempotencyKeys implements OncePort {
  readonly #now: () => number;
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>();

  /** @param now milliseconds of a clock that never jumps */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  once(owner: string, key: string, request: string, run: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
    if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
      throw new ApiError('ERR_API_BAD_REQUEST', 'an Idempotency-Key has 1 to 128 visible ASCII characters');
    }
    this.#expire();
    const name = `${owner} ${key}`;
    const digest = createHash('sha256').update(request).digest('base64url');
    const kept = this.#kept.get(name);
    if (kept && kept.request !== digest) {
      throw new ApiError('ERR_API_KEY_REUSED', 'this Idempotency-Key was used for another request');
    }
    if (kept) return kept.answer;
    const answer = run();
    const entry = { request: digest, since: this.#now(), answer };
    this.#kept.set(name, entry);
    const forget = (): void => {
      if (this.#kept.get(name) === entry) this.#kept.delete(name);
    };
    answer.then(({ status }) => {
      if (status >= FAILED) forget();
    }, forget);
    return answer;
  }

  /** Keys that are kept. */
  get size(): number {
    return this.#kept.size;
  }

  #expire(): void {
    const oldest = this.#now() - KEPT_MS;
    for (const [name, { since }] of this.#kept) {
      if (since >= oldest && this.#kept.size < MAX_KEYS) return;
      this.#kept.delete(name);
    }
  }
}
