/**
 * `process.send` between parent and child, and `MessagePort` between a thread and its worker: the channels
 * that Node itself brings. Nothing has to be opened; the far end is started with one.
 */
import type { FarChannel, Line, Pair, Way } from './way.js';

const channelPair: Pair = {
  title: 'process.send',
  family: 'Node channel',
  level: 'bare',
  polls: false,
  ends: {
    openNear: async ({ startFar }) => channelLine(await startFar({})),
    openFar: async (_params: unknown, channel) => channelLine(channel),
  },
};

/** Between processes, and between threads. */
export const nodeChannelWays: readonly Way[] = [
  { id: 'process-send', pair: channelPair },
  { id: 'message-port', pair: { ...channelPair, title: 'MessagePort (threads)', inWorker: true } },
];

function channelLine(channel: FarChannel): Line {
  return {
    send(bytes) {
      channel.post(bytes);
      return true;
    },
    receive: (listener) => channel.onBytes(listener),
    async close() {},
  };
}
