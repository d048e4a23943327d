/**
 * The channel of `@chat/shm`: polled, asleep until the doorbell rings with reads in batches, and as most people
 * will use it, with `send` and `for await`.
 */
import { type Channel, openChannel } from '@chat/shm';
import type { PayloadListener } from '../stream/frame-scanner.js';
import type { End, Line, PairParams, Way } from '../way.js';
import { capacityFor, memoryPair, whileReadable } from './memory-pair.js';

/** Polled, and asleep until the doorbell rings. */
export const polledChannel: Way = {
  id: 'shm-channel-polled',
  pair: memoryPair('channel (polled)', true, (params, end) => {
    const channel = open(params, end);
    let listener: PayloadListener = () => {};
    return {
      ...ofChannel(channel),
      receive(to) {
        listener = to;
      },
      poll: () => channel.read(listener) > 0,
    };
  }),
};

export const sleepingChannel: Way = {
  id: 'shm-channel',
  pair: memoryPair('channel (doorbell)', false, (params, end) => {
    const channel = open(params, end);
    return {
      ...ofChannel(channel),
      receive: (listener) => void whileReadable(channel, () => channel.read(listener)),
    };
  }),
};

export const iteratedChannel: Way = {
  id: 'shm-channel-for-await',
  pair: memoryPair('channel, for await', false, (params, end) => {
    const channel = open(params, end);
    let waiting: Promise<void> | undefined;
    return {
      ...ofChannel(channel),
      send(bytes) {
        if (waiting !== undefined) return false;
        if (channel.trySend(bytes)) return true;
        waiting = channel.send(bytes.slice()).finally(() => {
          waiting = undefined;
        });
        return true;
      },
      room: async () => waiting,
      async receive(listener) {
        for await (const message of channel) listener(message, 0, message.length);
      },
    };
  }),
};

function open({ unique, maxMessageBytes }: PairParams, end: End): Channel {
  return openChannel(unique, {
    side: end === 'near' ? 'a' : 'b',
    capacityBytes: capacityFor(maxMessageBytes),
    keepAlive: true,
  });
}

function ofChannel(channel: Channel): Pick<Line, 'send' | 'close'> {
  return {
    send: (bytes) => channel.trySend(bytes),
    async close() {
      channel.closeAndRemoveIfLast();
    },
  };
}
