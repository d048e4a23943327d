/** The server that is looked at: where it is, and how it is reached. */
import { readFileSync } from 'node:fs';
import { type RequestOptions as HttpOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DEFAULT_PORT, WEBSOCKET_PATH } from '@chat/protocol';

/** How long anything may take. */
export const ANSWER_MS = 5000;

export interface Target {
  readonly url: string;
  /** Empty for a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
  readonly isTls: boolean;
  /** Whether the chat goes over a WebSocket, as for a page. */
  readonly isWebSocket: boolean;
  /** Where the WebSocket is. */
  readonly path: string;
  /** A certificate to trust. */
  readonly ca: Buffer | undefined;
}

/** @param url as `parseServerAddress` answers it */
export function targetOf(url: string, tlsCa: string | undefined): Target {
  const ca = tlsCa === undefined ? undefined : readFileSync(tlsCa);
  if (url.startsWith('unix:')) {
    const socketPath = url.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    const plain = { host: '', port: 0, isTls: false, isWebSocket: false, path: WEBSOCKET_PATH };
    return { url, socketPath, ca, ...plain };
  }
  const { protocol, hostname, port, pathname } = new URL(url);
  const isWebSocket = protocol.startsWith('ws');
  const isTls = protocol === 'tls:' || protocol === 'wss:';
  const usual = isWebSocket ? (isTls ? 443 : 80) : DEFAULT_PORT;
  return {
    url,
    host: decodeURIComponent(hostname).replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? usual : Number(port),
    socketPath: undefined,
    isTls,
    isWebSocket,
    path: isWebSocket && pathname !== '/' ? pathname : WEBSOCKET_PATH,
    ca,
  };
}

/** An answer over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The beginning of it. */
  readonly body: string;
}

const MAX_BODY = 4096;

/** Asks over HTTP, without trust in any certificate: that is looked at by itself. */
export function ask(
  target: Target,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { host, port, socketPath, isTls } = target;
  const where: HttpOptions = socketPath === undefined ? { host, port } : { socketPath };
  const options = {
    ...where,
    path,
    headers: { connection: 'close', ...headers },
    agent: false,
    timeout: ANSWER_MS,
  };
  return new Promise((resolve, reject) => {
    const request = isTls ? requestHttps({ ...options, rejectUnauthorized: false }) : requestHttp(options);
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body = (body + chunk).slice(0, MAX_BODY);
      });
      const { statusCode: status = 0, headers: told } = response;
      response.on('end', () => resolve({ status, headers: told, body }));
      response.on('error', reject);
    });
    // What follows would be frames of a WebSocket.
    request.on('upgrade', ({ statusCode: status = 0, headers: told }, socket) => {
      socket.destroy();
      resolve({ status, headers: told, body: '' });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    request.on('error', reject);
    request.end();
  });
}

/** Opens a plain or an encrypted connection, likewise without trust. */
export function open(target: Target): Socket {
  const { host, port, socketPath, isTls } = target;
  if (socketPath !== undefined) return connect(socketPath);
  if (!isTls) return connect({ host, port });
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  return connectTls({ host, port, ...name, rejectUnauthorized: false });
}
