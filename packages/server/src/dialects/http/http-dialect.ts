/**
 * HTTP on the chat port: a page for people who point a browser at it, health for machines, and the door to
 * WebSocket. The program around the server may take over requests (`http` option) to serve its own pages.
 *
 * Longer than most files here: request, deadline and upgrade of a connection take turns, and share what is known of it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { CloseCode, closeCodeInfo, WEBSOCKET_PATH, WEBSOCKET_SUBPROTOCOL } from '@chat/protocol';
import { WebSocketServer } from 'ws';
import { SocketRequest } from '../../connection/client-request.js';
import type { ConnectionContext } from '../../connection/context.js';
import type { Arrival, ConnectionRefusal, Dialect } from '../../connection/dialect.js';
import { endSocket } from '../../connection/link.js';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { AddressRanges, peerAddress } from '../../limits/addresses/address-ranges.js';
import { clientAddress } from '../../limits/addresses/forwarded.js';
import type { LogCondition } from '../../log/event-log.js';
import type { HttpOptions } from '../../options/http-options.js';
import type { TimerEntry } from '../../time/timer-wheel.js';
import { BinaryPeer } from '../binary/binary-peer.js';
import { SliceFramer, WebSocketLink } from '../websocket/websocket-link.js';
import {
  type Answer,
  defaultAnswer,
  httpRefusal,
  isLocalName,
  isReading,
  METHOD_NOT_ALLOWED,
  ONE_YEAR_S,
  OWN_PATHS,
  plainRefusal,
  refuse,
  send,
  TLS_ONLY,
  TOO_MANY_REQUESTS,
  UPGRADE_REQUIRED,
} from './http-answers.js';
import { HttpGate } from './http-gate.js';
import { PageGuard, type PageRequest } from './page-guard.js';

/** Largest request head. */
const MAX_HEADER_BYTES = 8192;
/** A WebSocket that was closed may take so long to say so too. */
const CLOSE_TIMEOUT_MS = 5000;
/** An answer of which nothing was read for so long is given up. */
const ANSWER_STALL_MS = 60_000;

const OPEN: LogCondition = { state: 'open' };

/** The exchange that is under way on a connection. */
interface Exchange {
  deadline: TimerEntry | undefined;
  /** Lets requests in one by one. */
  readonly gate: HttpGate;
  /** Within TLS that is required, browsers are told to use nothing else; without it every request is refused. */
  readonly tls: Arrival['tls'];
}

export class HttpDialect implements Dialect {
  readonly #context: ConnectionContext;
  readonly #options: HttpOptions;
  readonly #server: Server;
  readonly #websockets: WebSocketServer;
  readonly #framer = new SliceFramer();
  readonly #exchanges = new Map<Socket, Exchange>();
  readonly #maxMessageBytes: number;
  readonly #trustedProxies: AddressRanges;
  readonly #guard: PageGuard;
  readonly #keepAliveMs: number;

  constructor(context: ConnectionContext, options: HttpOptions) {
    this.#context = context;
    this.#trustedProxies = new AddressRanges(context.options.trustedProxies, 'trustedProxies');
    this.#options = options;
    this.#guard = new PageGuard(options.allowedOrigins ?? [], options.allowedHosts ?? []);
    this.#keepAliveMs = keepAliveMs(options);
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: this.#keepAliveMs });
    this.#server.on('request', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) =>
      this.#inTurn(socket as Socket, (rest) =>
        this.#upgrade(request, socket as Socket, Buffer.concat([head, rest])),
      ),
    );
    this.#server.on('connect', (_request, socket) =>
      this.#inTurn(socket as Socket, () => refuse(socket as Socket, '405 Method Not Allowed')),
    );
    // protocol.md, "WebSocket and HTTP": a message may hold several frames; each is checked on its own.
    this.#maxMessageBytes = context.options.maxFrameBytes * 4;
    this.#websockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      clientTracking: false,
      // The link answers pings itself: without looking whether anybody reads, pongs would pile up.
      autoPong: false,
      maxPayload: this.#maxMessageBytes,
      // So that a message which comes in crumbs does not cost a multiple of its size.
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: Math.max(MAX_FRAGMENTS, Math.ceil(this.#maxMessageBytes / SMALLEST_SEGMENT_BYTES)),
      // Left out of the library's type declarations.
      ...{ closeTimeout: CLOSE_TIMEOUT_MS },
      handleProtocols: (wanted) => (wanted.has(WEBSOCKET_SUBPROTOCOL) ? WEBSOCKET_SUBPROTOCOL : false),
    });
  }

  accept({ socket, seen, tls }: Arrival): void {
    socket.pause();
    socket.unshift(seen);
    const gate = new HttpGate(this.#context, socket);
    this.#exchanges.set(socket, { deadline: undefined, gate, tls });
    socket.once('close', () => this.#release(socket));
    this.#expectRequest(socket);
    this.#server.emit('connection', socket);
    gate.attach();
    socket.resume();
  }

  refusal({ code }: ConnectionRefusal): string {
    return httpRefusal(code);
  }

  /** Ends all connections that are not WebSockets. */
  close(): void {
    for (const socket of this.#exchanges.keys()) socket.destroy();
    this.#websockets.close();
  }

  /**
   * A request must be complete in time. One that has not begun, on a connection that is kept, has more: then the
   * connection is closed without a word, which a client would take for an answer.
   */
  #expectRequest(socket: Socket, isKept = false): void {
    const { handshakeTimeoutMs } = this.#context.options;
    const read = socket.bytesRead;
    const lookMs = Math.max(1, Math.min(Math.floor(handshakeTimeoutMs / LOOKS), this.#keepAliveMs));
    let quietMs = 0;
    let isQuiet = isKept;
    const look = (): number | undefined => {
      // A request that the server holds up cannot be complete.
      if (this.#exchanges.get(socket)?.gate.isHeldUp) return lookMs;
      if (isQuiet && socket.bytesRead === read) {
        quietMs += lookMs;
        if (quietMs < this.#keepAliveMs) return lookMs;
        socket.destroySoon();
        return undefined;
      }
      if (isQuiet) {
        // It began since the last look.
        isQuiet = false;
        return Math.max(1, handshakeTimeoutMs - lookMs);
      }
      this.#context.options.logger.debug({ address: peerAddress(socket) }, 'HTTP request timed out');
      if (!socket.destroyed && socket.writable) {
        socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
      socket.destroySoon();
      return undefined;
    };
    this.#setDeadline(socket, isQuiet ? lookMs : handshakeTimeoutMs, look);
  }

  /** An answer may take as long as it needs, as long as it is being read. */
  #expectReading(socket: Socket): void {
    let written = -1;
    let unsent = 0;
    const look = (): number | undefined => {
      if (unsent > 0 && written === socket.bytesWritten && unsent === socket.writableLength) {
        socket.destroy();
        return undefined;
      }
      written = socket.bytesWritten;
      unsent = socket.writableLength;
      return ANSWER_STALL_MS;
    };
    this.#setDeadline(socket, ANSWER_STALL_MS, look);
  }

  #setDeadline(socket: Socket, delayMs: number, look: () => number | undefined): void {
    const exchange = this.#exchanges.get(socket);
    if (!exchange) return;
    if (exchange.deadline) this.#context.wheel.cancel(exchange.deadline);
    exchange.deadline = this.#context.wheel.repeat(delayMs, look);
  }

  /** The connection is no longer HTTP, or no longer at all. */
  #release(socket: Socket): void {
    const exchange = this.#exchanges.get(socket);
    if (exchange?.deadline) this.#context.wheel.cancel(exchange.deadline);
    exchange?.gate.close();
    this.#exchanges.delete(socket);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const exchange = this.#exchanges.get(socket);
    if (!exchange) return;
    const { gate } = exchange;
    gate.inTurn(() => {
      response.once('close', () => {
        if (socket.destroyed) return;
        gate.answered();
        if (!gate.isBusy) this.#expectRequest(socket, true);
      });
      if (gate.tryCharge()) this.#answerRequest(exchange, request, response);
      else send(response, TOO_MANY_REQUESTS);
    }, request);
  }

  #answerRequest(exchange: Exchange, request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (hasBody(request)) request.once('end', () => this.#expectReading(socket));
    else this.#expectReading(socket);
    const path = request.url?.split('?')[0] ?? '/';
    if (exchange.tls === 'taken-off' && !isLocalName(request)) {
      response.setHeader('Strict-Transport-Security', `max-age=${ONE_YEAR_S}`);
    }
    const answer =
      (exchange.tls === 'missing' ? plainRefusal(request, path) : undefined) ??
      this.#answer(request, path) ??
      this.#unwelcome(request) ??
      (this.#options.handler ? undefined : defaultAnswer(request, path));
    if (answer) send(response, answer);
    else void this.#handOver(request, response);
  }

  /** A handler that fails is a defect of its owner: answered with 500, logged, and nobody else notices. */
  async #handOver(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#options.handler?.(request, response);
    } catch (err) {
      this.#context.refusals.failed(err, 'the HTTP handler failed', { url: request.url });
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, body: 'the server failed' });
    }
  }

  /** The answer of the server itself; `undefined` where the handler of the program answers. */
  #answer(request: IncomingMessage, path: string): Answer | undefined {
    // A page that was not let in asks with a POST, which carries its origin, why that is: 403, or 405 if it may come.
    const refusal = path === WEBSOCKET_PATH ? this.#guard.refusesPage(this.#pageRequest(request)) : undefined;
    if (refusal) return { status: 403, body: refusal.remedy };
    if (OWN_PATHS.has(path) && !isReading(request)) return METHOD_NOT_ALLOWED;
    switch (path) {
      case '/healthz':
        return { status: 200, body: 'ok' };
      case '/readyz':
        return this.#readiness();
      case WEBSOCKET_PATH:
        return { status: 426, body: 'this path speaks WebSocket', headers: { Upgrade: 'websocket' } };
      default:
        return undefined;
    }
  }

  /** Why somebody is shown nothing: its address is banned, or its page could not speak to this server. */
  #unwelcome(request: IncomingMessage): Answer | undefined {
    const address = this.clientAddress(request);
    const bannedMs = this.#context.bans.refusedMs(
      undefined,
      address,
      this.#context.options.clock.monotonic(),
    );
    if (bannedMs > 0) {
      const retryAfter = Math.min(Math.ceil(bannedMs / 1000), ONE_YEAR_S);
      return { status: 403, body: 'banned', headers: { 'Retry-After': String(retryAfter) } };
    }
    const isNavigation = /\btext\/html\b/.test(request.headers.accept ?? '');
    const refusal = this.#guard.refusesHost(this.#pageRequest(request), isNavigation);
    if (!refusal) return undefined;
    const { host } = request.headers;
    this.#context.refusals.refused(
      refusal.option,
      address,
      `a page was refused for its host: ${refusal.remedy}`,
      { host },
    );
    return { status: 421, body: refusal.remedy };
  }

  #pageRequest({ headers, socket }: IncomingMessage): PageRequest {
    const forwarded = this.#trustedProxies.has(peerAddress(socket)) ? headers['x-forwarded-host'] : undefined;
    return {
      host: (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim() ?? headers.host,
      origin: headers.origin,
      localPort: socket.localPort,
      isSecure: 'encrypted' in socket && socket.encrypted === true,
    };
  }

  /** Whether newcomers should be sent here. */
  #readiness(): Answer {
    if (this.#context.admission.isClosed) return { status: 503, body: 'draining' };
    if (this.#context.memory.isShort) return { status: 503, body: 'short of memory' };
    const { condition = OPEN } = this.#context.log;
    if (condition.state !== 'open')
      return { status: 503, body: `the log is ${condition.state}: ${condition.reason}` };
    return { status: 200, body: 'ready' };
  }

  /** What takes the connection out of HTTP waits, as a request does, for the answers before it. */
  #inTurn(socket: Socket, take: (rest: Buffer) => void): void {
    const gate = this.#exchanges.get(socket)?.gate;
    if (!gate) return;
    const rest = gate.detach();
    gate.inTurn(() => {
      // The time that Node leaves a connection between requests.
      socket.setTimeout(0);
      socket.resume();
      take(rest);
    });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (!isWebSocket(request)) {
      this.#withoutUpgrade(request, socket, head);
      return;
    }
    const address = this.clientAddress(request);
    const refusal = this.#transportRefusal(request, socket) ?? this.#upgradeRefusal(request, address);
    if (refusal) this.#refuseUpgrade(request, socket, refusal);
    else if (address === peerAddress(socket) || this.#tryEnter(socket, address)) {
      this.#takeOver(request, socket, head, address);
    }
  }

  /**
   * Takes an upgrade of another HTTP server, whatever its path. The connection has been counted, for the client that it
   * is of.
   */
  acceptUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (!isWebSocket(request)) {
      refuse(socket, '426 Upgrade Required\r\nUpgrade: websocket');
      return;
    }
    const address = this.clientAddress(request);
    const refusal = this.#upgradeRefusal(request, address);
    if (refusal) this.#refuseUpgrade(request, socket, refusal);
    else this.#takeOver(request, socket, head, address);
  }

  #refuseUpgrade(request: IncomingMessage, socket: Socket, { status, sentence }: UpgradeRefusal): void {
    const [address, { origin }] = [this.clientAddress(request), request.headers];
    this.#context.options.logger.debug({ address, origin, refusal: status }, 'upgrade refused');
    refuse(socket, status, sentence);
  }

  #takeOver(request: IncomingMessage, socket: Socket, head: Buffer, address: string): void {
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
      this.#release(socket);
      const link = new WebSocketLink(websocket, socket, {
        address,
        request: new SocketRequest(socket, request),
        framer: this.#framer,
        maxMessageBytes: this.#maxMessageBytes,
      });
      new BinaryPeer(this.#context, link, { dialect: 'websocket', preface: false });
    });
  }

  /**
   * RFC 9110, 7.8: an upgrade that is not wanted is ignored. Node has taken its hands off the socket, so the request is
   * read once more, without the header; its body and what follows come as they would have.
   */
  #withoutUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { method, url, httpVersion, rawHeaders } = request;
    const lines = [`${method} ${url} HTTP/${httpVersion}`];
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!.toLowerCase();
      if (name === 'upgrade' || name === 'http2-settings') continue;
      const value = rawHeaders[i + 1]!;
      const kept = name === 'connection' ? withoutUpgradeOption(value) : value;
      if (kept !== '' || name !== 'connection') lines.push(`${rawHeaders[i]}: ${kept}`);
    }
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
    this.#server.emit('connection', socket);
    this.#exchanges.get(socket)?.gate.attach();
  }

  /** Address of the client, also of one behind a trusted proxy. */
  clientAddress({ socket, headers }: IncomingMessage): string {
    const forwardedFor = headers['x-forwarded-for'];
    // Node joins repeated ones into one.
    return clientAddress(socket.remoteAddress ?? '', String(forwardedFor ?? ''), this.#trustedProxies);
  }

  /** Counts one who comes through a proxy, which was not counted itself; answers it when it is over its share. */
  #tryEnter(socket: Socket, address: string): boolean {
    const { addresses, counters, options } = this.#context;
    if (addresses.tryConnect(address)) {
      socket.once('close', () => addresses.connections.leave(address));
      return true;
    }
    const code = CloseCode.TooManyConnections;
    counters.refusedConnections++;
    counters.closed(code);
    options.logger.debug({ address, code, close: closeCodeInfo(code).name }, 'refused behind a proxy');
    endSocket(socket, options.clock, httpRefusal(code));
    return false;
  }

  /** What an upgrade is refused for on the port of this server. */
  #transportRefusal({ url }: IncomingMessage, socket: Socket): UpgradeRefusal | undefined {
    if (this.#exchanges.get(socket)?.tls === 'missing') {
      return { status: `426 ${UPGRADE_REQUIRED}`, sentence: TLS_ONLY };
    }
    return url?.split('?')[0] === WEBSOCKET_PATH ? undefined : { status: '404 Not Found' };
  }

  /** What it is refused for anywhere. */
  #upgradeRefusal(request: IncomingMessage, address: string): UpgradeRefusal | undefined {
    const page = this.#pageRequest(request);
    const refusal = this.#guard.refusesPage(page);
    if (refusal) {
      const { origin, host } = page;
      const message = `a page of ${origin} was refused at the host ${host}: ${refusal.remedy}`;
      this.#context.refusals.refused(refusal.option, address, message, { origin, host });
      return { status: '403 Forbidden', sentence: refusal.remedy };
    }
    if (this.#context.admission.isClosed) return { status: '503 Service Unavailable' };
    const offered = request.headers['sec-websocket-protocol'];
    // The subprotocol is the version: who offers others only speaks none that is spoken here.
    if (offered !== undefined && !offered.split(',').some((name) => name.trim() === WEBSOCKET_SUBPROTOCOL)) {
      return { status: '400 Bad Request' };
    }
    return undefined;
  }
}

/** How often within its time it is looked whether the next request has begun. */
const LOOKS = 4;
const DEFAULT_KEEP_ALIVE_MS = 75_000;
const MAX_FRAGMENTS = 1024;
/** What TCP carries at least in a packet that is not the last of its message. */
const SMALLEST_SEGMENT_BYTES = 256;

/** Why an upgrade is refused, with a sentence for people who look into it. */
interface UpgradeRefusal {
  readonly status: string;
  readonly sentence?: string;
}

/** @throws ServerError `ERR_SERVER_BAD_OPTION` */
function keepAliveMs({ keepAliveTimeoutMs = DEFAULT_KEEP_ALIVE_MS }: HttpOptions): number {
  if (Number.isInteger(keepAliveTimeoutMs) && keepAliveTimeoutMs > 0) return keepAliveTimeoutMs;
  const message = `http.keepAliveTimeoutMs must be a whole number of at least 1, got ${keepAliveTimeoutMs}`;
  throw new ServerError(ServerErrorCode.BadOption, message);
}

/** `Connection` without the options that belong to an upgrade. */
function withoutUpgradeOption(value: string): string {
  const options = value.split(',').map((option) => option.trim());
  return options.filter((option) => !/^(upgrade|http2-settings)$/i.test(option)).join(', ');
}

function isWebSocket({ headers }: IncomingMessage): boolean {
  return /(^|,)\s*websocket\s*(,|$)/i.test(headers.upgrade ?? '');
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
