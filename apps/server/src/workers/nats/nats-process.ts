/**
 * The process that speaks with NATS for all workers of a machine. It serves no client and decides nothing; when it is
 * killed, another one goes on behind what it had handed on.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, ServerError, ServerErrorCode } from '@chat/server';
import { type NatsLogOptions, type NatsRelay, openNatsRelay } from '@chat/server/nats';
import type { Log } from '@chat/shm';
import { Registry } from 'prom-client';
import { registerNatsMetrics } from '../../metrics/nats-metrics.js';
import { obeySupervisor, tellSupervisor } from '../carrier/carrier-process.js';
import { encodeRecord, handedOnIn } from '../carrier/stream-record.js';
import type { ToCarrier } from '../messages.js';
import { placeOf } from '../place.js';
import { BlockRelay } from './block-relay.js';

/** Bytes of blocks that wait for a worker that does not read; beyond, this process is begun anew. */
const MAX_QUEUED_BYTES = 134_217_728;
const EXIT_FAILED = 1;
/** Time for workers to be told why. */
const LAST_WORDS_MS = 100;

/**
 * Carries blocks until the supervisor has it leave, or is gone.
 *
 * @throws ServerError as `openNatsLog` does
 */
export async function runNatsProcess(options: NatsLogOptions, logger: Logger): Promise<void> {
  const { log, wanted: wantedName = '', capacityBytes, epoch } = placeOf();
  const { openLog } = await import('@chat/shm');
  const open = (name: string): Log =>
    openLog(name, { capacityBytes, keepAlive: true, maxQueuedBytes: MAX_QUEUED_BYTES });
  const [stream, wanted] = [open(log), open(wantedName)];
  // What comes before it is open waits.
  const early: ToCarrier[] = [];
  let obey = (message: ToCarrier): unknown => early.push(message);
  obeySupervisor([stream, wanted], (message) => obey(message));
  const after = epoch === '' ? undefined : handedOnIn(stream);
  const upstream = await openBehind(options, after, stream, logger);
  if (!upstream) return;
  const relay = new BlockRelay(upstream, {
    ...{ stream, wanted, goesOn: after !== undefined },
    tell: tellSupervisor,
    onFailed: (reason) => {
      logger.error({ reason }, 'the process that speaks with NATS cannot go on');
      setTimeout(() => process.exit(EXIT_FAILED), LAST_WORDS_MS);
    },
  });
  const register = new Registry();
  registerNatsMetrics(register, { stats: () => upstream.stats, isOpen: () => relay.isOpen });
  obey = (message) => {
    if (message.kind === 'ping') tellSupervisor({ kind: 'pong' });
    else if (message.kind === 'metrics-wanted') void tellMetrics(message.id, register);
    else relay.obey(message);
  };
  const { stream: name = 'chat' } = options;
  logger.info(
    { stream: name, epoch: upstream.epoch, pid: process.pid },
    'NATS is reached: the chat is shared',
  );
  tellSupervisor({ kind: 'carrier-open', epoch: upstream.epoch });
  for (const message of early) obey(message);
  await relay.run();
  stream.close();
  wanted.close();
  process.exit(0);
}

/** @returns `undefined` where nothing can go on with these logs, which the supervisor is told */
async function openBehind(
  options: NatsLogOptions,
  after: number | undefined,
  stream: Log,
  logger: Logger,
): Promise<NatsRelay | undefined> {
  const settings = { ...options, onWarning: (problem: string) => logger.warn({}, problem) };
  if (after === undefined) return openNatsRelay(settings);
  try {
    return await openNatsRelay({ ...settings, after });
  } catch (error) {
    const isBehind = ServerError.is(error) && error.code === ServerErrorCode.NatsStream;
    if (isBehind && (await isReadable(settings))) {
      tellSupervisor({ kind: 'carrier-lost' });
      return undefined;
    }
    // Workers hear nothing of NATS while nobody speaks with it.
    const reason = error instanceof Error ? error.message : String(error);
    await stream.append(encodeRecord({ kind: 'condition', condition: { state: 'stalled', reason } }));
    await pause(0);
    throw error;
  }
}

/** Whether the stream can be read from its newest snapshot on. */
async function isReadable(options: NatsLogOptions): Promise<boolean> {
  try {
    await (await openNatsRelay(options)).close();
    return true;
  } catch {
    return false;
  }
}

async function tellMetrics(id: number, register: Registry): Promise<void> {
  tellSupervisor({ kind: 'metrics', id, text: await register.metrics() });
}
