/** Requests of one HTTP connection are answered one at a time, in order, whatever the client pipelines (RFC 9112, 9.3.2). */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { station } from '../../support/carriers.js';
import { ManualClock } from '../../support/manual-clock.js';
import { turn, until } from '../../support/turn.js';

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`;
const upgrade =
  'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: chat.v1\r\n\r\n';

/** A server whose pages are answered when the test says so. */
async function slowly(options = {}): Promise<{
  send(text: string): void;
  answers: () => string;
  waiting: [string, ServerResponse][];
  server: Awaited<ReturnType<typeof station>>;
  pipe: ReturnType<Awaited<ReturnType<typeof station>>['pipe']>;
}> {
  const waiting: [string, ServerResponse][] = [];
  const handler: RequestListener = (request, response) => void waiting.push([request.url ?? '', response]);
  const server = await station('TCP', { ...options, http: { handler } });
  const pipe = server.pipe();
  let text = '';
  pipe.onBytes = (chunk) => {
    text += Buffer.from(chunk).toString('latin1');
  };
  return { send: (bytes) => pipe.write(Buffer.from(bytes)), answers: () => text, waiting, server, pipe };
}

describe('pipelined requests', () => {
  it('come to the handler one by one, and are answered in order', async () => {
    const { send, answers, waiting, server } = await slowly();
    send(Array.from({ length: 40 }, (_, i) => get(`/${i}`)).join(''));
    for (let i = 0; i < 40; i++) {
      await until(() => waiting.length === 1);
      await turn(3);
      expect(waiting).toHaveLength(1);
      const [url, response] = waiting.pop()!;
      expect(url).toBe(`/${i}`);
      response.end(`answer ${i};`);
      await until(() => answers().includes(`answer ${i};`));
    }
    await server.server.close();
  });

  it('that nobody reads the answers of wait as bytes', async () => {
    let asked = 0;
    const body = Buffer.alloc(1_000_000);
    await using server = await station('TCP', {
      maxMessagesPerSecond: Number.POSITIVE_INFINITY,
      http: {
        handler: (_request, response) => {
          asked++;
          response.end(body);
        },
      },
    });
    const pipe = server.pipe();
    pipe.pause();
    pipe.write(Buffer.from(get('/').repeat(1000)));
    await until(() => asked > 0);
    await turn(100);
    // Some of them the system takes from us.
    expect(asked).toBeLessThan(20);
    pipe.destroy();
  });

  it('with bodies keep theirs, whatever the pieces', async () => {
    const bodies: string[] = [];
    await using server = await station('TCP', {
      http: {
        handler: async (request, response) => {
          let text = '';
          for await (const chunk of request) text += String(chunk);
          bodies.push(`${text.length} ${text.slice(-3)}`);
          response.end('ok');
        },
      },
    });
    const pipe = server.pipe();
    const post = (body: string): string =>
      `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    pipe.write(Buffer.from(post(`${'x'.repeat(100_000)}one`) + post('two') + post(`${'y'.repeat(3000)}end`)));
    await until(() => bodies.length === 3);
    expect(bodies).toEqual(['100003 one', '3 two', '3003 end']);
    pipe.destroy();
  });

  it('of which one has a body that nobody reads are not read for it', async () => {
    const { send, waiting, server } = await slowly();
    send('POST /one HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000000\r\n\r\n');
    send('x'.repeat(5_000_000));
    await until(() => waiting.length === 1);
    await turn(50);
    const request = (waiting[0]![1] as ServerResponse & { req: IncomingMessage }).req;
    expect(request.readableLength).toBeLessThan(200_000);
    await server.server.close();
  });

  it('wait for one whose handler does not read its body', async () => {
    const { send, answers, waiting, server } = await slowly();
    send(
      `POST /one HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(200_000)}${get('/two')}`,
    );
    await until(() => waiting.length === 1);
    waiting.pop()![1].end('one;');
    await until(() => waiting.length === 1);
    expect(answers()).toContain('one;');
    waiting.pop()![1].end('two;');
    await until(() => answers().includes('two;'));
    await server.server.close();
  });

  it('are refused beyond burst and credit of the connection, which is closed then', async () => {
    const clock = new ManualClock();
    await using server = await station('TCP', { clock, maxMessageBurst: 8, maxMessagesPerSecond: 1 });
    const pipe = server.pipe();
    let answers = '';
    let isClosed = false;
    pipe.onBytes = (chunk) => {
      answers += Buffer.from(chunk).toString('latin1');
    };
    pipe.onClose = () => {
      isClosed = true;
    };
    pipe.write(Buffer.from(get('/healthz').repeat(20)));
    await until(() => isClosed);
    expect(answers.split('HTTP/1.1 200')).toHaveLength(5);
    expect(answers).toMatch(/HTTP\/1\.1 429 Too Many Requests\r\n[\s\S]*Retry-After: 5/);
  });
});

describe('an upgrade', () => {
  it('waits for the answers before it, with all that came behind it', async () => {
    const { send, answers, waiting, server } = await slowly();
    send(get('/one') + get('/two') + upgrade);
    await until(() => waiting.length === 1);
    await turn(5);
    expect(answers()).toBe('');
    waiting.pop()![1].end('one;');
    await until(() => waiting.length === 1);
    expect(answers()).not.toContain('101');
    waiting.pop()![1].end('two;');
    await until(() => answers().includes(' 101 '));
    expect(answers().indexOf('one;')).toBeLessThan(answers().indexOf('two;'));
    expect(answers().indexOf('two;')).toBeLessThan(answers().indexOf(' 101 '));
    // A ping of WebSocket, behind the upgrade.
    send(String.fromCharCode(0x89, 0x80, 0, 0, 0, 0));
    await server.server.close();
  });

  it('that is not wanted is a request like any other, and in its turn', async () => {
    const { send, answers, waiting, server } = await slowly();
    send(get('/one') + get('/healthz', 'Upgrade: h2c\r\nConnection: Upgrade\r\n') + get('/three'));
    await until(() => waiting.length === 1);
    waiting.pop()![1].end('one;');
    await until(() => waiting.length === 1);
    expect(answers()).toMatch(/one;HTTP\/1\.1 200 OK[\s\S]*\r\n\r\nok\n$/);
    waiting.pop()![1].end('three;');
    await until(() => answers().includes('three;'));
    await server.server.close();
  });
});
