/** What `authenticate` sees of how a client came: over TCP, and with the upgrade of a WebSocket. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WEBSOCKET_SUBPROTOCOL } from '@chat/protocol';
import { encodeFrame, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { findProgram } from '../../../../test/support/find-program.js';
import { readCookies } from '../../src/connection/client-request.js';
import type { Visitor } from '../../src/options/hooks.js';
import { createChatServer } from '../../src/server/chat-server.js';
import { makeCertificate } from '../support/certificate.js';

const openssl = findProgram('openssl');

function serverThatSees(): { server: ReturnType<typeof createChatServer>; seen: Promise<Visitor> } {
  let see!: (visitor: Visitor) => void;
  const seen = new Promise<Visitor>((resolve) => {
    see = resolve;
  });
  const server = createChatServer({
    hooks: {
      authenticate: (_credentials, visitor) => {
        see(visitor);
        return { ok: true };
      },
    },
  });
  return { server, seen };
}

describe('session.request', () => {
  it('has headers, cookies, URL and query of an upgrade', async () => {
    const { server, seen } = serverThatSees();
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?room=a%20b&room=c`, [WEBSOCKET_SUBPROTOCOL], {
      headers: { Authorization: 'Bearer abc', Cookie: 'sid="s=1"; theme=dark; sid=2' },
    });
    await once(socket, 'open');
    const hello = { name: 'ada', maxFrameBytes: 65_536, clientSecret: 'a secret of the client' };
    socket.send(encodeFrame({ type: FrameType.Hello, hello }));
    const { request, address, dialect } = await seen;
    expect(request.headers.authorization).toBe('Bearer abc');
    expect(request.url).toBe('/ws?room=a%20b&room=c');
    expect(request.query.getAll('room')).toEqual(['a b', 'c']);
    expect([...request.cookies]).toEqual([
      ['sid', 's=1'],
      ['theme', 'dark'],
    ]);
    expect(request.certificate).toBeUndefined();
    expect(request.clientId).toMatch(/^[\w-]{43}$/);
    expect([address, dialect]).toEqual(['127.0.0.1', 'websocket']);
    await server.close();
  });

  it.skipIf(!openssl)('has the certificate of a client, once it was checked', async () => {
    const { server, seen } = serverThatSees();
    const [authority, own] = [makeCertificate('ada'), makeCertificate('server')];
    const tls = { ...own, clientCa: authority.cert };
    const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls });
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...authority });
    socket.on('error', () => {}).write('somebody\n');
    const { request } = await seen;
    expect(request.certificate?.subject.CN).toBe('ada');
    await server.close();
  });

  it('has nothing of HTTP where there is none', async () => {
    const { server, seen } = serverThatSees();
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write('ada\n');
    const { request } = await seen;
    expect(request).toMatchObject({ headers: {}, url: '', clientId: '' });
    expect([request.query.size, request.cookies.size, request.certificate]).toEqual([0, 0, undefined]);
    await server.close();
  });
});

describe('readCookies', () => {
  it('takes what browsers and others send', () => {
    expect([...readCookies('a=1; b="two"; =x; c; __proto__=p; d=e=f;')]).toEqual([
      ['a', '1'],
      ['b', 'two'],
      ['__proto__', 'p'],
      ['d', 'e=f'],
    ]);
    expect(readCookies('').size).toBe(0);
  });
});
