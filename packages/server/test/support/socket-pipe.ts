/** Carriers of the operating system below a {@link WireClient}. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { Pipe } from './wire-client.js';

/** A pipe over a socket, and the socket for what only it can do. */
export interface SocketPipe extends Pipe {
  readonly socket: Socket;
}

export function tcpPipe(options: NetConnectOpts): SocketPipe {
  return overSocket(connect(options));
}

export function tlsPipe(port: number): SocketPipe {
  return overSocket(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }));
}

function overSocket(socket: Socket): SocketPipe {
  const pipe: SocketPipe = {
    socket,
    write: (bytes) => void socket.write(bytes),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    onBytes: () => {},
    onClose: () => {},
  };
  socket.on('data', (chunk: Uint8Array) => pipe.onBytes(chunk));
  socket.on('error', () => {});
  // Whoever is told that the other side ends has nothing to say either.
  socket.on('close', () => pipe.onClose());
  return pipe;
}

/** A WebSocket pipe. Writes wait until it is open. */
export function webSocketPipe(
  url: string,
  options: {
    readonly protocols?: readonly string[];
    readonly origin?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Pipe & { readonly websocket: WebSocket } {
  const { protocols = ['chat.v1'], origin, headers = {} } = options;
  const websocket = new WebSocket(url, [...protocols], {
    perMessageDeflate: false,
    rejectUnauthorized: false,
    headers,
    ...(origin === undefined ? {} : { origin }),
  });
  const opened = new Promise<void>((resolve) => {
    websocket.once('open', resolve);
  });
  const pipe = {
    websocket,
    write: (bytes: Uint8Array): void => {
      if (websocket.readyState === WebSocket.OPEN) websocket.send(bytes);
      else void opened.then(() => websocket.send(bytes));
    },
    end: () => websocket.close(),
    destroy: () => websocket.terminate(),
    pause: () => websocket.pause(),
    resume: () => websocket.resume(),
    onBytes: (_chunk: Uint8Array): void => {},
    onClose: (): void => {},
  };
  websocket.binaryType = 'nodebuffer';
  websocket.on('message', (data: Buffer) => pipe.onBytes(data));
  websocket.on('error', () => {});
  websocket.on('close', () => pipe.onClose());
  return pipe;
}
