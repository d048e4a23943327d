/**
 * Requests of one HTTP connection, one at a time and in order (RFC 9112, 9.3.2), an upgrade included.
 *
 * Node's parser takes apart all that it is given at once, and makes two objects for each request in it, whether or not
 * anybody reads the answers. So it is given small pieces, and no more of them while a request is not answered: what a
 * client pipelines costs its bytes, and a few requests.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionContext } from '../../connection/context.js';
import { InputGate, type InputGateOwner } from '../../connection/input-gate.js';
import type { InputAccount } from '../../limits/input-account.js';
import { Price } from '../../limits/prices.js';

/** A shorter request cannot say its host, so a piece holds ten of them at the most. */
const PIECE_BYTES = 256;

type Feed = (chunk: Buffer) => void;

export class HttpGate implements InputGateOwner {
  readonly input: InputAccount;
  readonly #socket: Socket;
  readonly #input: InputGate;
  /** Node's own listener for what comes in. */
  #feed: Feed | undefined;
  #rest: Buffer = NOTHING;
  /** The request that is being answered, whose body may still be on its way. */
  #request: IncomingMessage | undefined;
  #answering = false;
  /** Requests that are parsed already, behind the one that is being answered. */
  readonly #behind: (() => void)[] = [];

  constructor(context: ConnectionContext, socket: Socket) {
    this.input = context.accounts.open(socket.remoteAddress ?? '');
    this.#socket = socket;
    this.#input = new InputGate(
      {
        pause: () => socket.pause(),
        resume: () => {
          if (this.#rest.length === 0) socket.resume();
        },
      },
      context.options.clock,
      this,
    );
    socket.once('close', () => this.close());
    // Node resumes the socket when a handler has read what there was of a body.
    socket.on('resume', this.#onResume);
  }

  /** Takes the place of Node's parser at the socket; to be called each time that it stands there anew. */
  attach(): void {
    const socket = this.#socket;
    this.#answering = false;
    this.#feed = socket.listeners('data').at(-1) as Feed;
    socket.off('data', this.#feed);
    socket.on('data', this.#onData);
  }

  /** Gives the socket away; answers the bytes that were read and not parsed yet. */
  detach(): Buffer {
    this.#socket.off('data', this.#onData);
    this.#request = undefined;
    this.#feed = undefined;
    const rest = this.#rest;
    this.#rest = NOTHING;
    this.#socket.pause();
    return rest;
  }

  close(): void {
    this.#behind.length = 0;
    this.#rest = NOTHING;
    this.#input.stop();
    this.input.close();
  }

  /** Whether it is us who hold up the requests. */
  get isHeldUp(): boolean {
    return this.#input.isHeldUp || this.#rest.length > 0;
  }

  /** Whether a request is being answered, or waits to be. */
  get isBusy(): boolean {
    return this.#answering || this.#behind.length > 0;
  }

  /** Charges a request; false when it is to be refused. */
  tryCharge(): boolean {
    return this.input.tryCharge(Price.httpRequest);
  }

  /**
   * Calls `answer` when all requests before are answered.
   *
   * @param request whose body is read meanwhile
   */
  inTurn(answer: () => void, request?: IncomingMessage): void {
    const begin = (): void => {
      this.#answering = true;
      this.#request = request;
      answer();
    };
    if (this.#answering) this.#behind.push(begin);
    else begin();
  }

  /** A request is answered, and the answer has gone out. */
  answered(): void {
    this.#answering = false;
    this.#behind.shift()?.();
    this.#proceed();
  }

  // ── input ──

  takeNext(): boolean {
    if (this.#rest.length === 0 || !this.#feed) return false;
    if (
      this.#behind.length > 0 ||
      this.#isBodyFull ||
      (this.#answering && this.#request?.complete !== false)
    ) {
      return false;
    }
    const piece = this.#rest.subarray(0, PIECE_BYTES);
    this.#rest = this.#rest.subarray(PIECE_BYTES);
    this.#feed.call(this.#socket, piece);
    return true;
  }

  debtMs(): number {
    return this.input.debtMs();
  }

  failed(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.input.look();
    this.input.chargeChunk(chunk.length);
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#proceed();
  };

  #proceed(): void {
    if (!this.#feed) return;
    this.#input.run();
    // It may have been given away meanwhile.
    if (!this.#feed) return;
    if (this.#rest.length > 0) this.#socket.pause();
    else if (!this.#input.isHeldUp && !this.#isBodyFull) this.#socket.resume();
  }

  readonly #onResume = (): void => {
    if (this.#rest.length > 0) this.#proceed();
  };

  /** Whether the handler has enough of the body to read for now. */
  get #isBodyFull(): boolean {
    const request = this.#request;
    return request !== undefined && request.readableLength >= request.readableHighWaterMark;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);
