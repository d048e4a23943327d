/**
 * Messages that wait for room in a ring, in the order in which they were sent.
 *
 * While there are any, nothing overtakes them. The one who waits says so in a word of shared memory and looks once more, as
 * everybody does who sleeps (see `doorbell.ts`).
 */

import { ShmError } from '../errors.js';
import type { RingWriter } from '../ring/writer.js';
import { arm, disarm } from '../waiting/doorbell.js';
import { type Waiting, WaitQueue } from '../waiting/wait-queue.js';

/** The queue before one ring. */
export class SendQueue {
  readonly #writer: RingWriter;
  readonly #words: Int32Array;
  readonly #waitWord: number;
  readonly #queue: WaitQueue<void>;

  /** The queue of `writer`, whose sleep is announced in word `waitWord`. */
  constructor(writer: RingWriter, words: Int32Array, waitWord: number, maxQueuedBytes?: number) {
    this.#writer = writer;
    this.#words = words;
    this.#waitWord = waitWord;
    this.#queue = new WaitQueue(maxQueuedBytes);
  }

  /** How many wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** Adds a message; {@link flush} is what sends it. Rejects with the reason of `signal` if that comes first. */
  push(message: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    return this.#queue.push(message, signal);
  }

  /** Sends what there is room for, and waits for more room if that is not all. Returns whether anything was sent. */
  flush(): boolean {
    const staged: Waiting<void>[] = [];
    const waiting = this.#queue[Symbol.iterator]();
    try {
      let refused = this.#stage(waiting, undefined, staged);
      if (refused !== undefined) {
        arm(this.#words, this.#waitWord);
        // The last look: room that the reader made before it could see that we wait.
        refused = this.#stage(waiting, refused, staged);
      }
      if (refused === undefined) disarm(this.#words, this.#waitWord);
    } catch (error) {
      // The ring is corrupt. Those who wait learn of it; nobody called us who could.
      this.#queue.rejectAll(error);
      return false;
    }
    this.#writer.publish();
    for (const one of staged) one.resolve();
    return staged.length > 0;
  }

  /** Refuses everything that waits. */
  close(error: unknown): void {
    disarm(this.#words, this.#waitWord);
    this.#queue.rejectAll(error);
  }

  /** Stages `first` and those after it; returns the first one for which there is no room. */
  #stage(
    rest: Iterator<Waiting<void>>,
    first: Waiting<void> | undefined,
    staged: Waiting<void>[],
  ): Waiting<void> | undefined {
    for (let next = first ?? rest.next().value; next !== undefined; next = rest.next().value) {
      try {
        if (!this.#writer.tryStage(next.message)) return next;
        staged.push(next);
      } catch (error) {
        if (ShmError.is(error) && error.code === 'ERR_SHM_CORRUPT') throw error;
        // Only this one is bad: an array that grew since it was checked, or a transferred one.
        next.reject(error);
      }
    }
    return undefined;
  }
}
