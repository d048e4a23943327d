/**
 * Where connections stand until it is known what they speak, and whether there is room for them.
 *
 * A connection over a limit is told so in its own dialect, as soon as its first byte shows which that is. Those
 * who wait here are bounded: in a crowd, whoever has been silent for a while makes room for the next one. Those
 * who are to be refused are bounded apart, so that one address cannot take the places of others. Only beyond
 * these bounds are connections dropped without a word.
 */
import type { Socket } from 'node:net';
import { CloseCode, closeCodeInfo, encodeFrame, FrameType, formatNoticeLine } from '@chat/protocol';
import type { Chat } from './chat.js';
import { type DialectName, detectDialect } from './dialect.js';
import { BinaryPeer } from './dialects/binary.js';
import { type HttpDialect, httpRefusal } from './dialects/http.js';
import { LinePeer } from './dialects/line.js';
import { endSocket, SocketLink } from './link.js';

/** With so many on the doorstep, newcomers take the place of those who have been silent for longer than this. */
const CROWD = 4096;
const PATIENCE_MS = 3000;
/** A burst of newcomers may be larger for a moment, since many are accepted before any of them is read. */
const MAX_WAITING = 16_384;
/** Connections over the limit of their address that may wait for their refusal to be said, and read. */
const MAX_REFUSED = 2048;
const KEEP_ALIVE_MS = 60_000;

export class Doorstep {
  readonly #chat: Chat;
  readonly #http: HttpDialect;
  readonly #sockets = new Set<Socket>();
  /** What is inside of those that turned out to be TLS. */
  readonly #insides = new Set<Socket>();
  /** Those over the limit of their address; not among the others. */
  readonly #refused = new Set<Socket>();
  /** Who has not said what it speaks, the longest waiting first. */
  readonly #waiting = new Map<Socket, Waiting>();

  constructor(chat: Chat, http: HttpDialect) {
    this.#chat = chat;
    this.#http = http;
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#sockets.size + this.#refused.size;
  }

  /**
   * Takes a new connection.
   *
   * @param startTls takes over what turns out to be TLS; `undefined` where the listener has no certificate
   */
  accept(socket: Socket, startTls: ((socket: Socket) => void) | undefined): void {
    this.#chat.counters.connections++;
    const address = socket.remoteAddress ?? '';
    const isWithin = this.#chat.tryEnter(address);
    const { maxSessions } = this.#chat.options;
    const hasRoom = isWithin
      ? this.#makeRoom() && this.#sockets.size < maxSessions + MAX_WAITING
      : this.#refused.size < MAX_REFUSED;
    if (!hasRoom) {
      if (isWithin) this.#chat.addresses.leave(address);
      this.#chat.counters.refusedConnections++;
      socket.destroy();
      return;
    }
    const sockets = isWithin ? this.#sockets : this.#refused;
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (isWithin) this.#chat.addresses.leave(address);
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#identify(socket, isWithin ? undefined : CloseCode.TooManyConnections, startTls);
  }

  /** Takes a connection again, after TLS was taken off. Limits have been counted. */
  acceptInside(socket: Socket): void {
    this.#insides.add(socket);
    socket.once('close', () => this.#insides.delete(socket));
    this.#identify(socket, undefined, undefined);
  }

  /** Resolves when no connection that was ended has bytes that are unsent. */
  async flushed(): Promise<void> {
    const unsent = [...this.#sockets, ...this.#insides].filter(
      (socket) => socket.writableEnded && !socket.writableFinished && !socket.destroyed,
    );
    await Promise.all(
      unsent.map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.once('finish', resolve).once('close', resolve);
          }),
      ),
    );
  }

  /** Destroys every connection. */
  destroy(): void {
    for (const socket of [...this.#sockets, ...this.#refused]) socket.destroy();
  }

  /** Whether one more may wait, after the one that waits longest has gone if it must. */
  #makeRoom(): boolean {
    if (this.#waiting.size < CROWD) return true;
    const [longest] = this.#waiting.values();
    if (longest && this.#chat.wheel.now - longest.since >= PATIENCE_MS) longest.dismiss();
    return this.#waiting.size < MAX_WAITING;
  }

  #identify(
    socket: Socket,
    refusal: CloseCode | undefined,
    startTls: ((socket: Socket) => void) | undefined,
  ): void {
    const { wheel, options } = this.#chat;
    let seen: Buffer = NOTHING;
    const dismiss = (): undefined => {
      leave();
      this.#refuse(socket, 'line', refusal ?? CloseCode.HandshakeTimeout);
    };
    const deadline = wheel.schedule(
      { expire: dismiss },
      refusal === undefined ? options.handshakeTimeoutMs : PATIENCE_MS,
    );
    if (refusal === undefined) this.#waiting.set(socket, { since: wheel.now, dismiss });
    const leave = (): void => {
      this.#waiting.delete(socket);
      this.#chat.wheel.cancel(deadline);
      socket.off('data', onData).off('end', onEnd).off('close', leave);
    };
    const onData = (chunk: Buffer): void => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const dialect = detectDialect(seen, startTls !== undefined);
      if (!dialect) return;
      leave();
      if (refusal !== undefined) this.#refuse(socket, dialect, refusal);
      else this.#enter(socket, dialect, seen, startTls);
    };
    // Whoever ends before saying anything that could be told apart, such as "GE", spoke in lines if at all.
    const onEnd = (): void => {
      leave();
      if (seen.length === 0 || refusal !== undefined) {
        socket.destroy();
        return;
      }
      const link = new SocketLink(socket, this.#chat.options.clock);
      const peer = new LinePeer(this.#chat, link);
      peer.onBytes(seen);
      peer.onEnd();
    };
    socket.on('data', onData).on('end', onEnd).on('close', leave).on('error', ignore);
  }

  #enter(
    socket: Socket,
    dialect: DialectName,
    seen: Buffer,
    startTls: ((socket: Socket) => void) | undefined,
  ): void {
    const { clock } = this.#chat.options;
    switch (dialect) {
      case 'binary':
        new BinaryPeer(this.#chat, new SocketLink(socket, clock), {
          dialect: 'binary',
          preface: true,
        }).onBytes(seen);
        break;
      case 'line':
        new LinePeer(this.#chat, new SocketLink(socket, clock)).onBytes(seen);
        break;
      case 'http':
        socket.pause();
        socket.unshift(seen);
        this.#http.accept(socket);
        socket.resume();
        break;
      case 'tls':
        socket.pause();
        socket.unshift(seen);
        startTls?.(socket);
        break;
    }
  }

  #refuse(socket: Socket, dialect: DialectName, code: CloseCode): void {
    this.#chat.counters.refusedConnections++;
    this.#chat.counters.closed(code);
    const close = closeCodeInfo(code).name;
    this.#chat.options.logger.debug({ address: socket.remoteAddress, code, close }, 'refused at the door');
    const reason = close.replaceAll('-', ' ');
    const { clock } = this.#chat.options;
    switch (dialect) {
      case 'binary':
        endSocket(
          socket,
          clock,
          encodeFrame({ type: FrameType.Close, code, retryAfterMs: RETRY_MS, reason }),
        );
        break;
      case 'http':
        endSocket(socket, clock, httpRefusal(code));
        break;
      case 'line':
        endSocket(socket, clock, formatNoticeLine(`${reason} (${close})`));
        break;
      case 'tls':
        socket.destroy();
        break;
    }
  }
}

/** One of those who wait. */
interface Waiting {
  readonly since: number;
  /** Tells it that it took too long. */
  dismiss(): void;
}

const NOTHING: Buffer = Buffer.alloc(0);
const RETRY_MS = 5000;

function ignore(): void {}
