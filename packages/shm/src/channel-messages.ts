/**
 * The messages of a channel as an async iterator: one at a time for the user, in batches underneath.
 *
 * A message that is at hand costs one resolved promise and no system call. Asking for the next one marks the one before as read, so that what
 * its loop body was busy with when the process was killed comes again to its successor. After every {@link TURN_MESSAGES} messages the
 * event loop gets a turn: a flood of messages would otherwise starve timers and sockets.
 */
import type { Channel } from './channel.js';

/** How to wait for messages. */
export interface MessagesOptions {
  /** Ends the waiting; its reason is thrown. */
  readonly signal?: AbortSignal;
  /**
   * Whether it is over once the peer has left or died and all its messages are read. Otherwise the next peer is waited for.
   * @defaultValue false
   */
  readonly endWithPeer?: boolean;
}

const TURN_MESSAGES = 1024;
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Made by {@link Channel.messages}. */
export class ChannelMessages implements AsyncIterableIterator<Uint8Array> {
  readonly #channel: Channel;
  readonly #options: MessagesOptions;
  #sinceTurn = 0;
  #waiting: Promise<unknown> | undefined;
  #ended = false;

  constructor(channel: Channel, options: MessagesOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next message; the one before is read. */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#waiting !== undefined) return this.#waiting.then(() => this.next());
    if (this.#ended || this.#channel.closed) return Promise.resolve(DONE);
    try {
      this.#options.signal?.throwIfAborted();
      this.#channel.release();
      if (++this.#sinceTurn < TURN_MESSAGES) {
        const value = this.#channel.take();
        if (value !== undefined) return Promise.resolve({ done: false, value });
      }
    } catch (error) {
      this.#ended = true;
      return Promise.reject(error);
    }
    const result = this.#wait();
    this.#waiting = result.catch(() => {});
    return result;
  }

  /** Leaves the loop; the last message is read. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#ended = true;
    if (!this.#channel.closed) this.#channel.release();
    return DONE;
  }

  async #wait(): Promise<IteratorResult<Uint8Array, undefined>> {
    const channel = this.#channel;
    try {
      if (this.#sinceTurn >= TURN_MESSAGES) await new Promise((resolve) => setImmediate(resolve));
      this.#sinceTurn = 0;
      while (await channel.readable(this.#options)) {
        const value = channel.take();
        if (value !== undefined) return { done: false, value };
      }
      this.#ended = true;
      return DONE;
    } catch (error) {
      this.#ended = true;
      throw error;
    } finally {
      this.#waiting = undefined;
    }
  }
}
