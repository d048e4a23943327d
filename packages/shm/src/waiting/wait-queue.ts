/**
 * Messages that wait for room, in the order in which they came, each with the promise that its sender has.
 *
 * What waits is bounded: a sender that does not await its promises would otherwise fill the memory of its process. One that was given up
 * leaves in constant time, wherever it stands.
 */
import { ShmError } from '../errors.js';

/** What each waiting message counts beside its bytes: about what its promise takes. */
const OVERHEAD_BYTES = 64;
const DEFAULT_MAX_QUEUED_BYTES: number = 2 ** 26;

/** @throws {RangeError} */
export function checkMaxQueuedBytes(maxQueuedBytes: number | undefined): void {
  if (maxQueuedBytes === undefined || maxQueuedBytes >= 0) return;
  throw new RangeError(`maxQueuedBytes is 0 or more, not ${maxQueuedBytes}`);
}

/** A message that waits; `T` is what its sender is given when it has gone. */
export interface Waiting<T> {
  readonly message: Uint8Array;
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** A queue of messages. */
export class WaitQueue<T> {
  readonly #waiting = new Set<Waiting<T>>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxQueuedBytes: number = DEFAULT_MAX_QUEUED_BYTES) {
    this.#maxBytes = maxQueuedBytes;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Those that wait, first come first. One that is settled or given up meanwhile is passed over. */
  [Symbol.iterator](): IterableIterator<Waiting<T>> {
    return this.#waiting.values();
  }

  /**
   * Adds a message. It leaves the queue, and its promise rejects, when `signal` is aborted. Rejects with `ERR_SHM_QUEUE_FULL` when too
   * much waits already.
   */
  push(message: Uint8Array, signal: AbortSignal | undefined): Promise<T> {
    const bytes = message.length + OVERHEAD_BYTES;
    if (this.#bytes + bytes > this.#maxBytes) {
      return Promise.reject(
        new ShmError(
          'ERR_SHM_QUEUE_FULL',
          `${this.#waiting.size} messages of ${this.#bytes} bytes wait for room, at most maxQueuedBytes ${this.#maxBytes} may`,
        ),
      );
    }
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      const leave = (): boolean => {
        if (!this.#waiting.delete(waiting)) return false;
        this.#bytes -= bytes;
        signal?.removeEventListener('abort', abort);
        return true;
      };
      const abort = (): void => waiting.reject(signal?.reason);
      const waiting: Waiting<T> = {
        message,
        resolve: (result) => {
          if (leave()) resolve(result);
        },
        reject: (error) => {
          if (leave()) reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** Refuses all. */
  rejectAll(error: unknown): void {
    for (const waiting of [...this.#waiting]) waiting.reject(error);
  }
}
