/**
 * The far end of a line: a process, or a worker thread for the line that only threads have. It opens its end,
 * says how long that took, and answers until it is ended.
 */
import { parentPort } from 'node:worker_threads';
import { answer } from './answering.js';
import type { FarChannel, Mechanism } from './line.js';
import { MECHANISMS, type MechanismName } from './lines/index.js';
import { spin } from './spinning.js';

/** What the far end is told, and what it says when it is ready. */
export interface FarStart {
  readonly mechanism: MechanismName;
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

async function open({ mechanism, params }: FarStart): Promise<void> {
  try {
    const begin = performance.now();
    const line = await (MECHANISMS[mechanism] as Mechanism).openFar(params as never, channel);
    const attachMs = performance.now() - begin;
    const flush = answer(line);
    post({ attachMs } satisfies FarReady);
    const { poll } = line;
    if (!poll) return;
    await spin(
      () => {
        flush();
        return poll();
      },
      () => false,
    );
  } catch (error) {
    post({ error: (error as Error).stack ?? String(error) } satisfies FarReady);
  }
}
