/**
 * Messages that wait for room in a ring, in the order in which they were sent.
 *
 * While there are any, nothing overtakes them. The one who waits says so in a word of shared memory and looks once more, as
 * everybody does who sleeps (see `doorbell.ts`).
 */
import { arm, disarm } from './doorbell.js';
import type { RingWriter } from './ring-writer.js';

interface Waiting {
  readonly message: Uint8Array;
  resolve(): void;
  reject(error: unknown): void;
}

/** The queue before one ring. */
export class SendQueue {
  readonly #writer: RingWriter;
  readonly #words: Int32Array;
  readonly #waitWord: number;
  #waiting: Waiting[] = [];

  /** The queue of `writer`, whose sleep is announced in word `waitWord`. */
  constructor(writer: RingWriter, words: Int32Array, waitWord: number) {
    this.#writer = writer;
    this.#words = words;
    this.#waitWord = waitWord;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Adds a message; {@link flush} is what sends it. Rejects with the reason of `signal` if that comes first. */
  push(message: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason);
      };
      const waiting: Waiting = {
        message,
        resolve: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
        reject: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiting);
    });
  }

  /** Sends what there is room for, and waits for more room if that is not all. Returns whether anything was sent. */
  flush(): boolean {
    let sent = this.#stage();
    if (sent === this.#waiting.length) {
      disarm(this.#words, this.#waitWord);
    } else {
      arm(this.#words, this.#waitWord);
      // The last look: room that the reader made before it could see that we wait.
      sent += this.#stage(sent);
      if (sent === this.#waiting.length) disarm(this.#words, this.#waitWord);
    }
    this.#writer.publish();
    for (const waiting of this.#waiting.splice(0, sent)) waiting.resolve();
    return sent > 0;
  }

  /** Refuses everything that waits. */
  close(error: unknown): void {
    disarm(this.#words, this.#waitWord);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  #stage(from = 0): number {
    let staged = 0;
    for (const waiting of this.#waiting.slice(from)) {
      if (!this.#writer.tryStage(waiting.message)) break;
      staged++;
    }
    return staged;
  }
}
