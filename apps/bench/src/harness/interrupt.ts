/**
 * Ctrl-C and SIGTERM for a benchmark: the first one ends it after the measurement that is under way and keeps
 * what was found; the second one ends it at once. Either way its servers end with it.
 */

const EXIT_INTERRUPTED = 130;

/** @returns a signal that is aborted by the first interrupt */
export function listenForInterrupt(): AbortSignal {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    // `exit`, not death by the signal: the listeners that end the servers run only then.
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  return controller.signal;
}
