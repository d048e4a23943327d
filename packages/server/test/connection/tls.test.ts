/** Certificates by name, and certificates of clients, over real handshakes. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { TlsOptions } from '../../src/connection/tls.js';
import { ServerErrorCode } from '../../src/errors.js';
import { type ChatServer, createChatServer } from '../../src/server/chat-server.js';
import { openssl } from '../support/carriers.js';
import { makeCertificate } from '../support/certificate.js';
import { LogLines } from '../support/log-lines.js';

async function listening(tls: TlsOptions, logger = new LogLines()): Promise<ChatServer & { port: number }> {
  const server = createChatServer({ logger });
  const { port } = await server.listen({ port: 0, host: '127.0.0.1', tls });
  return Object.assign(server, { port });
}

function dial(port: number, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  return socket.on('error', () => {});
}

/** The common name of the certificate that a client sees which asks for `servername`. */
function shown(port: number, servername?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(port, servername === undefined ? {} : { servername });
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
  });
}

/** Whether a client that says a name gets in, and hears itself answered. */
function isLetIn(port: number, options: ConnectionOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, options);
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    socket.once('data', (chunk) => resolve(String(chunk).includes('200 OK')));
    socket.once('close', () => resolve(false));
  });
}

describe.skipIf(!openssl)('TLS', () => {
  it('shows the certificate of the name that is asked for, and its own to everybody else', async () => {
    await using server = await listening({
      ...makeCertificate('own'),
      serverNames: { 'Chat.example.org': makeCertificate('one'), '*.example.net': makeCertificate('star') },
    });
    const { port } = server;
    expect(await shown(port)).toBe('own');
    expect(await shown(port, 'chat.example.org')).toBe('one');
    expect(await shown(port, 'CHAT.example.ORG')).toBe('one');
    expect(await shown(port, 'a.example.net')).toBe('star');
    expect(await shown(port, 'a.b.example.net')).toBe('own');
    expect(await shown(port, 'example.net')).toBe('own');

    server.reloadCertificate(makeCertificate('own again'));
    expect(await shown(port)).toBe('own again');
    expect(await shown(port, 'chat.example.org')).toBe('one');
    server.reloadCertificate({
      ...makeCertificate('third'),
      serverNames: { 'a.example.net': makeCertificate('a') },
    });
    expect(await shown(port, 'a.example.net')).toBe('a');
    expect(await shown(port, 'chat.example.org')).toBe('third');

    const unusable = {
      ...makeCertificate('fourth'),
      serverNames: { 'b.example.net': { cert: '', key: 'x' } },
    };
    expect(() => server.reloadCertificate(unusable)).toThrow(
      expect.objectContaining({ code: ServerErrorCode.BadOption }),
    );
    expect(await shown(port)).toBe('third');
  });

  it('lets only clients in that have a certificate of their authority, also after a reload', async () => {
    const logger = new LogLines();
    const [authority, stranger] = [makeCertificate('authority'), makeCertificate('stranger')];
    await using server = await listening({ ...makeCertificate('own'), clientCa: authority.cert }, logger);
    for (let round = 0; round < 2; round++) {
      expect(await isLetIn(server.port, authority)).toBe(true);
      expect(await isLetIn(server.port, stranger)).toBe(false);
      expect(await isLetIn(server.port, {})).toBe(false);
      server.reloadCertificate(makeCertificate('another'));
    }
    expect(logger.at('debug').filter(({ message }) => message === 'TLS handshake failed')).toHaveLength(4);
  });

  it('speaks no version below the least one', async () => {
    await using server = await listening({ ...makeCertificate('own'), minVersion: 'TLSv1.3' });
    expect(await isLetIn(server.port, { maxVersion: 'TLSv1.2' })).toBe(false);
    expect(await isLetIn(server.port, {})).toBe(true);
    await using usual = await listening(makeCertificate('own'));
    expect(await isLetIn(usual.port, { maxVersion: 'TLSv1.2' })).toBe(true);
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    expect(await isLetIn(usual.port, old)).toBe(false);
  });
});
