/** `chat-server --workers`: the process that was started becomes the supervisor of those that serve. */
import { totalmem } from 'node:os';
import type { ChatServerOptions, ListeningAddress } from '@chat/server';
import type { Logger } from 'pino';
import { type Arguments, UsageError } from '../command-line/args.js';
import { AddressColumns } from './machine/address-columns.js';
import { shareOf } from './machine/worker-machine.js';
import { LOG_PREFIX, newName } from './shared-logs.js';
import { Supervisor } from './supervisor.js';

const EXIT_USAGE = 2;
/** Bytes of the log in shared memory, at the least. */
const MIN_CAPACITY_BYTES = 16_777_216;
/** An entry of the log takes an eighth of it at the most, and a block may be a frame with its name and its room. */
const ENTRIES_PER_CAPACITY = 8;
const BLOCK_OVERHEAD_BYTES = 4096;
/** The part of the machine that all workers together may take. */
const MEMORY_PART = 0.85;
/** Nobody but the owner, until the workers have set the permissions of a socket's file; folders have to be entered. */
const CLOSED_UMASK = 0o077;

/**
 * Runs the workers until they have ended; answers the exit code.
 *
 * @param onReady told once all of them take connections
 * @throws UsageError where there is no shared memory
 */
export async function superviseWorkers(
  args: Arguments,
  workers: number,
  logger: Logger,
  onReady: (addresses: readonly ListeningAddress[]) => void,
): Promise<number> {
  // The files of sockets are made by this process, which has the handles. One whose permissions the umask decides stays so.
  if (args.unix === undefined || args.unixMode !== undefined) process.umask(CLOSED_UMASK);
  const capacityBytes = capacityFor(args);
  const { workerSilenceMs: silenceMs, given } = args;
  const { configText } = given;
  const carrier = args.data ? 'store' : args.nats ? 'nats' : undefined;
  const options = { workers, silenceMs, capacityBytes, carrier, configText, logger, onReady } as const;
  let supervisor: Supervisor;
  try {
    const { cleanup, openLog, openSegment } = await import('@chat/shm');
    // A supervisor that was killed left its log behind, once its workers had ended too.
    cleanup({ prefix: LOG_PREFIX, removeAbandoned: true });
    const columns = new AddressColumns(workers, (payloadBytes) => openSegment(newName(), { payloadBytes }));
    supervisor = new Supervisor(options, (name) => openLog(name, { capacityBytes }), columns);
  } catch (error) {
    throw new UsageError(`--workers needs shared memory: ${(error as Error).message}`, EXIT_USAGE);
  }
  const leave = (): void => supervisor.leave();
  process.on('SIGINT', leave);
  process.on('SIGTERM', leave);
  process.on('SIGHUP', () => {
    if (args.tlsCert === undefined) leave();
    else supervisor.reload();
  });
  process.on('SIGUSR2', () => void supervisor.restart());
  return supervisor.run();
}

/** What is each worker's of what the machine has. */
export function shareOfMachine({ limits, workers = 1 }: Arguments): ChatServerOptions {
  const machine = process.constrainedMemory?.() || totalmem();
  const available = Math.min(machine, totalmem()) * MEMORY_PART;
  return shareOf({ maxMemoryBytes: limits.maxMemoryBytes ?? available }, workers);
}

/** Bytes of the log in shared memory. */
export function capacityFor({ limits }: Pick<Arguments, 'limits'>): number {
  const block = (limits.maxFrameBytes ?? 0) + BLOCK_OVERHEAD_BYTES;
  return Math.max(MIN_CAPACITY_BYTES, 2 ** Math.ceil(Math.log2(block * ENTRIES_PER_CAPACITY)));
}
