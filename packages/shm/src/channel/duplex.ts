/**
 * A channel as a stream of bytes, so that protocols written for sockets run over it.
 *
 * Messages are pieces of the stream, of any size; an empty one is its end. Backpressure goes both ways: what does not fit into shared memory is
 * waited for, and what the stream does not take stays there. A piece is read once the stream has it in its buffer.
 */
import { Duplex } from 'node:stream';
import { ShmError } from '../errors.js';
import type { Channel } from './channel.js';

/** Made by {@link duplexOf}. */
class ChannelDuplex extends Duplex {
  readonly #channel: Channel;
  /** Aborted when there is nobody any more to write to. */
  readonly #gone = new AbortController();
  #reading = false;

  constructor(channel: Channel) {
    super();
    this.#channel = channel;
    channel.once('close', () => this.destroy());
    const gone = (): void => this.#gone.abort(this.#goneError());
    channel.once('peer-left', gone).once('peer-died', gone);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // Nobody is left to be told of the end.
    if (this.#gone.signal.aborted) done();
    else this.#channel.send(new Uint8Array(0)).then(() => done(), done);
  }

  override _read(): void {
    if (!this.#reading) void this.#readOn();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#channel.close();
    done(error);
  }

  #goneError(): ShmError {
    const { name, peer } = this.#channel;
    return new ShmError('ERR_SHM_PEER_GONE', `the other side of ${name} ${peer.state} before the end`);
  }

  async #send(chunk: Uint8Array): Promise<void> {
    const { maxMessageBytes } = this.#channel;
    for (let at = 0; at < chunk.length; at += maxMessageBytes) {
      await this.#channel.send(chunk.subarray(at, at + maxMessageBytes), { signal: this.#gone.signal });
    }
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    try {
      for (let wanted = true; wanted; ) {
        const message = await this.#channel.receive({ endWithPeer: true });
        if (message === undefined) {
          if (this.#channel.closed) return;
          throw this.#goneError();
        }
        wanted = this.push(message.length === 0 ? null : message) && message.length > 0;
      }
    } catch (error) {
      this.destroy(error as Error);
    } finally {
      this.#reading = false;
    }
  }
}

/**
 * Makes a stream of a channel, on both sides: the channel is read and written by it from now on, and closed with it. When the other side ends
 * its stream, this one ends; when it left or died before, this one is destroyed with `ERR_SHM_PEER_GONE`, also by a
 * write.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { text } from 'node:stream/consumers';
 * import { duplexOf, openChannel, unlink } from '@chat/shm';
 *
 * const left = duplexOf(openChannel('stream', { side: 'a' }));
 * const right = duplexOf(openChannel('stream', { side: 'b' }));
 * left.end('hello');
 * assert.equal(await text(right), 'hello');
 * unlink('stream');
 * left.destroy();
 * right.destroy();
 * ```
 */
export function duplexOf(channel: Channel): Duplex {
  return new ChannelDuplex(channel);
}
