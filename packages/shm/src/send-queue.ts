/**
 * Messages that wait for room in a ring, in the order in which they were sent.
 *
 * While there are any, nothing overtakes them. The one who waits says so in a word of shared memory and looks once more, as
 * everybody does who sleeps (see `doorbell.ts`).
 */
import { arm, disarm } from './doorbell.js';
import type { RingWriter } from './ring-writer.js';
import { WaitQueue } from './wait-queue.js';

/** The queue before one ring. */
export class SendQueue {
  readonly #writer: RingWriter;
  readonly #words: Int32Array;
  readonly #waitWord: number;
  readonly #queue = new WaitQueue<void>();

  /** The queue of `writer`, whose sleep is announced in word `waitWord`. */
  constructor(writer: RingWriter, words: Int32Array, waitWord: number) {
    this.#writer = writer;
    this.#words = words;
    this.#waitWord = waitWord;
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
    let sent = 0;
    try {
      sent = this.#stage(0);
      if (sent < this.#queue.length) {
        arm(this.#words, this.#waitWord);
        // The last look: room that the reader made before it could see that we wait.
        sent = this.#stage(sent);
      }
      if (sent === this.#queue.length) disarm(this.#words, this.#waitWord);
    } catch (error) {
      // The ring is corrupt. Those who wait learn of it; nobody called us who could.
      this.#queue.rejectAll(error);
      return false;
    }
    this.#writer.publish();
    this.#queue.resolveFirst(new Array<void>(sent).fill(undefined));
    return sent > 0;
  }

  /** Refuses everything that waits. */
  close(error: unknown): void {
    disarm(this.#words, this.#waitWord);
    this.#queue.rejectAll(error);
  }

  /** Stages from the message at `index` on; returns the index of the first one for which there is no room. */
  #stage(index: number): number {
    for (let i = index; ; i++) {
      const message = this.#queue.at(i);
      if (message === undefined || !this.#writer.tryStage(message)) return i;
    }
  }
}
