/**
 * Listens to an `AbortSignal` for as long as something waits. Every wait of this package that has a signal
 * uses it, and stops listening when it is over: a signal may live as long as the program, and would keep all
 * that ever listened.
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
