/**
 * Those in this process who wait for one thing to happen: all of them are woken, and each looks for itself whether it was that.
 */

/** Waits that end together. */
export class Parking {
  readonly #parked = new Set<() => void>();

  /** How many wait. */
  get size(): number {
    return this.#parked.size;
  }

  /** Resolves at the next {@link wakeAll}. Rejects with the reason of `signal` if that comes first, or was there before. */
  park(signal: AbortSignal | undefined): Promise<void> {
    // Between being woken and waiting again it may have been aborted: the event is over, and would not come.
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', abort);
        this.#parked.delete(wake);
        resolve();
      };
      const abort = (): void => {
        this.#parked.delete(wake);
        reject(signal?.reason);
      };
      this.#parked.add(wake);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Ends all waits that have begun. */
  wakeAll(): void {
    for (const wake of this.#parked) wake();
  }
}
