/** The ways through shared memory. */
import { type Channel, openChannel } from '../src/channel/channel.js';
import { openRing } from '../src/ring/ring.js';
import { type Link, type Open, timed } from './link.js';

/** A ring keeps 256 KiB for small messages, so that it stays in the caches, and eight of the largest. */
const RING_BYTES = 2 ** 18;
const LARGE_RING_BYTES = 2 ** 20;
const CLOCK_BLOCK = 64;
const BATCH = 32;
const IDLE_SPINS = 1000;

/** Two rings, both sides polling. `batch` messages are published together. */
export function ring(capacityBytes: number, batch: number): Open {
  return async (directory, side) => {
    const name = `ring-${capacityBytes}-${batch}`;
    const out = openRing(`${name}-${side}`, { directory, capacityBytes });
    const incoming = openRing(`${name}-${side === 'a' ? 'b' : 'a'}`, { directory, capacityBytes });
    let received = 0;
    let sum = 0;
    // Looks at both ends of the message, as a reader would who parses it.
    const look = (bytes: Uint8Array, start: number, end: number): void => {
      sum = (sum + (bytes[start] as number) + (bytes[end - 1] as number)) | 0;
      received++;
    };
    const reply = new Uint8Array(new ArrayBuffer(capacityBytes / 8));
    const answer = (bytes: Uint8Array, start: number, end: number): void => {
      const length = end - start;
      const message = length === last.length ? last : reply.subarray(0, length);
      last = message;
      for (let i = 0; i < length; i++) message[i] = bytes[start + i] as number;
      while (!out.tryWrite(message));
      received++;
    };
    let last = reply.subarray(0, 0);
    return {
      async flood(message, count) {
        if (batch === 1) {
          for (let i = 0; i < count; i++) while (!out.tryWrite(message));
          return;
        }
        for (let i = 0; i < count; i += batch) {
          for (let k = 0; k < batch; k++) while (!out.tryStage(message)) out.publish();
          out.publish();
        }
      },
      async drain(count) {
        received = 0;
        while (received < count) if (incoming.read(look, 4096) === 0) spin(IDLE_SPINS);
      },
      async ping(message, count) {
        return timed(count, CLOCK_BLOCK, () => {
          while (!out.tryWrite(message));
          while (incoming.read(look, 1) === 0);
        });
      },
      async echo(count) {
        received = 0;
        const blocks = Math.ceil(count / CLOCK_BLOCK) * CLOCK_BLOCK;
        while (received < blocks) incoming.read(answer);
      },
      close() {
        out.close();
        incoming.close();
      },
    } satisfies Link;
  };
}

/** A channel as most people will use it: `send`, `for await`, asleep in between. */
export async function channel(directory: string, side: 'a' | 'b'): Promise<Link> {
  const open: Channel = openChannel('channel', {
    directory,
    side,
    keepAlive: true,
    capacityBytes: LARGE_RING_BYTES,
  });
  return {
    async flood(message, count) {
      for (let i = 0; i < count; i++) if (!open.trySend(message)) await open.send(message);
    },
    async drain(count) {
      let received = 0;
      for await (const _ of open) if (++received === count) return open.release();
    },
    async ping(message, count) {
      const samples = new Float64Array(count);
      const messages = open.messages();
      for (let i = 0; i < count; i++) {
        const start = performance.now();
        await open.send(message);
        await messages.next();
        samples[i] = (performance.now() - start) * 1000;
      }
      open.release();
      await messages.return?.();
      return samples;
    },
    async echo(count) {
      let echoed = 0;
      for await (const message of open) {
        await open.send(message);
        if (++echoed === count) return open.release();
      }
    },
    close: () => open.close(),
  };
}

function spin(times: number): void {
  for (let i = 0; i < times; i++);
}

export const shmLinks: Readonly<Record<string, Open>> = {
  'ring, polling': ring(RING_BYTES, 1),
  [`ring, polling, ${BATCH} published together`]: ring(RING_BYTES, BATCH),
  'ring of 1 MiB, polling': ring(LARGE_RING_BYTES, 1),
  'channel, for await': channel,
};
