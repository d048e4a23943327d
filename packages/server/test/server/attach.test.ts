/** A chat inside an application: Express, Fastify, and a plain server with a WebSocket of its own. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectTcp } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createChatServer } from '../../src/server/chat-server.js';
import { openssl, testCertificate } from '../support/carriers.js';
import { webSocketPipe } from '../support/socket-pipe.js';
import { until } from '../support/turn.js';
import { WireClient } from '../support/wire-client.js';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function enter(url: string, name: string): Promise<WireClient> {
  const client = new WireClient(webSocketPipe(url));
  await client.enter({ name }, false);
  return client;
}

/** Asks for an upgrade by hand; the status and headers of the answer. */
function upgrade(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve) => {
    const all = {
      Host: `127.0.0.1:${port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connectTcp(port, '127.0.0.1', () =>
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.startsWith('HTTP/1.1 101')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

function chatServer(...args: Parameters<typeof createChatServer>): ReturnType<typeof createChatServer> {
  const chat = createChatServer(...args);
  closers.push(() => chat.close());
  return chat;
}

describe('attach', () => {
  it('puts the chat into an Express application, which answers everything else', async () => {
    const app = express();
    app.get('/hello', (_request, response) => void response.send('from Express'));
    const server = createServer(app);
    const chat = chatServer();
    chat.attach(server, { path: '/team/chat' });
    const port = await listen(server);
    const ada = await enter(`ws://127.0.0.1:${port}/team/chat?x=1`, 'ada');
    const lobby = await ada.join('lobby');
    await chat.publish('lobby', 'welcome', { as: 'app' });
    await until(() => ada.texts(lobby.handle).includes('welcome'));
    expect(await (await fetch(`http://127.0.0.1:${port}/hello`)).text()).toBe('from Express');
    expect((await fetch(`http://127.0.0.1:${port}/team/chat`)).status).toBe(404);
    expect(await upgrade(port, '/elsewhere')).toMatch(/^HTTP\/1.1 404 /);
  });

  it('puts it into a Fastify application', async () => {
    const app = fastify();
    app.get('/hello', async () => 'from Fastify');
    const chat = chatServer();
    chat.attach(app.server, { path: '/chat' });
    closers.push(() => app.close());
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const ada = await enter(`ws://127.0.0.1:${port}/chat`, 'ada');
    expect(chat.users()).toMatchObject([{ name: 'ada' }]);
    expect(await (await fetch(`http://127.0.0.1:${port}/hello`)).text()).toBe('from Fastify');
    ada.pipe.destroy();
  });

  it('leaves other WebSockets alone, whichever listener stands first', async () => {
    const server = createServer();
    const others = new WebSocketServer({ noServer: true });
    const chat = chatServer();
    const takeOthers = (...[request, socket, head]: Parameters<typeof others.handleUpgrade>): void => {
      if (request.url === '/echo') {
        others.handleUpgrade(request, socket, head, (peer) => peer.on('message', (data) => peer.send(data)));
      }
    };
    chat.attach(server);
    server.on('upgrade', takeOthers);
    const port = await listen(server);
    const echo = new WebSocket(`ws://127.0.0.1:${port}/echo`);
    await once(echo, 'open');
    echo.send('still mine');
    expect(String((await once(echo, 'message'))[0])).toBe('still mine');
    await enter(`ws://127.0.0.1:${port}/ws`, 'ada');
    await chat.close();
    echo.send('and still');
    expect(String((await once(echo, 'message'))[0])).toBe('and still');
    expect(server.listenerCount('upgrade')).toBe(1);
    echo.terminate();
  });

  it.skipIf(!openssl)('works within TLS, and beside a port of its own', async () => {
    const server = createSecureServer(testCertificate());
    const chat = chatServer();
    const own = await chat.listen({ port: 0, host: '127.0.0.1' });
    chat.attach(server);
    const port = await listen(server as unknown as Server);
    const ada = await enter(`wss://127.0.0.1:${port}/ws`, 'ada');
    const bob = await enter(`ws://127.0.0.1:${own.port}/ws`, 'bob');
    const [lobby] = [await ada.join('lobby'), await bob.join('lobby')];
    await bob.say((await bob.join('lobby')).handle, 'hello');
    await until(() => ada.texts(lobby.handle).includes('hello'));
  });

  it('refuses pages from elsewhere, other subprotocols, and what is no WebSocket', async () => {
    const server = createServer();
    const chat = chatServer();
    chat.attach(server);
    const port = await listen(server);
    expect(await upgrade(port, '/ws', { Origin: 'https://evil.example' })).toMatch(/^HTTP\/1.1 403 /);
    expect(await upgrade(port, '/ws', { Origin: `http://127.0.0.1:${port}` })).toMatch(/^HTTP\/1.1 101 /);
    expect(await upgrade(port, '/ws', { 'Sec-WebSocket-Protocol': 'other' })).toMatch(/^HTTP\/1.1 400 /);
    expect(await upgrade(port, '/ws', { Upgrade: 'h2c' })).toMatch(/^HTTP\/1.1 426 /);
  });

  it('counts by the address that a trusted proxy names, and refuses one that has too many', async () => {
    const server = createServer();
    const chat = chatServer({ maxConnectionsPerAddress: 1, trustedProxies: ['127.0.0.1'] });
    chat.attach(server);
    const port = await listen(server);
    const from = (address: string): Promise<string> => upgrade(port, '/ws', { 'X-Forwarded-For': address });
    const first = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { 'X-Forwarded-For': '192.0.2.1' } });
    await once(first, 'open');
    expect(chat.stats().openConnections).toBe(1);
    expect(await from('192.0.2.1')).toMatch(/^HTTP\/1.1 429 /);
    expect(await from('192.0.2.2')).toMatch(/^HTTP\/1.1 101 /);
    first.terminate();
    await until(() => chat.stats().openConnections === 0);
    expect(await from('192.0.2.1')).toMatch(/^HTTP\/1.1 101 /);
  });

  it('drains and closes these connections, and lets the application live', async () => {
    const server = createServer((_request, response) => void response.end('alive'));
    const chat = chatServer();
    const detach = chat.attach(server, { path: '/one' });
    chat.attach(server, { path: '/two' });
    const port = await listen(server);
    const ada = await enter(`ws://127.0.0.1:${port}/one`, 'ada');
    detach();
    expect(await upgrade(port, '/one')).toMatch(/^HTTP\/1.1 404 /);
    expect(await chat.drain()).toEqual({ drained: 1, forced: 0 });
    await ada.closed;
    expect(server.listenerCount('upgrade')).toBe(0);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('alive');
    expect(() => chat.attach(server)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_CLOSED' }));
  });

  it('handles an upgrade that the application decides about, and refuses it once closed', async () => {
    const server = createServer();
    const chat = chatServer();
    server.on('upgrade', (request, socket, head) => chat.handleUpgrade(request, socket, head));
    const port = await listen(server);
    await enter(`ws://127.0.0.1:${port}/anything/at/all`, 'ada');
    await chat.close();
    expect(await upgrade(port, '/anything')).toMatch(/^HTTP\/1.1 503 /);
  });

  it.each([['chat'], ['/a?b'], [''], [5]])('refuses the path %j', (path) => {
    const chat = chatServer();
    expect(() => chat.attach(createServer(), { path: path as string })).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_BAD_OPTION' }),
    );
  });
});
