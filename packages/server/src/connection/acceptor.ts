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
import { BinaryPeer } from '../dialects/binary/binary-peer.js';
import { type HttpDialect, httpRefusal } from '../dialects/http/http-dialect.js';
import { LinePeer } from '../dialects/line/line-peer.js';
import { MAX_TIMER_MS } from '../dialects/line/line-reader.js';
import { peerAddress } from '../limits/addresses/address-ranges.js';
import type { Chat } from '../server/chat.js';
import type { TlsLayer } from '../server/tls.js';
import { type DialectName, detectDialect } from './detect-dialect.js';
import { endSocket, SocketLink } from './link.js';
import { strayAnswer } from './stray.js';

/** With so many on the acceptor, newcomers take the place of those who have been silent for longer than this. */
const CROWD = 4096;
const PATIENCE_MS = 3000;
/** A burst of newcomers may be larger for a moment, since many are accepted before any of them is read. */
const MAX_WAITING = 16_384;
/** Connections over the limit of their address that may wait for their refusal to be said, and read. */
const MAX_REFUSED = 2048;
const KEEP_ALIVE_MS = 60_000;

export class Acceptor {
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
   * @param tls takes over what turns out to be TLS; `undefined` where the listener has no certificate
   */
  accept(socket: Socket, tls: TlsLayer | undefined): void {
    this.#chat.counters.connections++;
    const address = peerAddress(socket);
    const isWithin = this.#chat.tryEnter(address);
    const { maxSessions } = this.#chat.options;
    const hasRoom = isWithin
      ? this.#makeRoom() && this.#sockets.size < maxSessions + MAX_WAITING
      : this.#refused.size < MAX_REFUSED;
    if (!hasRoom) {
      if (isWithin) {
        this.#chat.addresses.leave(address);
        const message = 'too many connections that say nothing: newcomers are dropped';
        this.#chat.strangerLog.refused('maxSessions', address, message);
      }
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
    this.#identify(socket, isWithin ? undefined : CloseCode.TooManyConnections, { tls, isInside: false });
  }

  /** Takes a connection again, after TLS was taken off. Limits have been counted. */
  acceptInside(socket: Socket, tls: TlsLayer): void {
    this.#insides.add(socket);
    socket.once('close', () => this.#insides.delete(socket));
    this.#identify(socket, undefined, { tls, isInside: true });
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
    if (longest && this.#chat.wheel.now - longest.since >= PATIENCE_MS) longest.refuse();
    return this.#waiting.size < MAX_WAITING;
  }

  #identify(socket: Socket, refusal: CloseCode | undefined, door: Door): void {
    const isTls = door.tls !== undefined && !door.isInside;
    const isPlainRefused = isTls && door.tls.isRequired;
    const { wheel, options } = this.#chat;
    let seen: Buffer = NOTHING;
    let firstBytes = 0;
    let cancelSilence: (() => void) | undefined;
    const refuse = (): undefined => {
      leave();
      this.#refuse(socket, 'line', refusal ?? CloseCode.HandshakeTimeout);
    };
    const deadline = wheel.schedule(
      { expire: refuse },
      refusal === undefined ? options.handshakeTimeoutMs : PATIENCE_MS,
    );
    if (refusal === undefined) this.#waiting.set(socket, { since: wheel.now, refuse });
    const leave = (): void => {
      this.#waiting.delete(socket);
      this.#chat.wheel.cancel(deadline);
      cancelSilence?.();
      socket.off('data', onData).off('end', onEnd).off('close', leave);
    };
    const settle = (dialect: DialectName): void => {
      leave();
      if (refusal !== undefined) this.#refuse(socket, dialect, refusal);
      else if (isPlainRefused && dialect !== 'tls') this.#refusePlain(socket, dialect, seen);
      else this.#enter(socket, dialect, seen, firstBytes, door);
    };
    const onData = (chunk: Buffer): void => {
      if (seen.length === 0) firstBytes = chunk.length;
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const dialect = detectDialect(seen, isTls);
      if (dialect) {
        settle(dialect);
        return;
      }
      // The name PAT of a program that ends no line looks like the beginning of a request, but for the silence behind
      // it. Somebody who types a request key by key is waited for.
      cancelSilence?.();
      const { lineIdleMs } = options;
      const endsBySilence = firstBytes > 1 && lineIdleMs > 0 && lineIdleMs <= MAX_TIMER_MS;
      if (endsBySilence) cancelSilence = options.clock.after(lineIdleMs, () => settle('line'));
    };
    // Whoever ends before saying anything that could be told apart, such as "GE", spoke in lines if at all.
    const onEnd = (): void => {
      leave();
      if (seen.length === 0 || refusal !== undefined) {
        socket.destroy();
        return;
      }
      if (isPlainRefused) {
        this.#refusePlain(socket, 'line', seen);
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
    firstBytes: number,
    { tls, isInside }: Door,
  ): void {
    const { clock, logger } = this.#chat.options;
    switch (dialect) {
      case 'binary':
        new BinaryPeer(this.#chat, new SocketLink(socket, clock), {
          dialect: 'binary',
          preface: true,
        }).onBytes(seen);
        break;
      case 'line':
        this.#enterLine(new LinePeer(this.#chat, new SocketLink(socket, clock)), seen, firstBytes);
        break;
      case 'http':
        socket.pause();
        socket.unshift(seen);
        this.#http.accept(socket, isInside && tls?.isRequired === true ? 'tls-only' : undefined);
        socket.resume();
        break;
      case 'tls':
        socket.pause();
        socket.unshift(seen);
        tls?.start(socket);
        break;
      case 'stray':
        this.#chat.counters.closed(CloseCode.ProtocolError);
        logger.debug({ address: peerAddress(socket), first: seen[0] }, 'another protocol is turned away');
        endSocket(socket, clock, strayAnswer(seen[0]!));
        break;
    }
  }

  /** Keys that came one by one are handed over so: a line that begins with a single one is not ended by silence. */
  #enterLine(peer: LinePeer, seen: Buffer, firstBytes: number): void {
    peer.onBytes(seen.subarray(0, firstBytes));
    if (seen.length > firstBytes) peer.onBytes(seen.subarray(firstBytes));
  }

  /** Who speaks without TLS where it is required is told so in its own dialect; a page is sent to the secure one. */
  #refusePlain(socket: Socket, dialect: Exclude<DialectName, 'tls'>, seen: Buffer): void {
    const address = peerAddress(socket);
    this.#chat.strangerLog.refused(
      'tls.required',
      address,
      'refused without TLS, which this listener requires',
      {
        dialect,
      },
    );
    if (dialect === 'http') {
      this.#chat.counters.refusedConnections++;
      this.#chat.counters.closed(CloseCode.Forbidden);
      socket.pause();
      socket.unshift(seen);
      this.#http.accept(socket, 'plain-refused');
      socket.resume();
      return;
    }
    this.#refuse(socket, dialect, CloseCode.Forbidden, 'this server takes TLS only');
  }

  #refuse(socket: Socket, dialect: DialectName, code: CloseCode, reason?: string): void {
    this.#chat.counters.refusedConnections++;
    this.#chat.counters.closed(code);
    const close = closeCodeInfo(code).name;
    this.#chat.options.logger.debug({ address: peerAddress(socket), code, close }, 'refused at the door');
    const said = reason ?? close.replaceAll('-', ' ');
    const retryAfterMs = closeCodeInfo(code).retry ? RETRY_MS : 0;
    const { clock } = this.#chat.options;
    switch (dialect) {
      case 'binary':
        endSocket(socket, clock, encodeFrame({ type: FrameType.Close, code, retryAfterMs, reason: said }));
        break;
      case 'http':
        endSocket(socket, clock, httpRefusal(code));
        break;
      case 'line':
        endSocket(socket, clock, formatNoticeLine(`${said} (${close})`));
        break;
      case 'tls':
      case 'stray':
        socket.destroy();
        break;
    }
  }
}

/** What a connection came in by. */
interface Door {
  readonly tls: TlsLayer | undefined;
  /** Whether TLS was taken off already. */
  readonly isInside: boolean;
}

/** One of those who wait. */
interface Waiting {
  readonly since: number;
  /** Tells it that it took too long. */
  refuse(): void;
}

const NOTHING: Buffer = Buffer.alloc(0);
const RETRY_MS = 5000;

function ignore(): void {}
