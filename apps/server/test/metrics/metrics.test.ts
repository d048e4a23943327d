import { connect } from 'node:net';
import { type ChatServer, createChatServer } from '@chat/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWebHandler } from '../../src/http/web.js';
import { createMetricsHandler, registerMetrics } from '../../src/metrics/metrics.js';
import { ask, exchange } from '../support/raw-http.js';

const BEARER = { Authorization: 'Bearer s3cret' };

let server: ChatServer;
let port: number;

async function start(token?: string): Promise<void> {
  server = createChatServer({ http: { handler: (request, response) => handler(request, response) } });
  const metrics = createMetricsHandler(registerMetrics(server), token);
  const handler = createWebHandler({ assets: new Map(), metrics });
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  port = address.kind === 'tcp' ? address.port : 0;
}

/** Values by name and labels, as they stand in the text. */
async function read(): Promise<Map<string, number>> {
  const { status, headers, body } = await ask(port, '/metrics', BEARER);
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

afterEach(() => server.close());

describe('registerMetrics', () => {
  beforeEach(() => start('s3cret'));

  it('counts connections, sessions, messages and bytes', async () => {
    const before = await read();
    const text = await exchange(port, 'ada\nhello\nhello again\n/quit\n');
    expect(text.body).toBe('');
    const after = await read();
    const grown = (name: string): number => after.get(name)! - before.get(name)!;
    expect(grown('chat_sessions_opened_total')).toBe(1);
    expect(grown('chat_messages_in_total')).toBe(2);
    expect(grown('chat_bytes_in_total')).toBe(28);
    // The session, and the two requests for metrics of which the first was counted already.
    expect(grown('chat_connections_total')).toBe(2);
    expect(after.get('chat_rooms')).toBe(1);
    expect(after.get('chat_sessions')).toBe(0);
    expect(after.get('chat_log_bytes')).toBeGreaterThan(0);
    expect(after.get('chat_max_lag_bytes')).toBe(0);
    expect(after.get('chat_connections')).toBeGreaterThanOrEqual(1);
  });

  it('counts what members are given to read', async () => {
    const bob = connect(port, '127.0.0.1').on('error', () => {});
    bob.write('bob\n');
    while (server.stats().sessions < 1) await new Promise(setImmediate);
    const before = (await read()).get('chat_messages_out_total')!;
    await exchange(port, 'ada\nhello\n/quit\n');
    let text = '';
    while (!text.includes('left')) text += String(await new Promise((resolve) => bob.once('data', resolve)));
    const after = await read();
    expect(after.get('chat_messages_out_total')! - before).toBe(3);
    expect(after.get('chat_gaps_total')).toBe(0);
    bob.destroy();
  });

  it('counts closes by code, and what happened to slow readers by policy', async () => {
    await exchange(port, 'SSH-2.0-OpenSSH_9.6\r\n');
    const values = await read();
    const closes = [...values].filter(([name]) => name.startsWith('chat_closes_total'));
    expect(closes).toEqual([['chat_closes_total{code="4000"}', 1]]);
    expect(values.get('chat_slow_readers_total{policy="close"}')).toBe(0);
    expect(values.get('chat_slow_readers_total{policy="skip"}')).toBe(0);
  });

  it('observes each turn of fan-out', async () => {
    const before = (await read()).get('chat_fan_out_seconds_count')!;
    await exchange(port, 'ada\nhello\n/quit\n');
    const after = await read();
    expect(after.get('chat_fan_out_seconds_count')).toBeGreaterThan(before);
    expect(after.get('chat_fan_out_seconds_bucket{le="+Inf"}')).toBe(after.get('chat_fan_out_seconds_count'));
  });

  it('has the usual numbers of Node, and every metric says what it is', async () => {
    const { body } = await ask(port, '/metrics', BEARER);
    expect(body).toContain('nodejs_eventloop_lag_seconds');
    const names = [...body.matchAll(/^# TYPE (chat_\S+)/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(14);
    for (const name of names) expect(body).toContain(`# HELP ${name} `);
  });
});

describe('createMetricsHandler', () => {
  it.each([{}, { Host: 'localhost' }, { Host: '[::1]' }, { 'X-Forwarded-For': '127.0.0.1' }])(
    'answers nobody without a token: a proxy that says nothing of itself makes everybody local (%j)',
    async (headers) => {
      await start();
      const { status, body } = await ask(port, '/metrics', headers);
      expect(status).toBe(403);
      expect(body).toContain('--metrics-token');
      expect((await ask(port, '/metrics', { ...headers, Authorization: 'Bearer undefined' })).status).toBe(
        403,
      );
    },
  );

  it('answers whoever has the token, and nobody with another one', async () => {
    await start('s3cret');
    const from = (authorization: string | undefined): Promise<number> =>
      ask(port, '/metrics', {
        'X-Forwarded-For': '203.0.113.7',
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      }).then(({ status }) => status);
    expect(await from('Bearer s3cret')).toBe(200);
    expect(await from('bearer s3cret')).toBe(200);
    for (const wrong of [undefined, 'Bearer', 'Bearer s3cre', 'Bearer s3crett', 'Basic s3cret', 's3cret']) {
      expect(await from(wrong)).toBe(401);
    }
    const { headers } = await ask(port, '/metrics', { Via: '1.1 proxy' });
    expect(headers.get('www-authenticate')).toBe('Bearer');
  });
});
