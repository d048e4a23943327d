/** A connection that says what a test wants, and remembers what it is answered. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';

export interface RawConnection {
  readonly socket: Socket;
  /** What was received so far, byte by byte. */
  text(): string;
  write(bytes: string | Uint8Array): void;
  /** Resolves with all that was received, once it matches; also when the connection ends. */
  until(matches: (text: string) => boolean): Promise<string>;
  /** Resolves with all that was received, at the end. */
  readonly closed: Promise<string>;
}

export function rawConnection(options: NetConnectOpts | Socket): RawConnection {
  const socket = 'write' in options ? options : connect(options);
  let text = '';
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return {
    socket,
    text: () => text,
    write: (bytes) => void socket.write(bytes),
    closed,
    until: (matches) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (matches(text)) resolve(text);
        };
        socket.on('data', look);
        void closed.then(resolve);
        look();
      }),
  };
}

/** One HTTP request over a connection of its own; answers its whole text. */
export async function exchangeHttp(port: number, lines: readonly string[]): Promise<string> {
  const connection = rawConnection({ port, host: '127.0.0.1' });
  connection.write(`${lines.join('\r\n')}\r\n\r\n`);
  const text = await connection.until((answer) => answer.includes('\r\n\r\n'));
  connection.socket.destroy();
  return text;
}

/** The lines that open a WebSocket. */
export function upgradeLines(headers: Readonly<Record<string, string>>): string[] {
  return [
    'GET /ws HTTP/1.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
}
