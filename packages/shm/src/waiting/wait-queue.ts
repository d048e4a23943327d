/**
 * Messages that wait for room, in the order in which they came, each with the promise that its sender has.
 *
 * While there are any, nothing overtakes them. What waits is bounded: a sender that does not await its promises would otherwise fill the
 * memory of its process. One that was given up leaves in constant time, wherever it stands.
 */
import { ShmError } from '../errors.js';
import type { WaitPoint } from './wait-point.js';
import type { Waiting } from './waiting.js';

/** What each waiting message counts beside its bytes: about what its promise takes. */
const OVERHEAD_BYTES = 64;
const DEFAULT_MAX_QUEUED_BYTES: number = 2 ** 26;

/** A message that waits; `T` is what its sender is given when it has gone. */
interface Queued<T> {
  readonly message: Uint8Array;
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** What a queue needs of its structure. */
export interface WaitQueueHost<T> {
  readonly waiting: Waiting;
  /** What room is waited for at. */
  readonly point: WaitPoint;
  /** Sends one message; undefined when there is no room for it. */
  send(message: Uint8Array): { readonly result: T } | undefined;
  /** Some were sent: shows them, and rings. Their senders are told afterwards. */
  sent(): void;
  /** Whether it is not room that is missing but a lock, for which nobody rings: then it is had again in the next turn. */
  readonly lockWasBusy?: boolean;
}

/** A queue of messages. */
export class WaitQueue<T> {
  readonly #host: WaitQueueHost<T>;
  readonly #queued = new Set<Queued<T>>();
  readonly #maxBytes: number;
  #bytes = 0;
  #draining = false;

  constructor(host: WaitQueueHost<T>, maxQueuedBytes: number = DEFAULT_MAX_QUEUED_BYTES) {
    this.#host = host;
    this.#maxBytes = maxQueuedBytes;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /**
   * Adds a message, to be sent as soon as there is room. It leaves the queue, and its promise rejects, when `signal` is aborted. Rejects
   * with `ERR_SHM_QUEUE_FULL` when too much waits already.
   */
  push(message: Uint8Array, signal: AbortSignal | undefined): Promise<T> {
    const bytes = message.length + OVERHEAD_BYTES;
    if (this.#bytes + bytes > this.#maxBytes) {
      return Promise.reject(
        new ShmError(
          'ERR_SHM_QUEUE_FULL',
          `${this.#queued.size} messages of ${this.#bytes} bytes wait for room, at most maxQueuedBytes ${this.#maxBytes} may`,
        ),
      );
    }
    this.#bytes += bytes;
    const sent = new Promise<T>((resolve, reject) => {
      const leave = (): boolean => {
        if (!this.#queued.delete(queued)) return false;
        this.#bytes -= bytes;
        signal?.removeEventListener('abort', abort);
        return true;
      };
      const abort = (): void => queued.reject(signal?.reason);
      const queued: Queued<T> = {
        message,
        resolve: (result) => {
          if (leave()) resolve(result);
        },
        reject: (error) => {
          if (leave()) reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#queued.add(queued);
    });
    void this.#drain();
    return sent;
  }

  /** Refuses all. */
  rejectAll(error: unknown): void {
    for (const queued of [...this.#queued]) queued.reject(error);
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    const { waiting, point } = this.#host;
    try {
      await waiting.until(point, () => this.#flush());
    } finally {
      this.#draining = false;
      // What came between the last look and here.
      if (this.#queued.size > 0) void this.#drain();
    }
  }

  /** Sends from the front what there is room for. Returns whether nothing waits any more. */
  #flush(): boolean {
    const host = this.#host;
    const sent: (() => void)[] = [];
    try {
      for (const queued of this.#queued) {
        try {
          const outcome = host.send(queued.message);
          if (outcome === undefined) break;
          sent.push(() => queued.resolve(outcome.result));
        } catch (error) {
          if (ShmError.is(error) && error.code === 'ERR_SHM_CORRUPT') throw error;
          // Only this one is bad: its memory was transferred away since it was checked.
          queued.reject(error);
        }
      }
      if (sent.length > 0) host.sent();
    } catch (error) {
      // The structure is corrupt. Those who wait learn of it; nobody called us who could.
      this.rejectAll(error);
    }
    for (const settle of sent) settle();
    if (this.#queued.size > 0 && host.lockWasBusy === true) host.waiting.lookSoon();
    return this.#queued.size === 0;
  }
}
