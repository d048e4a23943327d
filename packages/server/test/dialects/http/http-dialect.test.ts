/** HTTP on the chat port: sane answers, limits in size and time, and a handler of the program around. */
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Station, station } from '../../support/carriers.js';
import { LogLines } from '../../support/log-lines.js';
import { ManualClock } from '../../support/manual-clock.js';
import { turn, until } from '../../support/turn.js';

interface Raw {
  readonly socket: Socket;
  readonly answer: () => string;
  readonly ended: Promise<void>;
}

function raw(server: Station, head = ''): Raw {
  const socket = connect(server.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.on('error', () => {});
  if (head !== '') socket.write(head);
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  return { socket, answer: () => answer, ended };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

describe('an HTTP request', () => {
  it.each([
    ['GET', '/', 200, 'chat server'],
    ['GET', '/healthz', 200, 'ok'],
    ['GET', '/readyz?x=1', 200, 'ready'],
    ['GET', '/ws', 426, 'WebSocket'],
    ['GET', '/nothing', 404, 'not found'],
    ['GET', '/../etc/passwd', 404, 'not found'],
    ['POST', '/', 405, 'not allowed'],
    ['POST', '/healthz', 405, 'not allowed'],
    ['DELETE', '/ws', 405, 'not allowed'],
    ['PUT', '/x', 405, 'not allowed'],
    ['OPTIONS', '/', 405, 'not allowed'],
    ['PATCH', '/', 405, 'not allowed'],
  ])('%s %s is answered %i', async (method, path, status, body) => {
    await using server = await station('TCP');
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(body);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    if (status === 405) expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it.each([
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', '405'],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', '405'],
    ['HEAD', 'HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', '200'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'],
    ['a request without a host', 'GET / HTTP/1.1\r\n\r\n', '400'],
    ['garbage', 'GET \0\0\0\r\n\r\n', '400'],
    ['a header of 9 KB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, '431'],
    ['a path of 9 KB', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, '431'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', '400'],
  ])('%s gets an answer and nothing else', async (_what, head, status) => {
    await using server = await station('TCP');
    const { socket, answer } = raw(server, head);
    await new Promise<void>((resolve) => socket.once('end', resolve));
    expect(answer()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer().match(/HTTP\/1\.1/g)).toHaveLength(1);
    if (head.startsWith('HEAD')) expect(answer()).toMatch(/\r\n\r\n$/);
    socket.destroy();
  });

  it.each([
    [undefined, 405],
    ['own', 405],
    ['https://evil.example', 403],
  ])('of a page at %s that asks why its WebSocket did not open is answered %i', async (origin, status) => {
    await using server = await station('TCP');
    const own = `http://127.0.0.1:${server.port}`;
    const headers: Record<string, string> =
      origin === undefined ? {} : { origin: origin === 'own' ? own : origin };
    const response = await fetch(`${own}/ws`, { method: 'POST', headers });
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(status === 403 ? 'allow the origin' : 'not allowed');
  });

  it('may come byte by byte, and one after the other on one connection', async () => {
    await using server = await station('TCP');
    const { socket, answer } = raw(server);
    socket.setNoDelay(true);
    for (const byte of 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n') {
      socket.write(byte);
      await turn();
    }
    await until(() => answer().includes('ok\n'));
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => answer().includes('not found\n'));
    expect(answer().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
    socket.destroy();
    await until(() => server.server.stats().openConnections === 0);
  });

  it('that dribbles in is timed out, the first and any other', async () => {
    const clock = new ManualClock();
    const logger = new LogLines();
    await using server = await station('TCP', { clock, logger, handshakeTimeoutMs: 2000 });
    const slow = raw(server, 'GET / HTTP/1.1\r\n');
    const second = raw(server, `${get('/healthz').replace('close', 'keep-alive')}`);
    await until(() => second.answer().includes('ok\n') && server.server.stats().openConnections === 2);
    await turn(3);
    for (let i = 0; i < 5; i++) {
      clock.advance(500);
      slow.socket.write('X: y\r\n');
      second.socket.write('G');
      await turn();
    }
    await slow.ended;
    await second.ended;
    expect(slow.answer()).toMatch(/^HTTP\/1\.1 408 /);
    expect(logger.at('debug').some(({ message }) => message === 'HTTP request timed out')).toBe(true);
  });
});

describe('a connection that is kept', () => {
  it('is quiet for longer than a load balancer keeps it, and is closed without a word', async () => {
    const clock = new ManualClock();
    await using server = await station('TCP', { clock, handshakeTimeoutMs: 10_000 });
    const kept = raw(server, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => kept.answer().includes('ok\n'));
    await turn(3);
    expect(kept.answer()).toContain('Keep-Alive: timeout=75\r\n');
    clock.advance(61_000);
    kept.socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => kept.answer().includes('ready\n'));
    await turn(3);
    const answered = kept.answer();
    clock.advance(76_000);
    await kept.ended;
    expect(kept.answer()).toBe(answered);
  });

  it.each([0, 1.5, Number.POSITIVE_INFINITY])(
    'has no keepAliveTimeoutMs of %s',
    async (keepAliveTimeoutMs) => {
      await expect(station('TCP', { http: { keepAliveTimeoutMs } })).rejects.toMatchObject({
        code: 'ERR_SERVER_BAD_OPTION',
      });
    },
  );
});

describe('an upgrade that is not wanted', () => {
  const upgrade = (name: string): string => `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${name}\r\n`;

  it.each(['h2c', 'TLS/1.2', 'h2c, IRC/6.9'])(
    'is ignored (%s): the request is answered, and the next one',
    async (name) => {
      await using server = await station('TCP', {
        http: {
          handler: async (request, response) => {
            let body = '';
            for await (const chunk of request) body += String(chunk);
            response.end(`${request.method} ${body} ${request.headers.upgrade}`);
          },
        },
      });
      const { socket, answer } = raw(
        server,
        `GET /healthz HTTP/1.1\r\nHost: x\r\n${upgrade(name)}HTTP2-Settings: AAMA\r\n\r\n`,
      );
      await until(() => answer().includes('ok\n'));
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${upgrade(name)}Content-Length: 4\r\n\r\nbo`);
      await turn(3);
      socket.write('dy');
      await until(() => answer().includes('POST body undefined'));
      expect(answer().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
      socket.destroy();
      await until(() => server.server.stats().openConnections === 0);
    },
  );
});

describe('a handler', () => {
  const withHandler = (handler: RequestListener, options = {}): Promise<Station> =>
    station('TCP', { ...options, http: { handler } });

  it('takes what the server does not answer itself', async () => {
    await using server = await withHandler(
      (request, response) => void response.end(`mine: ${request.method} ${request.url}`),
    );
    const base = `http://127.0.0.1:${server.port}`;
    expect(await (await fetch(`${base}/metrics`)).text()).toBe('mine: GET /metrics');
    expect(await (await fetch(`${base}/`, { method: 'POST', body: 'x' })).text()).toBe('mine: POST /');
    expect(await (await fetch(`${base}/healthz`)).text()).toBe('ok\n');
    expect((await fetch(`${base}/ws`)).status).toBe(426);
  });

  it.each<[string, RequestListener]>([
    [
      'throws',
      () => {
        throw new Error('oops');
      },
    ],
    [
      'rejects',
      (async () => {
        throw new Error('oops');
      }) as RequestListener,
    ],
  ])('that %s is answered 500 and logged, and the server goes on', async (_what, handler) => {
    const logger = new LogLines();
    await using server = await withHandler(handler, { logger });
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    expect([response.status, await response.text()]).toEqual([500, 'the server failed\n']);
    expect(logger.at('error')).toHaveLength(1);
    expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);
  });

  it('may take its time', async () => {
    const clock = new ManualClock();
    let finish = (): void => {};
    await using server = await withHandler(
      (_request, response) => {
        finish = () => response.end('at last');
      },
      { clock, handshakeTimeoutMs: 1000 },
    );
    const patient = raw(server, get('/'));
    await until(() => server.server.stats().openConnections === 1);
    await turn(5);
    for (let i = 0; i < 30; i++) clock.advance(10_000);
    finish();
    await patient.ended;
    expect(patient.answer()).toContain('at last');
    expect(patient.answer()).not.toContain('408');
  });

  it('does not wait for ever for one who does not read', async () => {
    const clock = new ManualClock();
    await using server = await withHandler(
      (_request, response) => void response.end(Buffer.alloc(64_000_000)),
      { clock },
    );
    const stuck = raw(server, get('/'));
    stuck.socket.pause();
    await until(() => stuck.socket.bytesWritten > 0 && server.server.stats().openConnections === 1);
    await turn(20);
    clock.advance(60_250);
    await turn();
    expect(server.server.stats().openConnections).toBe(1);
    clock.advance(60_250);
    await until(() => server.server.stats().openConnections === 0);
    stuck.socket.destroy();
  });
});

describe('the chat port', () => {
  it('answers in HTTP when there are too many connections from one address', async () => {
    await using server = await station('TCP', { maxConnectionsPerAddress: 1 });
    const first = raw(server);
    await until(() => server.server.stats().openConnections === 1);
    const second = raw(server, get('/'));
    await second.ended;
    expect(second.answer()).toMatch(/^HTTP\/1\.1 429 .*\r\nRetry-After: 5\r\n/);
    first.socket.destroy();
  });

  it('is not ready for newcomers when memory is short, and alive all the same', async () => {
    await using server = await station('TCP', { maxMemoryBytes: 1 });
    const url = `http://127.0.0.1:${server.port}`;
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, 'short of memory\n']);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('closes what is neither line nor request yet when the time is up', async () => {
    const clock = new ManualClock();
    const logger = new LogLines();
    await using server = await station('TCP', {
      clock,
      logger,
      handshakeTimeoutMs: 1000,
      lineIdleMs: 0,
    });
    const half = raw(server, 'GE');
    const silent = raw(server);
    await until(() => server.server.stats().openConnections === 2);
    await turn(3);
    clock.advance(1500);
    await half.ended;
    await silent.ended;
    for (const { answer } of [half, silent])
      expect(answer()).toBe('*** handshake timeout (handshake-timeout)\n');
    expect(logger.toldClose('handshake-timeout')).toBe(true);
  });
});
