/**
 * Messages as an async iterator: one at a time for the user, in batches underneath.
 *
 * A message that is at hand costs one resolved promise and no system call. Asking for the next one marks the one before as read. So the
 * message that its loop body was busy with comes again, to this process if the body threw or left, and to its successor if it was
 * killed: at least once. (The language does not tell an iterator whether a loop was left by `break` or by an error.)
 */
import { ShmError } from '../errors.js';
import { TurnCounter } from '../waiting/turn-counter.js';

/** How to wait for messages. */
export interface MessagesOptions {
  /** Ends the waiting; its reason is thrown. */
  readonly signal?: AbortSignal;
  /**
   * Whether it is over once the peer of a channel has left or died and all its messages are read. Otherwise the next peer is waited for.
   * @defaultValue false
   */
  readonly endWithPeer?: boolean;
}

/** What a loop needs of what it reads. */
export interface MessagesHost<T> {
  /** The loop that runs over it: one at a time. */
  loop?: Messages<T> | undefined;
  /** Makes it ready to be read. False when it is closed. */
  open(): boolean;
  take(): T | undefined;
  release(): void;
  readable(options: MessagesOptions): Promise<boolean>;
  /** What was taken and not released comes again. */
  rewind(): void;
  /** The error of a second loop. */
  loopingError(): ShmError;
}

/** After so many messages that were at hand the event loop gets a turn: a flood would otherwise starve timers and sockets. */
const MESSAGES_PER_TURN = 1024;
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Made by {@link Pipe.messages}. */
export class Messages<T> implements AsyncIterableIterator<T> {
  readonly #host: MessagesHost<T>;
  readonly #options: MessagesOptions;
  readonly #turns = new TurnCounter(MESSAGES_PER_TURN);
  #waiting: Promise<unknown> | undefined;
  #ended = false;

  constructor(host: MessagesHost<T>, options: MessagesOptions) {
    this.#host = host;
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next message; the one before is read. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting !== undefined) return this.#waiting.then(() => this.next());
    if (this.#ended) return Promise.resolve(DONE);
    let turn: Promise<void> | undefined;
    try {
      if (!this.#begin()) {
        this.#end(false);
        return Promise.resolve(DONE);
      }
      this.#options.signal?.throwIfAborted();
      this.#host.release();
      turn = this.#turns.next();
      if (turn === undefined) {
        const value = this.#host.take();
        if (value !== undefined) return Promise.resolve({ done: false, value });
      }
    } catch (error) {
      this.#fail(error);
      return Promise.reject(error);
    }
    const result = this.#wait(turn);
    this.#waiting = result.catch(() => {});
    return result;
  }

  /** Leaves the loop; the message at hand comes again, unless it was released. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#end(true);
    return DONE;
  }

  async #wait(turn: Promise<void> | undefined): Promise<IteratorResult<T, undefined>> {
    try {
      await turn;
      while (!this.#ended && (await this.#host.readable(this.#options))) {
        // Left while it waited: what has come is for the next loop.
        if (this.#ended) break;
        const value = this.#host.take();
        if (value !== undefined) return { done: false, value };
      }
      this.#end(false);
      return DONE;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#waiting = undefined;
    }
  }

  #fail(error: unknown): void {
    // What cannot be decoded would come again for ever.
    if (ShmError.is(error) && error.code === 'ERR_SHM_PAYLOAD') this.#host.release();
    this.#end(true);
  }

  /** Becomes the one loop, or stays it. False when there is nothing to be read any more. */
  #begin(): boolean {
    const { loop = this } = this.#host;
    if (loop !== this) throw this.#host.loopingError();
    if (!this.#host.open()) return false;
    this.#host.loop = this;
    return true;
  }

  #end(rewind: boolean): void {
    this.#ended = true;
    if (this.#host.loop !== this) return;
    this.#host.loop = undefined;
    if (rewind) this.#host.rewind();
  }
}
