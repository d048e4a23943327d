/** Every way to reach a server, for tests that must hold on each of them. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../../../test/support/find-program.js';
import type { HttpOptions } from '../../src/options/http-options.js';
import type { ChatServerOptions } from '../../src/options/options.js';
import { type ChatServer, createChatServer } from '../../src/server/chat-server.js';
import { makeCertificate, type TestCertificate } from './certificate.js';
import { tcpPipe, tlsPipe, webSocketPipe } from './socket-pipe.js';
import { type Pipe, WireClient } from './wire-client.js';

export type CarrierName = 'TCP' | 'Unix socket' | 'WebSocket' | 'TLS' | 'WebSocket in TLS';

/** What tests of TLS need; they are skipped where it is missing. */
export const openssl: string | undefined = findProgram('openssl');

export const CARRIERS: readonly CarrierName[] = [
  'TCP',
  // A named pipe has the same role on Windows, and other paths.
  ...(process.platform === 'win32' ? [] : (['Unix socket'] as const)),
  'WebSocket',
  ...(openssl ? (['TLS', 'WebSocket in TLS'] as const) : []),
];

let certificate: TestCertificate | undefined;

export function testCertificate(): TestCertificate {
  certificate ??= makeCertificate('127.0.0.1');
  return certificate;
}

export interface Station extends AsyncDisposable {
  readonly server: ChatServer;
  readonly port: number;
  readonly path: string;
  /** Whether clients begin with the preface. */
  readonly preface: boolean;
  pipe(): Pipe;
  connect(): WireClient;
  /** A member. */
  enter(name: string): Promise<WireClient>;
}

let sockets = 0;

/** A server that can be reached over `carrier`. */
export async function station(
  carrier: CarrierName,
  options: ChatServerOptions & { readonly http?: HttpOptions } = {},
): Promise<Station> {
  const server = createChatServer(options);
  const path = join(tmpdir(), `chat-test-${process.pid}-${++sockets}.sock`);
  const isTls = carrier === 'TLS' || carrier === 'WebSocket in TLS';
  const listening = await server.listen(
    carrier === 'Unix socket'
      ? { path }
      : { port: 0, host: '127.0.0.1', ...(isTls ? { tls: testCertificate() } : {}) },
  );
  const port = listening.kind === 'tcp' ? listening.port : 0;
  const preface = !carrier.startsWith('WebSocket');
  const pipe = (): Pipe => {
    switch (carrier) {
      case 'TCP':
        return tcpPipe({ port, host: '127.0.0.1' });
      case 'Unix socket':
        return tcpPipe({ path });
      case 'WebSocket':
        return webSocketPipe(`ws://127.0.0.1:${port}/ws`);
      case 'TLS':
        return tlsPipe(port);
      case 'WebSocket in TLS':
        return webSocketPipe(`wss://127.0.0.1:${port}/ws`);
    }
  };
  return {
    ...{ server, port, path, preface, pipe },
    connect: () => new WireClient(pipe()),
    enter: async (name) => {
      const client = new WireClient(pipe());
      await client.enter({ name }, preface);
      return client;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}
