/** A process that carries the blocks of the workers, as it is to the supervisor. */
import cluster from 'node:cluster';
import type { Log } from '@chat/shm';
import type { FromCarrier, ToCarrier } from '../messages.js';

const EXIT_ORPHANED = 1;

/**
 * Does what the supervisor says, and ends when that is gone.
 *
 * @param logs given up with the process then: nobody is left who would
 */
export function obeySupervisor(logs: readonly Log[], obey: (message: ToCarrier) => unknown): void {
  process.on('message', (message: ToCarrier) => void obey(message));
  // `node:cluster` ends an orphan by itself, right after it has told so here.
  cluster.worker!.on('disconnect', () => {
    for (const log of logs) log.unlink();
    process.exit(EXIT_ORPHANED);
  });
  // The supervisor says what is to be done; it hears of signals, too.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
}

export function tellSupervisor(message: FromCarrier): void {
  if (cluster.worker?.isConnected()) process.send?.(message);
}
