/**
 * One life of a transport: preface and hello, welcome, frames in both directions, and exactly one end.
 *
 * It knows frames and nothing of rooms; entries of the log, the hot ones, are handed on as bytes. Frames of
 * one turn go out in one write. It ends once, with an error that says why, and never comes back: the
 * next attempt is another `Connection`.
 */

import { CLOSE_CODE_OF_ERROR, type CloseCode, ProtocolError } from '@chat/protocol';
import {
  encodeClose,
  encodeHello,
  encodePing,
  encodePong,
  type FrameType,
  type Hello,
  readFrames,
  readServerFrame,
  type ServerFrame,
  type Welcome,
} from '@chat/protocol/frames';
import { type Clock, monotonicMs } from '../clock.js';
import { ClientError } from '../errors.js';
import { checkShape, WELCOME_SHAPE } from './check-json.js';
import type { Cutter } from './cutter.js';
import { CLOSE, GO_AWAY, MESSAGE, NOTICE, PING, PONG, WELCOME } from './frame-types.js';
import { Heartbeat } from './heartbeat.js';
import { closeError } from './refusals.js';
import type { Transport, TransportSink } from './transport.js';

/** Frames that are handed on decoded. */
export type AnswerFrame = Exclude<
  ServerFrame,
  {
    readonly type:
      | typeof FrameType.Welcome
      | typeof FrameType.Close
      | typeof FrameType.Ping
      | typeof FrameType.Pong;
  }
>;

/** The session that lives on a connection. */
export interface ConnectionHandler {
  onWelcome(connection: Connection, welcome: Welcome): void;
  /** A message or notice frame at `offset`. */
  onEntry(type: number, bytes: Uint8Array, offset: number, length: number): void;
  onFrame(frame: AnswerFrame): void;
  /** The end, told once; not told after {@link Connection.close}. */
  onEnd(connection: Connection, error: ClientError): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly maxFrameBytes: number;
  /** How long the server may be silent; 0: as long as it says. */
  readonly heartbeat: { readonly timeoutMs: number };
}

/**
 * Largest write that several frames are joined to: as one WebSocket message, it arrives whole or not at all.
 */
const MAX_BATCH_BYTES = 16_384;
/**
 * Bytes that wait in the transport, beyond which the connection is behind and takes nothing that may get
 * lost.
 */
const MAX_VOLATILE_BACKLOG_BYTES = 65_536;
// By number: the names of close codes are a table that pages need not load.
const NORMAL: CloseCode = 1000;
const PROTOCOL_ERROR: CloseCode = 4000;

/** How long a goodbye may take before the connection is dropped. */
const GOODBYE_TIMEOUT_MS = 1000;

export class Connection implements TransportSink {
  readonly #handler: ConnectionHandler;
  readonly #clock: Clock;
  readonly #maxFrameBytes: number;
  readonly #heartbeatTimeoutMs: number;
  readonly #aborting = new AbortController();
  readonly #pings = new Map<number, (error?: ClientError) => void>();
  #connectTimer: unknown;
  #transport: Transport | undefined;
  #heartbeat: Heartbeat | undefined;
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #welcomed = false;
  #retryAfterMs = 0;
  #nonce = 0;
  #onTransportClosed: (() => void) | undefined;

  /** Makes whole frames of what was cut: a transport that is not framed needs it from the start. */
  cutter: Cutter | undefined;
  ended = false;

  constructor(handler: ConnectionHandler, options: ConnectionOptions) {
    this.#handler = handler;
    this.#clock = options.clock;
    this.#maxFrameBytes = options.maxFrameBytes;
    this.#heartbeatTimeoutMs = options.heartbeat.timeoutMs;
    const { connectTimeoutMs } = options;
    this.#connectTimer = options.clock.setTimeout(() => {
      const message = `no welcome within connectTimeoutMs ${connectTimeoutMs}`;
      this.fail(new ClientError('ERR_CLIENT_CONNECT_TIMEOUT', message));
    }, connectTimeoutMs);
  }

  /** Aborted when the connection ends: whatever is still being opened for it is to be given up. */
  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  /** Begins the handshake on a transport that has just been opened. */
  start(transport: Transport, hello: Hello): void {
    if (this.ended) {
      transport.destroy();
      return;
    }
    this.#transport = transport;
    if (!transport.framed) this.#queue(this.cutter!.preface);
    this.#queue(encodeHello(hello));
    this.#flush();
  }

  /** Sends one frame, together with all others of this turn. */
  readonly send = (frame: Uint8Array): void => {
    if (this.ended) return;
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
    this.#queue(frame);
  };

  /** Sends a frame that may get lost, unless the connection is behind. @returns whether it did */
  sendVolatile(frame: Uint8Array): boolean {
    if (this.#transport!.bufferedBytes > MAX_VOLATILE_BACKLOG_BYTES) return false;
    this.send(frame);
    return true;
  }

  /** Measures the way to the server and back, in milliseconds. */
  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      const sentAt = monotonicMs(this.#clock);
      this.#pings.set(this.#sendPing(), (error) =>
        error ? reject(error) : resolve(monotonicMs(this.#clock) - sentAt),
      );
    });
  }

  /** Asks a server that may be gone for a sign of life. */
  check(): void {
    this.#heartbeat?.check();
  }

  /** Says goodbye. @returns a promise that is resolved when the transport is closed */
  async close(): Promise<void> {
    if (this.ended) return;
    if (!this.#welcomed || this.#transport === undefined) {
      this.#end();
      this.#transport?.destroy();
      return;
    }
    this.#queue(encodeClose(NORMAL, 0, ''));
    this.#flush();
    this.#end();
    const transport = this.#transport;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(() => {
        transport.destroy();
        resolve();
      }, GOODBYE_TIMEOUT_MS);
      this.#onTransportClosed = () => {
        this.#clock.clearTimeout(timer);
        resolve();
      };
      transport.end();
    });
  }

  /** Ends the connection at once because of `error`. */
  fail(error: ClientError): void {
    if (this.ended) return;
    this.#end(error);
    this.#transport?.destroy();
    this.#handler.onEnd(this, error);
  }

  data(chunk: Uint8Array): void {
    if (this.ended) return;
    if (this.#heartbeat) this.#heartbeat.heard = true;
    try {
      const bytes = this.cutter ? this.cutter.cut(chunk) : chunk;
      readFrames(bytes, this.#maxFrameBytes, (type, offset, length) => {
        if (this.ended) return;
        if (type !== WELCOME && type !== CLOSE && !this.#welcomed) throw unexpected(type);
        if (type === MESSAGE || type === NOTICE) {
          this.#handler.onEntry(type, bytes, offset, length);
        } else this.#frame(readServerFrame(type, bytes, offset, offset + length));
      });
    } catch (cause) {
      if (!this.ended) this.#breach(cause);
    }
  }

  closed(error?: Error): void {
    if (this.#onTransportClosed) {
      this.#onTransportClosed();
      return;
    }
    const message = `the connection ended${this.#welcomed ? '' : ' before the welcome'}`;
    const code = this.#welcomed ? 'ERR_CLIENT_CONNECTION_LOST' : 'ERR_CLIENT_CONNECT_FAILED';
    this.fail(
      new ClientError(code, error ? `${message}: ${error.message}` : message, {
        retryAfterMs: this.#retryAfterMs || undefined,
        cause: error,
      }),
    );
  }

  #frame(frame: ServerFrame): void {
    switch (frame.type) {
      case WELCOME:
        if (this.#welcomed) throw unexpected(frame.type);
        checkShape(WELCOME_SHAPE, frame.welcome, 'welcome');
        this.#open(frame.welcome);
        break;
      case CLOSE: {
        const retryAfterMs = Math.max(frame.retryAfterMs, this.#retryAfterMs);
        this.fail(closeError(frame.code, frame.reason, retryAfterMs));
        break;
      }
      case PING:
        this.send(encodePong(frame.nonce));
        break;
      case PONG: {
        const answered = this.#pings.get(frame.nonce);
        this.#pings.delete(frame.nonce);
        answered?.();
        break;
      }
      default:
        if (frame.type === GO_AWAY) this.#retryAfterMs = frame.retryAfterMs;
        this.#handler.onFrame(frame);
    }
  }

  #open(welcome: Welcome): void {
    this.#welcomed = true;
    this.#clock.clearTimeout(this.#connectTimer);
    const timeoutMs = this.#heartbeatTimeoutMs || welcome.limits.idleTimeoutMs;
    this.#heartbeat = new Heartbeat(
      this.#clock,
      timeoutMs,
      () => this.#sendPing(),
      () => this.fail(new ClientError('ERR_CLIENT_CONNECTION_LOST', 'the server is silent')),
    );
    this.#handler.onWelcome(this, welcome);
  }

  #sendPing(): number {
    this.#nonce = (this.#nonce + 1) >>> 0;
    this.send(encodePing(this.#nonce));
    return this.#nonce;
  }

  /** The server broke the protocol: it is told how, and that was it. */
  #breach(cause: unknown): void {
    const isProtocol = ProtocolError.is(cause);
    const code = isProtocol ? CLOSE_CODE_OF_ERROR[cause.code] : PROTOCOL_ERROR;
    const reason = cause instanceof Error ? cause.message : String(cause);
    // A peer that is no chat server may never end its side: the connection is dropped.
    let what = 'not a chat server';
    if (this.#welcomed) {
      what = 'the server broke the protocol';
      this.#queue(encodeClose(code, 0, reason.slice(0, 200)));
      this.#flush();
      this.#transport?.end();
      this.#transport = undefined;
    }
    this.fail(new ClientError('ERR_CLIENT_PROTOCOL', `${what}: ${reason}`, { cause }));
  }

  #end(error?: ClientError): void {
    this.ended = true;
    this.#clock.clearTimeout(this.#connectTimer);
    this.#heartbeat?.stop();
    const reason = error ?? new ClientError('ERR_CLIENT_CLOSED', 'the client is closed');
    for (const settle of this.#pings.values()) settle(reason);
    this.#pings.clear();
    this.#outgoing = [];
    this.#aborting.abort(reason);
  }

  #queue(frame: Uint8Array): void {
    this.#outgoing.push(frame);
    this.#outgoingBytes += frame.length;
  }

  /** Joins what was sent in this turn into as few writes as the bound allows. */
  #flush(): void {
    const frames = this.#outgoing;
    if (this.#transport === undefined || frames.length === 0) return;
    if (this.#heartbeat) this.#heartbeat.said = true;
    this.#outgoing = [];
    let left = this.#outgoingBytes;
    this.#outgoingBytes = 0;
    for (let i = 0; i < frames.length; ) {
      const first = frames[i]!;
      if (left === first.length) {
        this.#transport.write(first);
        return;
      }
      const batch = new Uint8Array(Math.max(first.length, Math.min(left, MAX_BATCH_BYTES)));
      let used = 0;
      while (i < frames.length && used + frames[i]!.length <= batch.length) {
        batch.set(frames[i]!, used);
        used += frames[i++]!.length;
      }
      left -= used;
      this.#transport.write(batch.subarray(0, used));
    }
  }
}

function unexpected(type: number): ClientError {
  return new ClientError('ERR_CLIENT_PROTOCOL', `frame type 0x${type.toString(16)} at the wrong time`);
}
