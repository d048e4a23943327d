/**
 * Listens to an `AbortSignal` for as long as something waits. Every wait of this package that has a signal
 * uses it, and stops listening when it is over. Otherwise a signal that lives as long as the program would
 * keep everything in memory that ever listened to it.
 */

/**
 * Calls `abort` when `signal` is aborted from now on; one that is aborted already is for the caller to look
 * at.
 *
 * @returns a function that ends this
 */
export function onAbort(signal: AbortSignal | undefined, abort: () => void): () => void {
  signal?.addEventListener('abort', abort, { once: true });
  return () => signal?.removeEventListener('abort', abort);
}
