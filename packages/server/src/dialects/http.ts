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
import { CloseCode } from '@chat/protocol';
import { WebSocketServer } from 'ws';
import type { Chat } from '../chat.js';
import type { TimerEntry } from '../timer-wheel.js';
import { BinaryPeer } from './binary.js';
import { MessageFramer, SUBPROTOCOL, WebSocketLink } from './websocket.js';

/** Largest request head. */
const MAX_HEADER_BYTES = 8192;
const WEBSOCKET_PATH = '/ws';

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
  readonly #deadlines = new WeakMap<object, TimerEntry>();
  readonly #sockets = new Set<Socket>();

  constructor(chat: Chat, options: HttpOptions) {
    this.#chat = chat;
    this.#options = options;
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 5000 });
    this.#server.on('request', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#websockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      clientTracking: false,
      // A message may hold several frames; each frame is checked on its own.
      maxPayload: chat.options.maxFrameBytes * 4,
      handleProtocols: (wanted) => (wanted.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
  }

  /** Takes over a connection whose first bytes, put back into the socket, are HTTP. */
  accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#disarm(socket);
    });
    this.#arm(socket);
    this.#server.emit('connection', socket);
  }

  /** Ends all connections that are not WebSockets. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#websockets.close();
  }

  /** A request must be complete in time, the next one on the same connection as well. */
  #arm(socket: Socket): void {
    const expire = (): undefined => {
      if (!socket.destroyed && socket.writable) {
        socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
      socket.destroySoon();
      return undefined;
    };
    this.#deadlines.set(socket, this.#chat.wheel.schedule({ expire }, this.#chat.options.handshakeTimeoutMs));
  }

  #disarm(socket: Socket): void {
    const entry = this.#deadlines.get(socket);
    if (entry) this.#chat.wheel.cancel(entry);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    response.once('close', () => {
      this.#disarm(socket);
      if (!socket.destroyed) this.#arm(socket);
    });
    const path = request.url?.split('?')[0] ?? '/';
    const answer = this.#answer(path) ?? (this.#options.handler ? undefined : defaultAnswer(request, path));
    if (answer) send(response, answer);
    else this.#options.handler?.(request, response);
  }

  /** What the server answers itself, whoever takes the rest. */
  #answer(path: string): Answer | undefined {
    switch (path) {
      case '/healthz':
        return { status: 200, body: 'ok' };
      case '/readyz':
        return this.#chat.draining ? { status: 503, body: 'draining' } : { status: 200, body: 'ready' };
      case WEBSOCKET_PATH:
        return { status: 426, body: 'this path speaks WebSocket', headers: { Upgrade: 'websocket' } };
      default:
        return undefined;
    }
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (request.url?.split('?')[0] !== WEBSOCKET_PATH) return refuse(socket, '404 Not Found');
    if (!this.#isAllowedOrigin(request)) {
      this.#chat.options.logger.debug({ origin: request.headers.origin }, 'foreign origin refused');
      return refuse(socket, '403 Forbidden');
    }
    if (this.#chat.draining) return refuse(socket, '503 Service Unavailable');
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
      this.#sockets.delete(socket);
      this.#disarm(socket);
      const link = new WebSocketLink(websocket, socket, this.#framer);
      new BinaryPeer(this.#chat, link, { dialect: 'websocket', preface: false });
    });
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

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function defaultAnswer(request: IncomingMessage, path: string): Answer {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, body: 'method not allowed', headers: { Allow: 'GET, HEAD' } };
  }
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
}

/** The HTTP answer to a connection that is refused before it could ask. */
export function httpRefusal(code: CloseCode): string {
  const status = code === CloseCode.TooManyConnections ? '429 Too Many Requests' : '503 Service Unavailable';
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
