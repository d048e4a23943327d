/** The latest value of `@chat/shm`, one each way: a later value replaces an earlier one, so it is only polled. */
import { openLatest } from '@chat/shm';
import type { PayloadListener } from '../stream/frame-scanner.js';
import type { Pair, Way } from '../way.js';
import { directions, memoryPair } from './memory-pair.js';

const pair: Pair = memoryPair('latest value (polled)', true, ({ unique, maxMessageBytes }, end) => {
  const names = directions(unique, end);
  const outgoing = openLatest(names.outgoing, { maxValueBytes: maxMessageBytes });
  const incoming = openLatest(names.incoming, { maxValueBytes: maxMessageBytes });
  const value = new Uint8Array(maxMessageBytes);
  let listener: PayloadListener = () => {};
  let seen = incoming.version;
  return {
    send(bytes) {
      outgoing.write(bytes);
      return true;
    },
    receive(to) {
      listener = to;
    },
    poll() {
      const { version } = incoming;
      if (version === seen) return false;
      seen = version;
      listener(value, 0, incoming.readInto(value) ?? 0);
      return true;
    },
    async close() {
      for (const latest of [outgoing, incoming]) {
        latest.segment.unlink();
        latest.close();
      }
    },
  };
});

export const latestValue: Way = { id: 'shm-latest', pair: { ...pair, latestOnly: true } };
