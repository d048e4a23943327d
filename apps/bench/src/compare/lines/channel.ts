/**
 * `process.send` between parent and child, and `MessagePort` between a thread and its worker: the channels
 * that Node itself brings. Nothing has to be opened; the far end is started with one.
 */
import type { FarChannel, Line, Mechanism } from '../line.js';

export const channelMechanism: Mechanism = {
  async openNear({ startFar }) {
    return channelLine(await startFar({}));
  },
  async openFar(_params: unknown, channel) {
    return channelLine(channel);
  },
};

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
