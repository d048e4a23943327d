/**
 * Requests and responses over a channel, in both directions at once.
 *
 *     message   ┌ what it is (1 request, 2 response, 3 failure) ┬ number of the request ┬ body … ┐    two int32, little-endian
 *
 * Whoever makes this for a channel leaves reading it to this. Requests are handed to the handler in the order of the channel, and
 * answered in the order in which they are ready. A request is read when it is handed over: one whose handler was killed is not
 * answered, and the asker learns that the peer died.
 */
import type { Channel } from '../channel/channel.js';
import { ShmError } from '../errors.js';
import { assertOptions } from '../option-names.js';
import { checkBytes } from '../record/check.js';

/** Answers a request; what it throws is told to the asker as `ERR_SHM_REQUEST_FAILED` with the message of the error. */
export type RequestHandler = (request: Uint8Array) => Uint8Array | PromiseLike<Uint8Array>;

/** How to wait for a response. */
export interface RequestOptions {
  /** Stops waiting; its reason is thrown. The other side may answer all the same. */
  readonly signal?: AbortSignal;
  /**
   * Longest wait for the response.
   * @defaultValue no limit
   */
  readonly timeoutMs?: number;
}

const HEADER_BYTES = 8;
const REQUEST = 1;
const RESPONSE = 2;
const FAILURE = 3;
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Pending {
  resolve(response: Uint8Array): void;
  reject(error: unknown): void;
}

/** Asks and answers over one channel. Made by {@link requestsOver}. */
export class Requests {
  /** Longest request or response. */
  readonly maxBodyBytes: number;
  readonly #channel: Channel;
  readonly #handler: RequestHandler | undefined;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  /** @internal */
  constructor(channel: Channel, handler: RequestHandler | undefined) {
    this.#channel = channel;
    this.#handler = handler;
    this.maxBodyBytes = channel.maxMessageBytes - HEADER_BYTES;
    const gone = (how: string) => (pid: number) =>
      this.#rejectAll(new ShmError('ERR_SHM_PEER_GONE', `process ${pid} ${how} before it answered`));
    channel.on('peer-left', gone('left')).on('peer-died', gone('died'));
    void this.#read();
  }

  /** Requests that wait for a response. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Asks the other side, whoever has it, and waits for the response.
   *
   * @throws {@link ShmError} `ERR_SHM_REQUEST_TIMEOUT`, `ERR_SHM_REQUEST_FAILED` when its handler threw or there is none,
   * `ERR_SHM_PEER_GONE`, `ERR_SHM_TOO_LARGE`, `ERR_SHM_CLOSED`; the reason of `signal`
   */
  async request(body: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    assertOptions(options, 'requests.request');
    const { signal, timeoutMs } = options;
    checkBytes(body, 'a request');
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new RangeError(`timeoutMs is 0 or more, not ${timeoutMs}`);
    }
    signal?.throwIfAborted();
    this.#last = (this.#last + 1) | 0;
    const number = this.#last;
    const stop = new AbortController();
    const answered = new Promise<Uint8Array>((resolve, reject) => {
      this.#pending.set(number, { resolve, reject });
    });
    const give = (error: unknown): void => {
      this.#pending.get(number)?.reject(error);
      stop.abort(error);
    };
    const onAbort = (): void => give(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      timeoutMs === undefined || timeoutMs > MAX_TIMER_MS
        ? undefined
        : setTimeout(() => {
            give(new ShmError('ERR_SHM_REQUEST_TIMEOUT', `no response within ${timeoutMs} ms`));
          }, timeoutMs);
    try {
      // What fails here is told by the response that will not come.
      this.#channel.send(framed(REQUEST, number, body), { signal: stop.signal }).catch(give);
      return await answered;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#pending.delete(number);
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const message of this.#channel) this.#take(message);
      this.#rejectAll(new ShmError('ERR_SHM_CLOSED', `the channel ${this.#channel.name} is closed`));
    } catch (error) {
      this.#rejectAll(error);
    }
  }

  #take(message: Uint8Array): void {
    if (message.length < HEADER_BYTES) return;
    const view = new DataView(message.buffer, message.byteOffset, HEADER_BYTES);
    const number = view.getInt32(4, true);
    const body = message.subarray(HEADER_BYTES);
    const kind = view.getInt32(0, true);
    if (kind === REQUEST) void this.#answer(number, body);
    else if (kind === RESPONSE) this.#pending.get(number)?.resolve(body);
    else if (kind === FAILURE) {
      const error = new ShmError('ERR_SHM_REQUEST_FAILED', new TextDecoder().decode(body));
      this.#pending.get(number)?.reject(error);
    }
  }

  async #answer(number: number, request: Uint8Array): Promise<void> {
    let response: Uint8Array;
    try {
      if (this.#handler === undefined) throw new Error('this side has no handler for requests');
      const body = await this.#handler(request);
      checkBytes(body, 'a response');
      if (body.length > this.maxBodyBytes) {
        throw new RangeError(`a response of ${body.length} bytes exceeds maxBodyBytes ${this.maxBodyBytes}`);
      }
      response = framed(RESPONSE, number, body);
    } catch (error) {
      const text = new TextEncoder().encode(error instanceof Error ? error.message : String(error));
      response = framed(FAILURE, number, text.subarray(0, this.maxBodyBytes));
    }
    // Closed meanwhile: then there is nobody to be told.
    await this.#channel.send(response).catch(() => {});
  }

  #rejectAll(error: unknown): void {
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }
}

/**
 * Makes requests over `channel`, and answers those of the other side with `handler`. The channel is read by this from now on.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { connect, listen, requestsOver } from '@chat/shm';
 *
 * const server = listen('shout');
 * server.on('connection', (client) => {
 *   requestsOver(client, (request) => new TextEncoder().encode(new TextDecoder().decode(request).toUpperCase()));
 * });
 *
 * const connection = await connect('shout'); // usually in another process
 * const response = await requestsOver(connection).request(new TextEncoder().encode('hello'), { timeoutMs: 5000 });
 * assert.equal(new TextDecoder().decode(response), 'HELLO');
 * connection.close();
 * server.closeAndRemoveIfLast();
 * ```
 */
export function requestsOver(channel: Channel, handler?: RequestHandler): Requests {
  return new Requests(channel, handler);
}

function framed(kind: number, number: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(message.buffer);
  view.setInt32(0, kind, true);
  view.setInt32(4, number, true);
  message.set(body, HEADER_BYTES);
  return message;
}
