/**
 * Where connections stand until it is known what they speak, and whether there is room for them.
 *
 * A connection over a limit is told so in its own dialect, as soon as its first byte shows which that is. The
 * number of those who wait here is bounded; beyond it connections are dropped without a word.
 */
import type { Socket } from 'node:net';
import { CloseCode, closeCodeInfo, encodeFrame, FrameType, formatNoticeLine } from '@chat/protocol';
import type { Chat } from './chat.js';
import { type DialectName, detectDialect } from './dialect.js';
import { BinaryPeer } from './dialects/binary.js';
import { type HttpDialect, httpRefusal } from './dialects/http.js';
import { LinePeer } from './dialects/line.js';
import { AddressLimit } from './limits/address-limit.js';
import { endSocket, SocketLink } from './link.js';

/** Connections that may stand on the doorstep at a time, beyond the sessions that there may be. */
const MAX_WAITING = 4096;
const KEEP_ALIVE_MS = 60_000;

export class Doorstep {
  readonly #chat: Chat;
  readonly #http: HttpDialect;
  readonly #addresses: AddressLimit;
  readonly #sockets = new Set<Socket>();
  /** What is inside of those that turned out to be TLS. */
  readonly #insides = new Set<Socket>();
  #waiting = 0;

  constructor(chat: Chat, http: HttpDialect) {
    this.#chat = chat;
    this.#http = http;
    this.#addresses = new AddressLimit(chat.options.maxConnectionsPerAddress, chat.options.exemptAddresses);
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  /**
   * Takes a new connection.
   *
   * @param startTls takes over what turns out to be TLS; `undefined` where the listener has no certificate
   */
  accept(socket: Socket, startTls: ((socket: Socket) => void) | undefined): void {
    this.#chat.counters.connections++;
    const { maxSessions } = this.#chat.options;
    if (this.#waiting >= MAX_WAITING || this.#sockets.size >= maxSessions + MAX_WAITING) {
      this.#chat.counters.refusedConnections++;
      socket.destroy();
      return;
    }
    const address = socket.remoteAddress ?? '';
    const entered = this.#addresses.tryEnter(address);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (entered) this.#addresses.leave(address);
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#identify(socket, entered ? undefined : CloseCode.TooManyConnections, startTls);
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
    for (const socket of this.#sockets) socket.destroy();
  }

  #identify(
    socket: Socket,
    refusal: CloseCode | undefined,
    startTls: ((socket: Socket) => void) | undefined,
  ): void {
    this.#waiting++;
    let seen: Buffer = Buffer.alloc(0);
    const deadline = this.#chat.wheel.schedule(
      {
        expire: () => {
          leave();
          this.#refuse(socket, 'line', CloseCode.HandshakeTimeout);
          return undefined;
        },
      },
      this.#chat.options.handshakeTimeoutMs,
    );
    const leave = (): void => {
      this.#waiting--;
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

const RETRY_MS = 5000;

function ignore(): void {}
