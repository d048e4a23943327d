/**
 * HTTP on the chat port: a page for people who point a browser at it, health for machines, and the door to
 * WebSocket. The program around the server may take over requests (`http` option) to serve its own pages.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { CloseCode, closeCodeInfo } from '@chat/protocol';
import { WebSocketServer } from 'ws';
import type { Chat } from '../chat.js';
import { AddressRanges } from '../limits/address-ranges.js';
import { clientAddress } from '../limits/forwarded.js';
import { endSocket } from '../link.js';
import type { Timed, TimerEntry } from '../timer-wheel.js';
import { BinaryPeer } from './binary.js';
import { MessageFramer, SUBPROTOCOL, WebSocketLink } from './websocket.js';

/** Largest request head. */
const MAX_HEADER_BYTES = 8192;
const WEBSOCKET_PATH = '/ws';
/** A WebSocket that was closed may take so long to say so too. */
const CLOSE_TIMEOUT_MS = 5000;
/** An answer of which nothing was read for so long is given up. */
const ANSWER_STALL_MS = 60_000;

/** What is under way on a connection. */
interface Exchange {
  deadline: TimerEntry | undefined;
  /** Requests that are not answered completely. */
  answering: number;
}

/** How HTTP on the chat port behaves. */
export interface HttpOptions {
  /** Takes requests that the server does not answer itself (`/healthz`, `/readyz`, `/ws`). */
  readonly handler?: RequestListener;
  /** Origins, beside the server's own host, whose pages may connect. `'*'` allows any. @defaultValue [] */
  readonly allowedOrigins?: readonly string[];
}

export class HttpDialect {
  readonly #chat: Chat;
  readonly #options: HttpOptions;
  readonly #server: Server;
  readonly #websockets: WebSocketServer;
  readonly #framer = new MessageFramer();
  readonly #exchanges = new Map<Socket, Exchange>();
  readonly #maxMessageBytes: number;
  readonly #trustedProxies: AddressRanges;

  constructor(chat: Chat, options: HttpOptions) {
    this.#chat = chat;
    this.#trustedProxies = new AddressRanges(chat.options.trustedProxies, 'trustedProxies');
    this.#options = options;
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 5000 });
    this.#server.on('request', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#server.on('connect', (_request, socket) => refuse(socket as Socket, '405 Method Not Allowed'));
    // protocol.md, "WebSocket and HTTP": a message may hold several frames; each is checked on its own.
    this.#maxMessageBytes = chat.options.maxFrameBytes * 4;
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
      handleProtocols: (wanted) => (wanted.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
  }

  /** Takes over a connection whose first bytes, put back into the socket, are HTTP. */
  accept(socket: Socket): void {
    this.#exchanges.set(socket, { deadline: undefined, answering: 0 });
    socket.once('close', () => this.#release(socket));
    this.#expectRequest(socket);
    this.#server.emit('connection', socket);
  }

  /** Ends all connections that are not WebSockets. */
  close(): void {
    for (const socket of this.#exchanges.keys()) socket.destroy();
    this.#websockets.close();
  }

  /** A request must be complete in time, the next one on the same connection as well. */
  #expectRequest(socket: Socket): void {
    const expire = (): undefined => {
      this.#chat.options.logger.debug({ address: socket.remoteAddress }, 'HTTP request timed out');
      if (!socket.destroyed && socket.writable) {
        socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
      socket.destroySoon();
      return undefined;
    };
    this.#setDeadline(socket, { expire }, this.#chat.options.handshakeTimeoutMs);
  }

  /** An answer may take as long as it needs, as long as it is being read. */
  #expectReading(socket: Socket): void {
    let written = -1;
    let unsent = 0;
    const expire = (): number | undefined => {
      if (unsent > 0 && written === socket.bytesWritten && unsent === socket.writableLength) {
        socket.destroy();
        return undefined;
      }
      written = socket.bytesWritten;
      unsent = socket.writableLength;
      return ANSWER_STALL_MS;
    };
    this.#setDeadline(socket, { expire }, ANSWER_STALL_MS);
  }

  #setDeadline(socket: Socket, timed: Timed, delayMs: number): void {
    const exchange = this.#exchanges.get(socket);
    if (!exchange) return;
    if (exchange.deadline) this.#chat.wheel.cancel(exchange.deadline);
    exchange.deadline = this.#chat.wheel.schedule(timed, delayMs);
  }

  /** The connection is no longer HTTP, or no longer at all. */
  #release(socket: Socket): void {
    const deadline = this.#exchanges.get(socket)?.deadline;
    if (deadline) this.#chat.wheel.cancel(deadline);
    this.#exchanges.delete(socket);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const exchange = this.#exchanges.get(socket);
    if (!exchange) return;
    exchange.answering++;
    response.once('close', () => {
      if (--exchange.answering === 0 && !socket.destroyed) this.#expectRequest(socket);
    });
    if (hasBody(request)) request.once('end', () => this.#expectReading(socket));
    else this.#expectReading(socket);
    const path = request.url?.split('?')[0] ?? '/';
    const answer =
      this.#answer(request, path) ?? (this.#options.handler ? undefined : defaultAnswer(request, path));
    if (answer) send(response, answer);
    else void this.#handOver(request, response);
  }

  /** A handler that fails is a defect of its owner: answered with 500, logged, and nobody else notices. */
  async #handOver(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#options.handler?.(request, response);
    } catch (err) {
      this.#chat.options.logger.error({ err, url: request.url }, 'the HTTP handler failed');
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, body: 'the server failed' });
    }
  }

  /** What the server answers itself, whoever takes the rest. */
  #answer(request: IncomingMessage, path: string): Answer | undefined {
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

  /** Whether newcomers should be sent here. */
  #readiness(): Answer {
    if (this.#chat.draining) return { status: 503, body: 'draining' };
    if (this.#chat.memory.isShort) return { status: 503, body: 'short of memory' };
    return { status: 200, body: 'ready' };
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const refusal = this.#upgradeRefusal(request);
    if (refusal) {
      const { origin } = request.headers;
      this.#chat.options.logger.debug({ address: socket.remoteAddress, origin, refusal }, 'upgrade refused');
      refuse(socket, refusal);
      return;
    }
    const address = this.#clientAddress(request);
    if (address !== socket.remoteAddress && !this.#tryEnter(socket, address)) return;
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
      this.#release(socket);
      const link = new WebSocketLink(websocket, socket, {
        address,
        framer: this.#framer,
        maxMessageBytes: this.#maxMessageBytes,
      });
      new BinaryPeer(this.#chat, link, { dialect: 'websocket', preface: false });
    });
  }

  #clientAddress({ socket, headers }: IncomingMessage): string {
    const forwardedFor = headers['x-forwarded-for'];
    // Node joins repeated ones into one.
    return clientAddress(socket.remoteAddress ?? '', String(forwardedFor ?? ''), this.#trustedProxies);
  }

  /** Counts one who comes through a proxy, which was not counted itself; answers it when it is over its share. */
  #tryEnter(socket: Socket, address: string): boolean {
    const { addresses, counters, options } = this.#chat;
    if (this.#chat.tryEnter(address)) {
      socket.once('close', () => addresses.leave(address));
      return true;
    }
    const code = CloseCode.TooManyConnections;
    counters.refusedConnections++;
    counters.closed(code);
    options.logger.debug({ address, code, close: closeCodeInfo(code).name }, 'refused behind a proxy');
    endSocket(socket, options.clock, httpRefusal(code));
    return false;
  }

  #upgradeRefusal(request: IncomingMessage): string | undefined {
    if (request.url?.split('?')[0] !== WEBSOCKET_PATH) return '404 Not Found';
    if (!this.#isAllowedOrigin(request)) return '403 Forbidden';
    if (this.#chat.draining) return '503 Service Unavailable';
    const offered = request.headers['sec-websocket-protocol'];
    // The subprotocol is the version: who offers others only speaks none that is spoken here.
    if (offered !== undefined && !offered.split(',').some((name) => name.trim() === SUBPROTOCOL)) {
      return '400 Bad Request';
    }
    return undefined;
  }

  /** RFC 6455, 10.2: a page from elsewhere must not act in the name of who looks at it. */
  #isAllowedOrigin(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (origin === undefined) return true;
    const allowed = this.#options.allowedOrigins ?? [];
    if (allowed.includes('*') || allowed.includes(origin)) return true;
    try {
      return new URL(origin).host === host;
    } catch {
      return false;
    }
  }
}

const MAX_FRAGMENTS = 1024;
/** What who is refused for now is told to wait. */
const RETRY_AFTER_S = 5;
/** What TCP carries at least in a packet that is not the last of its message. */
const SMALLEST_SEGMENT_BYTES = 256;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const OWN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', WEBSOCKET_PATH]);
const METHOD_NOT_ALLOWED: Answer = {
  status: 405,
  body: 'method not allowed',
  headers: { Allow: 'GET, HEAD' },
};

function isReading({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function defaultAnswer(request: IncomingMessage, path: string): Answer {
  if (!isReading(request)) return METHOD_NOT_ALLOWED;
  if (path !== '/') return { status: 404, body: 'not found' };
  return { status: 200, body: 'This is a chat server. Connect with a chat client, or with nc.' };
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body) + 1,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(`${body}\n`);
}

function refuse(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  // Nobody reads the socket any more, and so nobody would see the other side end it.
  socket.resume();
}

/** The HTTP answer to a connection that is refused before it could ask. */
export function httpRefusal(code: CloseCode): string {
  const status = code === CloseCode.TooManyConnections ? '429 Too Many Requests' : '503 Service Unavailable';
  return `HTTP/1.1 ${status}\r\nRetry-After: ${RETRY_AFTER_S}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
