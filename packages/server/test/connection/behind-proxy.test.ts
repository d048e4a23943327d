/** Connections through a proxy that names the client first, in every dialect. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChatServerOptions } from '../../src/options/options.js';
import { type ChatServer, createChatServer } from '../../src/server/chat-server.js';
import { openssl, testCertificate } from '../support/carriers.js';
import { LogLines } from '../support/log-lines.js';
import { turn, until } from '../support/turn.js';

const PROXY: ChatServerOptions = { proxyProtocol: true, trustedProxies: ['127.0.0.1'] };
const header = (address: string): string => `PROXY TCP4 ${address} 127.0.0.1 1 2\r\n`;

let server: ChatServer;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

async function start(options: ChatServerOptions = PROXY, isTls = false): Promise<number> {
  server = createChatServer(options);
  const tls = isTls ? { tls: testCertificate() } : {};
  return (await server.listen({ port: 0, host: '127.0.0.1', ...tls })).port;
}

/** A connection that says `text`; what it is told is in `text()`. */
function open(
  port: number,
  said: string | Buffer,
): { socket: Socket; text: () => string; closed: Promise<void> } {
  const socket = connect(port, '127.0.0.1', () => socket.write(said));
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, text: () => text, closed };
}

const addresses = (): string[] => server.sessions().map(({ name, address }) => `${name} ${address}`);

describe('behind a proxy', () => {
  it('is the client that the header names, in lines, over HTTP, and in pieces', async () => {
    const port = await start();
    open(port, `${header('192.0.2.1')}ada\n`);
    const { socket } = open(port, header('192.0.2.2').slice(0, 9));
    await until(() => addresses().length === 1);
    socket.write(`${header('192.0.2.2').slice(9)}bob\n`);
    await until(() => addresses().length === 2);
    expect(addresses().sort()).toEqual(['ada 192.0.2.1', 'bob 192.0.2.2']);
    const page = open(
      port,
      `${header('192.0.2.3')}GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    await page.closed;
    expect(page.text()).toMatch(/^HTTP\/1.1 200 /);
  });

  it.skipIf(!openssl)('is that client within TLS as well', async () => {
    const port = await start(PROXY, true);
    const { socket } = open(port, '');
    socket.removeAllListeners('data');
    socket.write(header('192.0.2.9'));
    const secure = connectTls({ socket, rejectUnauthorized: false }, () => secure.write('ada\n'));
    await until(() => addresses().length === 1);
    expect(addresses()).toEqual(['ada 192.0.2.9']);
  });

  it('is limited and banned by the address of the client, not by that of the proxy', async () => {
    const port = await start({ ...PROXY, maxConnectionsPerAddress: 1 });
    open(port, `${header('192.0.2.1')}ada\n`);
    await until(() => addresses().length === 1);
    const second = open(port, `${header('192.0.2.1')}eve\n`);
    await second.closed;
    expect(second.text()).toContain('(too-many-connections)');
    const bob = open(port, `${header('192.0.2.2')}bob\n`);
    await until(() => addresses().length === 2);
    expect(server.banAddress('192.0.2.2', 60_000)).toBe(true);
    await bob.closed;
    await until(() => server.stats().openConnections === 1);
    const banned = open(port, `${header('192.0.2.2')}bob\n`);
    await banned.closed;
    expect(banned.text()).toContain('(banned)');
    expect(addresses()).toEqual(['ada 192.0.2.1']);
  });

  it.each([
    ['no header', 'ada\n'],
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
    ['an address that is none', 'PROXY TCP4 999.0.2.1 127.0.0.1 1 2\r\nada\n'],
    ['a header without an end', `PROXY TCP4 ${'1'.repeat(65_536)}`],
    ['a binary header of 64 KB', Buffer.from('0d0a0d0a000d0a515549540a2111ffff', 'hex')],
  ])('refuses %s of the proxy with one code', async (_what, said) => {
    const logger = new LogLines();
    const port = await start({ ...PROXY, logger });
    const wrong = open(port, said);
    await wrong.closed;
    expect(wrong.text()).toContain('(protocol-error)');
    expect(server.stats().sessions).toBe(0);
    expect(logger.at('warn')).toMatchObject([{ fields: { option: 'proxyProtocol' } }]);
    await until(() => server.stats().openConnections === 0);
  });

  it('takes the proxy itself for the client where the header says so', async () => {
    const port = await start();
    open(port, 'PROXY UNKNOWN\r\nada\n');
    await until(() => addresses().length === 1);
    expect(addresses()).toEqual(['ada 127.0.0.1']);
  });

  it('believes nobody else: a header of a stranger is a line', async () => {
    const port = await start({ ...PROXY, trustedProxies: ['203.0.113.1'] });
    const stranger = open(port, `${header('192.0.2.1')}`);
    await until(() => addresses().length === 1 || stranger.text() !== '');
    await turn();
    expect(addresses().every((who) => who.endsWith(' 127.0.0.1'))).toBe(true);
  });

  it('is refused as an option where no proxy is trusted', () => {
    server = createChatServer();
    const options = { proxyProtocol: true };
    expect(() => createChatServer(options)).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_BAD_OPTION' }),
    );
  });
});
