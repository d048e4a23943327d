/**
 * Messages that wait for room, in the order in which they came, each with the promise that its sender has.
 */

interface Waiting<T> {
  readonly message: Uint8Array;
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** A queue of messages; `T` is what a sender is given when its message has gone. */
export class WaitQueue<T> {
  readonly #waiting: Waiting<T>[] = [];

  /** How many wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** The message at `index`, 0 being the first. */
  at(index: number): Uint8Array | undefined {
    return this.#waiting[index]?.message;
  }

  /** Adds a message. It leaves the queue, and its promise rejects, when `signal` is aborted. */
  push(message: Uint8Array, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason);
      };
      const waiting: Waiting<T> = {
        message,
        resolve: (result) => {
          signal?.removeEventListener('abort', abort);
          resolve(result);
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

  /** Lets the first ones go, each with its result. */
  resolveFirst(results: readonly T[]): void {
    const gone = this.#waiting.splice(0, results.length);
    for (const [i, waiting] of gone.entries()) waiting.resolve(results[i] as T);
  }

  /** Refuses all. */
  rejectAll(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
