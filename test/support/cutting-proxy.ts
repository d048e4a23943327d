/**
 * A proxy that passes bytes on and breaks connections in the middle of them: after a number of bytes that the test
 * chooses, in either direction, without a goodbye.
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

/**
 * @param target - port of the server on loopback
 * @param bytesUntilCut - called for each connection: after how many bytes, both directions together, it breaks
 */
export async function startCuttingProxy(target: number, bytesUntilCut: () => number): Promise<CuttingProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let cuts = 0;
  let calm = false;
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port: target, noDelay: true });
    const pair = [near, far] as const;
    let left = bytesUntilCut();
    pairs.add(pair);
    const cut = () => {
      if (!pairs.delete(pair)) return;
      near.destroy();
      far.destroy();
    };
    const pass = (to: Socket) => (chunk: Buffer) => {
      if (calm || chunk.length < left) {
        left -= chunk.length;
        to.write(chunk);
        return;
      }
      // The part before the cut still arrives: half a frame is what a torn connection leaves.
      to.write(chunk.subarray(0, left), () => {
        cuts++;
        cut();
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
