/**
 * Two rings of `@chat/shm`, one each way, both sides polling: what a channel is made of, without sleeping and
 * without news of the other side. Messages are published one by one, or 32 together.
 */
import { openRing } from '@chat/shm';
import type { PayloadListener } from '../stream/frame-scanner.js';
import type { Line, Way } from '../way.js';
import { directions, memoryPair } from './memory-pair.js';

/** A ring keeps 256 KiB for small messages, so that it stays in the caches, and eight of the largest in 1 MiB. */
const SMALL_BYTES = 2 ** 18;
const LARGE_BYTES = 2 ** 20;
const STAGED = 32;
const READ_LIMIT = 4096;

/** Each size and each way to publish. */
export const ringWays: readonly Way[] = [
  ringWay('shm-ring', 'ring, polling', SMALL_BYTES, 1),
  ringWay('shm-ring-staged', `ring, polling, ${STAGED} published together`, SMALL_BYTES, STAGED),
  ringWay('shm-ring-large', 'ring of 1 MiB, polling', LARGE_BYTES, 1),
];

function ringWay(id: string, title: string, capacityBytes: number, together: number): Way {
  return {
    id,
    pair: memoryPair(title, true, ({ unique }, end) => {
      const names = directions(unique, end);
      const outgoing = openRing(names.outgoing, { capacityBytes });
      const incoming = openRing(names.incoming, { capacityBytes });
      let listener: PayloadListener = () => {};
      let staged = 0;
      const flush = (): void => {
        outgoing.publish();
        staged = 0;
      };
      const sending: Pick<Line, 'send' | 'flush'> =
        together === 1
          ? { send: (bytes) => outgoing.tryWrite(bytes) }
          : {
              send(bytes) {
                const fits = outgoing.tryStage(bytes);
                if (fits) staged++;
                if (!fits || staged === together) flush();
                return fits;
              },
              flush,
            };
      return {
        ...sending,
        receive(to) {
          listener = to;
        },
        poll: () => incoming.read(listener, READ_LIMIT) > 0,
        async close() {
          outgoing.closeAndRemoveIfLast();
          incoming.closeAndRemoveIfLast();
        },
      };
    }),
  };
}
