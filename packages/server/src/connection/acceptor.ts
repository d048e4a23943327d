/**
 * Where connections stand until it is known what they speak, and whether there is room for them.
 *
 * A connection over a limit is told so in its own dialect, as soon as its first byte shows which that is. Those
 * who wait here are bounded: in a crowd, whoever has been silent for a while makes room for the next one. Those
 * who are to be refused are bounded apart, so that one address cannot take the places of others. Only beyond
 * these bounds are connections dropped without a word.
 */
import type { Socket } from 'node:net';
import { CloseCode, closeCodeInfo } from '@chat/protocol';
import { peerAddress } from '../limits/addresses/address-ranges.js';
import { MAX_TIMER_MS } from '../time/clock.js';
import type { ConnectionContext } from './context.js';
import { type DialectName, detectDialect } from './detect/detect-dialect.js';
import { ProxiedClients } from './detect/proxied-clients.js';
import { readProxyHeader } from './detect/proxy-header.js';
import { strayAnswer } from './detect/stray.js';
import type { Arrival, Dialect } from './dialect.js';
import { endSocket } from './link.js';
import type { TlsLayer } from './tls.js';

/** With so many on the acceptor, newcomers take the place of those who have been silent for longer than this. */
const CROWD = 4096;
const PATIENCE_MS = 3000;
/** A burst of newcomers may be larger for a moment, since many are accepted before any of them is read. */
const MAX_WAITING = 16_384;
/** Connections over the limit of their address that may wait for their refusal to be said, and read. */
const MAX_REFUSED = 2048;
const KEEP_ALIVE_MS = 60_000;

/** The dialects that a connection may turn out to speak. */
export type Dialects = Readonly<Record<'binary' | 'line' | 'http', Dialect>>;

export class Acceptor {
  readonly #context: ConnectionContext;
  readonly #dialects: Dialects;
  readonly #sockets = new Set<Socket>();
  /** The plain streams within connections that turned out to be TLS. */
  readonly #insides = new Set<Socket>();
  /** Connections over the limit of their address; not among the others. */
  readonly #refused = new Set<Socket>();
  /** Connections that have not shown what they speak, the longest waiting first. */
  readonly #waiting = new Map<Socket, Waiting>();
  readonly #proxied: ProxiedClients;

  constructor(context: ConnectionContext, dialects: Dialects) {
    this.#context = context;
    this.#proxied = new ProxiedClients(context.options.trustedProxies);
    this.#dialects = dialects;
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
    this.#context.counters.connections++;
    const address = peerAddress(socket);
    const isWithin = this.#context.addresses.tryConnect(address);
    const { maxSessions } = this.#context.options;
    const hasRoom = isWithin
      ? this.#makeRoom() && this.#sockets.size < maxSessions + MAX_WAITING
      : this.#refused.size < MAX_REFUSED;
    if (!hasRoom) {
      if (isWithin) {
        this.#context.addresses.connections.leave(address);
        const message = 'too many connections that say nothing: newcomers are dropped';
        this.#context.refusals.refused('maxSessions', address, message);
      }
      this.#context.counters.refusedConnections++;
      socket.destroy();
      return;
    }
    const sockets = isWithin ? this.#sockets : this.#refused;
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (isWithin) this.#context.addresses.connections.leave(address);
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const door = { tls, isInside: false };
    if (isWithin && this.#isBehindProxy(address)) this.#readProxyHeader(socket, door);
    else this.#identify(socket, isWithin ? undefined : CloseCode.TooManyConnections, door);
  }

  /**
   * Counts a connection that another server has accepted, for the client that it is of. It is one of those that are
   * flushed and destroyed.
   *
   * @returns whether there is room for it
   */
  adopt(socket: Socket, address: string): boolean {
    const { addresses, counters, options } = this.#context;
    counters.connections++;
    if (this.#sockets.size >= options.maxSessions + MAX_WAITING || !addresses.tryConnect(address)) {
      counters.refusedConnections++;
      counters.closed(CloseCode.TooManyConnections);
      return false;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      addresses.connections.leave(address);
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return true;
  }

  /** Takes a connection again, after TLS was taken off. Limits have been counted. */
  acceptInside(socket: Socket, tls: TlsLayer): void {
    this.#proxied.nameInside(socket);
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
    if (longest && this.#context.wheel.now - longest.since >= PATIENCE_MS) longest.refuse();
    return this.#waiting.size < MAX_WAITING;
  }

  #isBehindProxy(address: string): boolean {
    return this.#context.options.proxyProtocol && this.#proxied.isProxy(address);
  }

  /** Who the client is comes first, from a proxy that is trusted; from there on the connection is that of the client. */
  #readProxyHeader(socket: Socket, door: Door): void {
    const { wheel, options, addresses, refusals } = this.#context;
    let seen: Buffer = NOTHING;
    const leave = (): void => {
      this.#waiting.delete(socket);
      wheel.cancel(deadline);
      socket.off('data', onData).off('end', onEnd).off('close', leave);
    };
    const refuse = (code: CloseCode = CloseCode.HandshakeTimeout, reason?: string): void => {
      leave();
      this.#refuse(socket, 'line', code, reason);
    };
    const deadline = wheel.schedule(options.handshakeTimeoutMs, () => refuse());
    this.#waiting.set(socket, { since: wheel.now, refuse });
    const onEnd = (): void => {
      leave();
      socket.destroy();
    };
    const onData = (chunk: Buffer): void => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const header = readProxyHeader(seen);
      if (header.kind === 'more') return;
      if (header.kind === 'wrong') {
        const message = 'a trusted proxy did not begin with a header of the PROXY protocol';
        refusals.refused('proxyProtocol', peerAddress(socket), message);
        refuse(CloseCode.ProtocolError, 'no header of the PROXY protocol');
        return;
      }
      leave();
      const rest = seen.subarray(header.bytes);
      socket.pause();
      if (rest.length > 0) socket.unshift(rest);
      this.#identify(socket, this.#proxiedRefusal(socket, header.address, addresses), door);
      socket.resume();
    };
    socket.on('data', onData).on('end', onEnd).on('close', leave).on('error', ignore);
  }

  /** Makes the connection that of `client`, and counts it; answers why it is refused, if it is. */
  #proxiedRefusal(
    socket: Socket,
    client: string | undefined,
    addresses: ConnectionContext['addresses'],
  ): CloseCode | undefined {
    if (client === undefined) return undefined;
    const address = this.#proxied.name(socket, client);
    if (!addresses.tryConnect(address)) return CloseCode.TooManyConnections;
    socket.once('close', () => addresses.connections.leave(address));
    return undefined;
  }

  #identify(socket: Socket, refusal: CloseCode | undefined, door: Door): void {
    const isTls = door.tls !== undefined && !door.isInside;
    const isPlainRefused = isTls && door.tls.isRequired;
    const { wheel, options } = this.#context;
    let seen: Buffer = NOTHING;
    let firstBytes = 0;
    let cancelSilence: (() => void) | undefined;
    const refuse = (): void => {
      leave();
      this.#refuse(socket, 'line', refusal ?? CloseCode.HandshakeTimeout);
    };
    const patienceMs = refusal === undefined ? options.handshakeTimeoutMs : PATIENCE_MS;
    const deadline = wheel.schedule(patienceMs, refuse);
    if (refusal === undefined) this.#waiting.set(socket, { since: wheel.now, refuse });
    const leave = (): void => {
      this.#waiting.delete(socket);
      this.#context.wheel.cancel(deadline);
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
    // An end before detection, as behind "GE", is treated as the line dialect.
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
      this.#dialects.line.accept({ socket, seen, firstBytes, tls: tlsOf(door) });
    };
    socket.on('data', onData).on('end', onEnd).on('close', leave).on('error', ignore);
  }

  #enter(socket: Socket, dialect: DialectName, seen: Buffer, firstBytes: number, door: Door): void {
    const { clock, logger } = this.#context.options;
    switch (dialect) {
      case 'tls':
        socket.pause();
        socket.unshift(seen);
        door.tls?.start(socket);
        break;
      case 'stray':
        this.#context.counters.closed(CloseCode.ProtocolError);
        logger.debug({ address: peerAddress(socket), first: seen[0] }, 'another protocol is turned away');
        endSocket(socket, clock, strayAnswer(seen[0]!));
        break;
      default:
        this.#dialects[dialect].accept({ socket, seen, firstBytes, tls: tlsOf(door) });
    }
  }

  /** Refuses a connection without TLS where that is required, in its dialect; a page is sent to the secure one. */
  #refusePlain(socket: Socket, dialect: Exclude<DialectName, 'tls'>, seen: Buffer): void {
    const address = peerAddress(socket);
    this.#context.refusals.refused(
      'tls.required',
      address,
      'refused without TLS, which this listener requires',
      {
        dialect,
      },
    );
    if (dialect === 'http') {
      this.#context.counters.refusedConnections++;
      this.#context.counters.closed(CloseCode.Forbidden);
      // A page is sent to the secure one.
      this.#dialects.http.accept({ socket, seen, firstBytes: seen.length, tls: 'missing' });
      return;
    }
    this.#refuse(socket, dialect, CloseCode.Forbidden, 'this server takes TLS only');
  }

  #refuse(socket: Socket, dialect: DialectName, code: CloseCode, reason?: string): void {
    this.#context.counters.refusedConnections++;
    this.#context.counters.closed(code);
    const close = closeCodeInfo(code).name;
    this.#context.options.logger.debug({ address: peerAddress(socket), code, close }, 'refused at the door');
    const said = reason ?? close.replaceAll('-', ' ');
    if (dialect === 'tls' || dialect === 'stray') {
      socket.destroy();
      return;
    }
    const retryAfterMs = closeCodeInfo(code).retry ? RETRY_MS : 0;
    const refusal = this.#dialects[dialect].refusal({ code, reason: said, retryAfterMs });
    endSocket(socket, this.#context.options.clock, refusal);
  }
}

/** The listener that a connection came in by. */
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

function tlsOf({ tls, isInside }: Door): Arrival['tls'] {
  return isInside && tls?.isRequired === true ? 'taken-off' : 'not-required';
}

function ignore(): void {}
