/**
 * The far end of a line: a process, or a worker thread for the line that only threads have. It opens its end,
 * says how long that took, and answers until it is ended.
 */
import { parentPort } from 'node:worker_threads';
import { pairOf } from '../../ways/index.js';
import type { FarChannel } from '../../ways/way.js';
import { answer } from './answering.js';
import { spin } from './spinning.js';

/** What the far end is told, and what it says when it is ready. */
export interface FarStart {
  /** Id of the pair. */
  readonly pair: string;
  readonly params: unknown;
}
export interface FarReady {
  readonly attachMs?: number;
  readonly error?: string;
}

const post = (message: unknown): void => {
  if (parentPort) parentPort.postMessage(message);
  else process.send?.(message);
};
const onMessage = (listener: (message: unknown) => void): void => {
  if (parentPort) parentPort.on('message', listener);
  else process.on('message', listener);
};

const channel: FarChannel = {
  post,
  onBytes: (listener) =>
    onMessage((message) => {
      if (message instanceof Uint8Array) listener(message, 0, message.length);
    }),
};

let started = false;
onMessage((message) => {
  if (started || message instanceof Uint8Array) return;
  started = true;
  void open(message as FarStart);
});
process.once('disconnect', () => process.exit());
process.on('SIGINT', () => {});

async function open({ pair, params }: FarStart): Promise<void> {
  try {
    const begin = performance.now();
    const line = await pairOf(pair).pair.ends.openFar(params as never, channel);
    const attachMs = performance.now() - begin;
    const turn = answer(line);
    post({ attachMs } satisfies FarReady);
    if (line.poll) await spin(turn, () => false);
  } catch (error) {
    post({ error: (error as Error).stack ?? String(error) } satisfies FarReady);
  }
}
