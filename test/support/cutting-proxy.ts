/**
 * A proxy that passes bytes on and breaks connections in the middle of them: after a number of bytes that the test
 * chooses, in either direction, without a goodbye. It can also reset them, and hold them up for a while.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a server. */
export interface CuttingProxy {
  readonly port: number;
  /** Connections that were broken so far. */
  readonly cuts: number;
  /** From now on nothing is broken. */
  calm(): void;
  /** Breaks all connections now. */
  cutAll(): void;
  close(): Promise<void>;
}

/** What becomes of a connection. */
export interface Fate {
  /** After so many bytes, both directions together. */
  readonly bytes: number;
  /** `stall`: it is held up, and goes on with another fate. */
  readonly how: 'cut' | 'reset' | 'stall';
  readonly stallMs?: number;
}

/**
 * @param target - port of the server on loopback, asked for each connection where it is a function
 * @param fateOf - called for each connection, and again after each time that it was held up; a number of bytes is a cut
 */
export async function startCuttingProxy(
  target: number | (() => number),
  fateOf: () => number | Fate,
): Promise<CuttingProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let cuts = 0;
  let calm = false;
  const server = createServer({ noDelay: true }, (near) => {
    const port = typeof target === 'number' ? target : target();
    const far = connect({ host: '127.0.0.1', port, noDelay: true });
    const pair = [near, far] as const;
    let fate = nextFate(fateOf);
    let left = fate.bytes;
    pairs.add(pair);
    const end = (how: 'destroy' | 'resetAndDestroy') => {
      if (!pairs.delete(pair)) return;
      near[how]();
      far[how]();
    };
    const cut = () => end('destroy');
    const holdUp = () => {
      for (const socket of pair) socket.pause();
      setTimeout(() => {
        for (const socket of pair) socket.resume();
      }, fate.stallMs);
      fate = nextFate(fateOf);
      left = fate.bytes;
    };
    const pass = (to: Socket) => (chunk: Buffer) => {
      if (calm || chunk.length < left) {
        left -= chunk.length;
        to.write(chunk);
        return;
      }
      if (fate.how === 'stall') {
        to.write(chunk);
        holdUp();
        return;
      }
      const { how } = fate;
      // The part before the cut still arrives: half a frame is what a torn connection leaves.
      to.write(chunk.subarray(0, left), () => {
        cuts++;
        end(how === 'reset' ? 'resetAndDestroy' : 'destroy');
      });
      left = 0;
    };
    near.on('data', pass(far));
    far.on('data', pass(near));
    for (const socket of pair) socket.on('error', cut).on('close', cut);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cutAll = () => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
    pairs.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    calm: () => {
      calm = true;
    },
    cutAll,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cutAll();
      }),
  };
}

function nextFate(fateOf: () => number | Fate): Fate {
  const fate = fateOf();
  return typeof fate === 'number' ? { bytes: fate, how: 'cut' } : fate;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}
