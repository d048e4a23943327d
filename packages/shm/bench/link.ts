/** One way of sending messages between two parties, as the benchmark sees it. The peer does the opposite of what is measured. */
export interface Link {
  /** Sends `count` messages as fast as it can. */
  flood(message: Uint8Array, count: number): Promise<void>;
  /** Receives until it has `count` messages. */
  drain(count: number): Promise<void>;
  /** Sends a message and waits for its echo, `count` times; how long each took, in microseconds. */
  ping(message: Uint8Array, count: number): Promise<Float64Array>;
  /** Sends `count` messages back. */
  echo(count: number): Promise<void>;
  close(): void;
}

/** Where the two parties meet: a folder for segments and sockets. */
export type Open = (directory: string, side: 'a' | 'b') => Promise<Link>;

/** Times `exchange`, `count` times; with `block` > 1 the mean of so many at a time, where the clock costs too much for one. */
export function timed(count: number, block: number, exchange: () => void): Float64Array {
  const samples = new Float64Array(Math.ceil(count / block));
  for (let i = 0; i < samples.length; i++) {
    const start = performance.now();
    for (let k = 0; k < block; k++) exchange();
    samples[i] = ((performance.now() - start) * 1000) / block;
  }
  return samples;
}
