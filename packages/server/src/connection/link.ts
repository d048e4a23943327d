/**
 * A connection as the dialects see it: bytes in, bytes out, and the one question that matters for fan-out,
 * whether bytes are still unsent. TCP, TLS and Unix sockets are one implementation, WebSocket another; tests
 * bring a third.
 */
import type { Socket } from 'node:net';
import type { CloseCode } from '@chat/protocol';
import { peerAddress } from '../limits/addresses/address-ranges.js';
import type { Slice } from '../log/byte-log.js';
import type { CarrierRequest } from '../session/peer.js';
import type { Clock } from '../time/clock.js';
import { SocketRequest } from './client-request.js';

/** Takes what happens on a {@link Link}. */
export interface LinkHandler {
  /** The chunk may be kept: the link never writes into it again. */
  onBytes(chunk: Uint8Array): void;
  /**
   * Units of the carrier itself are coming in, before the bytes in them.
   *
   * @param units all of them
   * @param trifles those that carry nothing
   */
  onUnits?(units: number, trifles: number): void;
  /** All that was unsent after a write has gone out. */
  onFlushed(): void;
  /**
   * The other side will send nothing more.
   *
   * @param isGoodbye its carrier has a close of its own, and said that the peer left on purpose
   */
  onEnd(isGoodbye?: boolean): void;
  /** The peer broke a rule of the carrier itself; it is to be closed for that. */
  onViolation(code: CloseCode, reason: string): void;
  /** The connection is gone. Called once, last. */
  onClosed(): void;
}

/** A connection to one peer. */
export interface Link {
  /** Address of the client, also of one behind a trusted proxy; empty for a Unix socket. */
  readonly address: string;
  /** Bytes that were written but not taken by the operating system yet. */
  readonly unsentBytes: number;
  /** How the client came; dropped once it is in. */
  request?: CarrierRequest | undefined;
  handler: LinkHandler | undefined;
  /** Sends bytes, borrowed for as long as they are unsent. When some stay unsent, `onFlushed` follows. */
  write(bytes: Uint8Array): void;
  /** The same for entries, where the carrier can share what it makes of them between its links. */
  writeSlice?(slice: Slice): void;
  /** The same for the parts of one frame, without putting them together where the carrier need not. */
  writeParts?(parts: readonly Uint8Array[]): void;
  /** Between cork and uncork, writes are collected into one. */
  cork(): void;
  uncork(): void;
  /** Stops and restarts `onBytes`. */
  pause(): void;
  resume(): void;
  /** Sends what is unsent, then closes; code and reason are for carriers that have a close of their own. */
  end(code?: number, reason?: string): void;
  /** Closes at once. */
  destroy(): void;
}

/** How long an ended link may take to send its last bytes before it is destroyed. */
const LINGER_MS = 5000;

/** The writing half that all links over a stream socket share. */
export abstract class SocketWriter implements Link {
  protected readonly socket: Socket;
  readonly address: string;
  request: CarrierRequest | undefined;
  handler: LinkHandler | undefined;
  #watching = false;

  constructor(
    socket: Socket,
    address: string = peerAddress(socket),
    request: CarrierRequest = new SocketRequest(socket),
  ) {
    this.socket = socket;
    this.address = address;
    this.request = request;
    (socket as LinkedSocket)[LINK] = this;
    // 'close' follows every 'error'; what it was tells nothing that the peer's session could act upon.
    socket.on('error', ignore).on('close', onClose);
  }

  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    const { socket } = this;
    if (socket.writableEnded || socket.destroyed) return;
    // Without a callback: that spares Node a tick for each write, and nearly every write is done at once.
    socket.write(bytes);
    if (socket.writableLength > 0 && socket.writableCorked === 0) this.#watch();
  }

  writeParts(parts: readonly Uint8Array[]): void {
    this.socket.cork();
    for (const part of parts) this.write(part);
    this.uncork();
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
    if (this.socket.writableLength > 0) this.#watch();
  }

  /**
   * Waits for what is unsent. 'drain' does not tell, since it comes only after more than the high-water mark
   * was unsent; the callback of an empty write behind it does.
   */
  #watch(): void {
    // Behind the end nothing can be written, and nobody waits any more.
    if (this.#watching || this.socket.writableEnded || this.socket.destroyed) return;
    this.#watching = true;
    this.socket.write(NOTHING, () => {
      this.#watching = false;
      if (this.socket.writableLength > 0) this.#watch();
      else this.handler?.onFlushed();
    });
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  abstract end(code?: number, reason?: string): void;

  destroy(): void {
    this.socket.destroy();
  }
}

/** A link over TCP, TLS or a Unix socket. */
export class SocketLink extends SocketWriter {
  readonly #clock: Clock;

  constructor(socket: Socket, clock: Clock) {
    super(socket);
    this.#clock = clock;
    socket.on('data', onData).on('end', onEnd);
  }

  override end(): void {
    if (!this.socket.writableEnded) endSocket(this.socket, this.#clock);
  }
}

/**
 * Sends what is unsent and `last`, closes, and destroys the socket when that takes too long: a fixed time, since
 * a peer that goes on sending would keep an idle timeout from ever coming.
 */
export function endSocket(socket: Socket, clock: Clock, last?: Uint8Array | string): void {
  if (socket.destroyed) return;
  if (last === undefined) socket.end();
  else socket.end(last);
  // Input that still comes is read and thrown away: unread, it would turn the last bytes into a reset.
  socket.resume();
  const cancel = clock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
}

/** Listeners are shared by all sockets and look their link up: an idle connection holds no closures of ours. */
const LINK = Symbol('link');
type LinkedSocket = Socket & { [LINK]?: SocketWriter };

function onData(this: LinkedSocket, chunk: Uint8Array): void {
  this[LINK]?.handler?.onBytes(chunk);
}

function onEnd(this: LinkedSocket): void {
  this[LINK]?.handler?.onEnd();
}

function onClose(this: LinkedSocket): void {
  const link = this[LINK];
  if (!link) return;
  link.handler?.onClosed();
  link.handler = undefined;
}

const NOTHING = new Uint8Array(0);

function ignore(): void {}
