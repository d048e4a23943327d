/**
 * A bounded queue that is read with `for await`.
 *
 * A push never waits. When the reader is `maxQueued` values behind, its policy decides, and it always learns
 * of it: `fail` ends the iterator with an error after what is queued already, `drop-oldest` forgets the
 * oldest and counts them in `dropped`.
 */
import { ClientError } from '../errors.js';
import { onAbort } from './on-abort.js';

/** Options of every iterator in this package. */
export interface StreamOptions {
  /** Ends the iterator: it throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** How many values may wait to be read. @defaultValue 8192 */
  readonly maxQueued?: number;
  /**
   * The policy for a value that finds the queue full. `fail`: the iterator throws `ERR_CLIENT_QUEUE_OVERFLOW`
   * once it has given what was queued. `drop-oldest`: the oldest value makes room and is counted in
   * {@link Stream.dropped}.
   * @defaultValue 'fail'
   */
  readonly overflow?: 'fail' | 'drop-oldest';
}

/** An iterator over events, subscribed from the moment it is made until it ends or `return()` is called. */
export interface Stream<Value> extends AsyncIterableIterator<Value> {
  /** How many values were dropped because they were not read in time (`drop-oldest` only). */
  readonly dropped: number;
  /** Unsubscribes, and forgets the queued values. */
  return(): Promise<IteratorResult<Value, undefined>>;
  /** Itself: an iterator is read once. */
  [Symbol.asyncIterator](): this;
}

export const DEFAULT_MAX_QUEUED = 8192;

interface Reader<Value> {
  readonly resolve: (result: IteratorResult<Value, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class EventQueue<Value> implements Stream<Value> {
  readonly #values: Value[] = [];
  readonly #readers: Reader<Value>[] = [];
  readonly #maxQueued: number;
  readonly #overflow: StreamOptions['overflow'];
  readonly #onEnd: () => void;
  readonly #stopWaiting: () => void;
  #failure: { readonly error: unknown } | undefined;

  dropped = 0;
  ended = false;

  /** @throws RangeError when `maxQueued` is not a positive integer */
  constructor(
    { maxQueued = DEFAULT_MAX_QUEUED, overflow = 'fail', signal }: StreamOptions,
    onEnd: () => void,
  ) {
    if (!Number.isInteger(maxQueued) || maxQueued < 1) {
      throw new RangeError(`maxQueued must be a positive integer, got ${maxQueued}`);
    }
    this.#maxQueued = maxQueued;
    this.#overflow = overflow;
    this.#onEnd = onEnd;
    const abort = () => {
      this.#values.length = 0;
      this.end(signal?.reason);
    };
    this.#stopWaiting = onAbort(signal, abort);
    if (signal?.aborted) abort();
  }

  push(value: Value): void {
    if (this.ended) return;
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value });
      return;
    }
    if (this.#values.length >= this.#maxQueued) {
      if (this.#overflow === 'fail') {
        const max = this.#maxQueued;
        const message = `more than maxQueued ${max} values wait`;
        this.end(new ClientError('ERR_CLIENT_QUEUE_OVERFLOW', message, { max }));
        return;
      }
      this.#values.shift();
      this.dropped++;
    }
    this.#values.push(value);
  }

  /** Ends the iterator after what is queued: with `error`, or cleanly without. */
  end(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.#stopWaiting();
    if (error !== undefined) this.#failure = { error };
    // Readers wait only while nothing is queued, so the first of them gets the failure.
    this.#finish();
    this.#onEnd();
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    if (this.#values.length > 0) {
      return Promise.resolve({ done: false, value: this.#values.shift() as Value });
    }
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      if (this.ended) this.#finish();
    });
  }

  return(): Promise<IteratorResult<Value, undefined>> {
    this.#values.length = 0;
    this.#failure = undefined;
    this.end();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A failure is thrown once; after it the iterator is at its end. */
  #finish(): void {
    for (const { resolve, reject } of this.#readers.splice(0)) {
      if (this.#failure) reject(this.#failure.error);
      else resolve(DONE);
      this.#failure = undefined;
    }
  }
}
