/**
 * A proxy in front of a server, as there are many: it takes a path off, rewrites the Host, or lets no
 * WebSocket through.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ProxyOptions {
  /** The path that it takes off. */
  readonly path?: string;
  /** What it writes into the Host header instead of what the browser did. */
  readonly host?: string;
  /** What becomes of an upgrade: passed on, or sent on as a plain request. */
  readonly upgrade?: boolean;
}

export interface RunningProxy {
  readonly port: number;
  /** What was asked for beside the path. */
  readonly missed: string[];
  stop(): void;
}

/** Starts a proxy to the server at `target`. */
export async function startProxy(target: number, options: ProxyOptions = {}): Promise<RunningProxy> {
  const { path = '', host, upgrade = true } = options;
  const missed: string[] = [];
  const sockets = new Set<Socket>();
  const inner = (message: IncomingMessage): string | undefined => {
    const { url = '' } = message;
    if (url.startsWith(`${path}/`)) return url.slice(path.length);
    if (url !== '/favicon.ico') missed.push(url);
    return undefined;
  };
  const headersOf = (message: IncomingMessage): IncomingMessage['headers'] => ({
    ...message.headers,
    ...(host !== undefined && { host }),
  });
  const proxy = createServer((message, answer) => {
    const url = inner(message);
    if (url === undefined) {
      answer.writeHead(404).end();
      return;
    }
    const { method } = message;
    const onward = request({
      port: target,
      host: '127.0.0.1',
      path: url,
      method,
      headers: headersOf(message),
    });
    onward.on('error', () => answer.destroy());
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    message.pipe(onward);
  });
  proxy.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    const url = inner(message);
    if (url === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
      return;
    }
    const lines = Object.entries(headersOf(message))
      .filter(([name]) => upgrade || !/^(upgrade|connection)$/.test(name))
      .map(([name, value]) => `${name}: ${value}\r\n`);
    const onward = connect(target, '127.0.0.1');
    for (const end of [socket, onward]) end.on('error', () => {});
    onward.write(`GET ${url} HTTP/1.1\r\n${lines.join('')}\r\n`);
    onward.write(head);
    socket.pipe(onward).pipe(socket);
  });
  proxy.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    missed,
    stop() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
