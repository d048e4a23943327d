/**
 * What is said over HTTP: whole answers, and refusals for connections on which nobody has asked yet.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { CloseCode, WEBSOCKET_PATH } from '@chat/protocol';
import { hostOf } from './page-guard.js';

export const ONE_YEAR_S: number = 31_536_000;
/** RFC 9110, 15.5.22: names what the client has to speak. */
export const UPGRADE_REQUIRED: string = 'Upgrade Required\r\nUpgrade: TLS/1.2, HTTP/1.1';
export const TLS_ONLY: string = 'this server takes TLS only';
/** The wait that is told to a client which is refused for now. */
const RETRY_AFTER_S = 5;
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const OWN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', WEBSOCKET_PATH]);
export const METHOD_NOT_ALLOWED: Answer = {
  status: 405,
  body: 'method not allowed',
  headers: { Allow: 'GET, HEAD' },
};

/** The answer to a client that was held up, and asks for more all the same. */
export const TOO_MANY_REQUESTS: Answer = {
  status: 429,
  body: 'too many requests',
  headers: { 'Retry-After': String(RETRY_AFTER_S), Connection: 'close' },
};

export function isReading({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** A browser is sent to the secure page; everything else is told what to speak. */
export function plainRefusal({ headers, method, url = '/' }: IncomingMessage, path: string): Answer {
  const isPage = (method === 'GET' || method === 'HEAD') && /\btext\/html\b/.test(headers.accept ?? '');
  const host = headers.host;
  if (isPage && !OWN_PATHS.has(path) && url.startsWith('/') && host !== undefined && hostOf(host)) {
    return {
      status: 308,
      body: TLS_ONLY,
      headers: { Location: `https://${host}${url}`, Connection: 'close' },
    };
  }
  const headersOfIt = { Upgrade: 'TLS/1.2, HTTP/1.1', Connection: 'Upgrade, close' };
  return { status: 426, body: TLS_ONLY, headers: headersOfIt };
}

/** HSTS for loopback would hold for every other server of a developer. */
export function isLocalName({ headers }: IncomingMessage): boolean {
  return /^(localhost|.*\.localhost)$/.test(hostOf(headers.host)?.name ?? '');
}

export function defaultAnswer(request: IncomingMessage, path: string): Answer {
  if (!isReading(request)) return METHOD_NOT_ALLOWED;
  if (path !== '/') return { status: 404, body: 'not found' };
  return { status: 200, body: 'This is a chat server. Connect with a chat client, or with nc.' };
}

export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body) + 1,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(`${body}\n`);
}

export function refuse(socket: Socket, status: string, sentence = ''): void {
  const body = sentence === '' ? '' : `${sentence}\n`;
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  socket.end(`${head}${body === '' ? '' : 'Content-Type: text/plain; charset=utf-8\r\n'}\r\n${body}`);
  // The socket is read no more, so the end of the other side would not be seen.
  socket.resume();
}

/** The HTTP answer to a connection that is refused before it could ask. */
export function httpRefusal(code: CloseCode): string {
  const status = code === CloseCode.TooManyConnections ? '429 Too Many Requests' : '503 Service Unavailable';
  return `HTTP/1.1 ${status}\r\nRetry-After: ${RETRY_AFTER_S}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
