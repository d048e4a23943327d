/** Webhooks of a server, and programs that fail, hang, die and come back. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatServer, createChatServer, type Logger } from '@chat/server';
import { openSqliteLog } from '@chat/server/sqlite';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { registerWebhookMetrics } from '../../src/metrics/webhook-metrics.js';
import { CURSORS_NAME, type Cursor } from '../../src/webhooks/cursors.js';
import { readWebhooks } from '../../src/webhooks/webhook-options.js';
import { Webhooks } from '../../src/webhooks/webhooks.js';
import { ServerProcess } from '../support/server-process.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const SECRET = 'a-secret-of-sixteen-or-more';
const TIMEOUT_MS = 60_000;

let folder: string;
let receiver: WebhookReceiver;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chat-webhooks-'));
  writeFileSync(join(folder, 'secret'), `${SECRET}\n`);
  receiver = await new WebhookReceiver().listen();
  cleanups.push(() => receiver.close());
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
});

const lines: string[] = [];
const logger: Logger = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [level, (_: object, line: string) => lines.push(line)]),
) as unknown as Logger;

interface Started {
  readonly server: ChatServer;
  readonly webhooks: Webhooks;
  say(text: string, room?: string): Promise<unknown>;
  stop(): Promise<void>;
}

async function start(fields: object = {}, data?: string): Promise<Started> {
  const log = data === undefined ? {} : { log: await openSqliteLog({ directory: data }) };
  const server = createChatServer(log);
  await server.listen({ port: 0, host: '127.0.0.1' });
  const hook = {
    url: receiver.url,
    secretFile: join(folder, 'secret'),
    retryMs: 1,
    maxRetryMs: 5,
    ...fields,
  };
  const webhooks = new Webhooks({
    server,
    webhooks: readWebhooks([hook]),
    folder: data,
    logger,
    version: '1.2.3',
  });
  await webhooks.start();
  const stop = async (): Promise<void> => {
    await server.close();
    await webhooks.close();
  };
  cleanups.push(stop);
  return { server, webhooks, say: (text, room = 'lobby') => server.publish(room, text, { as: 'bot' }), stop };
}

describe('a webhook', () => {
  it('tells what happens in order, signed, with an id of each delivery', async () => {
    const { server, say } = await start();
    const { port } = server.address as { port: number };
    const visitor = connect(port, '127.0.0.1');
    visitor.write('ada\n');
    await receiver.until(() => receiver.taken.some(({ type }) => type === 'joined'));
    await say('שלום');
    server.ban('ada', Number.POSITIVE_INFINITY, 'enough');
    await receiver.until(() =>
      receiver.taken.some(({ type, room }) => type === 'message' && room === 'moderation-log'),
    );
    visitor.destroy();
    const [id] = receiver.taken.map(({ member }) => member).filter((member) => member !== undefined);
    expect(receiver.taken).toMatchObject([
      { type: 'session-opened', name: 'ada' },
      { type: 'room-opened', room: 'lobby' },
      { type: 'joined', room: 'lobby', name: 'ada', member: id },
      { type: 'message', room: 'lobby', name: 'bot', member: 0, text: 'שלום' },
      { type: 'banned', name: 'ada', addresses: ['127.0.0.1'] },
      { type: 'left', room: 'lobby', name: 'ada' },
      { type: 'kicked', name: 'ada', reason: 'enough' },
      { type: 'room-opened', room: 'moderation-log' },
      { type: 'message', room: 'moderation-log' },
    ]);
    const positions = receiver.taken.map(({ seq }) => seq);
    expect(positions).toEqual(positions.toSorted((one, other) => one - other));
    expect(receiver.taken.every(({ id: name, seq }) => name === `${server.epoch}-${seq}`)).toBe(true);
    for (const { headers, body } of receiver.deliveries) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      const signature = createHmac('sha256', SECRET).update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${signature}`);
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'user-agent': 'chat-server/1.2.3',
      });
    }
    const ids = receiver.deliveries.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is told of the events and rooms that it wants, and of nothing that is between two', async () => {
    const { server, say } = await start({ events: ['message'], rooms: ['NEWS'] });
    await say('elsewhere');
    await say('first', 'news');
    await say('last', 'news');
    await receiver.until(() => receiver.texts.includes('last'));
    expect(receiver.taken.map(({ type, text }) => [type, text])).toEqual([
      ['message', 'first'],
      ['message', 'last'],
    ]);
    expect(server.stats().messagesIn).toBe(3);
  });

  it('tries again, the same delivery under the same id, until it is taken', async () => {
    receiver.reactions = [500, 'hang', 429, { redirect: `${receiver.url}/elsewhere` }, 200];
    const { say, webhooks, server } = await start({ events: ['message'], timeoutMs: 100 });
    await say('one');
    await receiver.until(() => receiver.texts.includes('one'));
    const ids = receiver.deliveries.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(5);
    expect(new Set(ids).size).toBe(1);
    // A redirection is not followed.
    expect(receiver.deliveries.every(({ path }) => path === '/hook')).toBe(true);
    await say('two');
    await receiver.until(() => receiver.texts.includes('two'));
    expect(receiver.texts).toEqual(['one', 'two']);
    const register = new Registry();
    registerWebhookMetrics(register, server, webhooks);
    const metrics = await register.metrics();
    const label = `{webhook="${receiver.url}"}`;
    expect(metrics).toContain(`chat_webhook_failed_total${label} 4\n`);
    expect(metrics).toContain(`chat_webhook_given_up_total${label} 0\n`);
    expect(metrics).toMatch(/chat_webhook_delivered_total\{[^}]*\} [12]\n/);
    expect(metrics).toMatch(/chat_webhook_behind\{[^}]*\} \d+\n/);
  });

  it('disturbs nobody while it hangs, and holds one delivery', async () => {
    receiver.reactions = ['hang'];
    const { say, webhooks, server } = await start({ events: ['message'], maxEvents: 10 });
    await say('first');
    await receiver.until(() => receiver.deliveries.length === 1);
    for (let i = 0; i < 200; i++) await say(`m${i}`);
    expect(receiver.deliveries).toHaveLength(1);
    const [stats] = webhooks.stats();
    expect(server.position - stats!.position).toBeGreaterThanOrEqual(200);
  });

  it('gives up what is refused for too long, and tells so as a gap', async () => {
    receiver.reactions = [400, 400, 200];
    const { say, webhooks } = await start({ events: ['message'], maxAgeMs: 0 });
    await say('poison');
    await receiver.until(() => receiver.taken.length === 1);
    await say('next');
    await receiver.until(() => receiver.texts.includes('next'));
    const [gap, next] = receiver.taken;
    expect(gap).toMatchObject({ type: 'gap' });
    expect(next!.seq).toBeGreaterThan(gap!.to as number);
    expect(webhooks.stats()[0]).toMatchObject({ givenUp: 1 });
  });

  it('loses nothing while the receiver is dead, and doubles nothing', async () => {
    const { say } = await start({ events: ['message'] });
    await say('before');
    await receiver.until(() => receiver.texts.includes('before'));
    await receiver.close();
    for (let i = 0; i < 5; i++) await say(`m${i}`);
    await receiver.listen();
    await receiver.until(() => receiver.texts.includes('m4'));
    expect(receiver.texts).toEqual(['before', 'm0', 'm1', 'm2', 'm3', 'm4']);
  });

  it('goes on after a restart where it was, with what was said while it could not deliver', async () => {
    const data = join(folder, 'data');
    const first = await start({ events: ['message'] }, data);
    await first.say('one');
    await receiver.until(() => receiver.texts.includes('one'));
    await receiver.close();
    await first.say('two');
    await first.say('three');
    await first.stop();
    await receiver.listen();
    await start({ events: ['message'] }, data);
    await receiver.until(() => receiver.texts.includes('three'));
    expect(receiver.texts).toEqual(['one', 'two', 'three']);
    expect(readFileSync(join(data, CURSORS_NAME), 'utf8')).toContain(receiver.url);
  });

  it('is told once by several that could, and the next one goes on where the one before has ended', async () => {
    const { server, say } = await start({ events: ['banned'] });
    const hook = { url: receiver.url, secretFile: join(folder, 'secret'), name: 'one', events: ['message'] };
    const cursors = new Map<string, Cursor>();
    const several = [1, 2, 3].map(
      () =>
        new Webhooks({
          ...{ server, webhooks: readWebhooks([hook]), folder: undefined, logger, version: '1.2.3' },
          onMoved: (name, cursor) => cursors.set(name, cursor),
        }),
    );
    for (const webhooks of several) await webhooks.watch();
    await say('before its turn');
    for (const webhooks of several) {
      await webhooks.start(cursors);
      await say('in its turn');
      const { seq } = (await say('last')) as { seq: number };
      // A webhook whose cursor was not kept begins again before what it has taken.
      while ((cursors.get('one')?.position ?? 0) < seq) await new Promise(setImmediate);
      await webhooks.close();
      await say('while nobody delivers');
    }
    const round = ['in its turn', 'last', 'while nobody delivers'];
    expect(receiver.texts).toEqual(['before its turn', ...round, ...round, ...round.slice(0, 2)]);
  });

  it('is told of a gap where the life of the log is another one', async () => {
    const data = join(folder, 'data');
    const first = await start({ events: ['message'] }, data);
    await first.stop();
    const cursor = { [receiver.url]: { epoch: 'another', position: 77 } };
    writeFileSync(join(data, CURSORS_NAME), JSON.stringify(cursor));
    const second = await start({ events: ['message'] }, data);
    await second.say('new');
    await receiver.until(() => receiver.texts.includes('new'));
    expect(receiver.taken).toMatchObject([
      { type: 'gap', from: 77, to: 0 },
      { type: 'message', text: 'new' },
    ]);
  });

  it('takes a new secret without a restart, and does not start without one', async () => {
    const { say } = await start({ events: ['message'] });
    writeFileSync(join(folder, 'secret'), `whsec_${Buffer.from('another secret').toString('base64')}\n`);
    await say('one');
    await receiver.until(() => receiver.texts.includes('one'));
    const { headers, body } = receiver.deliveries.at(-1)!;
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const signature = createHmac('sha256', 'another secret').update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    writeFileSync(join(folder, 'secret'), 'short');
    const refused = start();
    await expect(refused).rejects.toThrow('one line of at least 16 visible ASCII characters');
    await expect(refused).rejects.not.toThrow('short\n');
  });
});

it(
  'of a server that is killed, has told everything once it is back',
  async () => {
    const secretFile = join(folder, 'secret');
    const config = join(folder, 'chat.json');
    const hook = { url: receiver.url, secretFile, events: ['message'], retryMs: 10, maxEvents: 3 };
    writeFileSync(
      config,
      JSON.stringify({ host: '127.0.0.1', port: 0, json: true, data: 'data', webhooks: [hook] }),
    );
    // Every second delivery fails.
    receiver.reactions = [...Array.from({ length: 200 }, (_, i) => (i % 2 ? 500 : 200)), 200];
    let said = 0;
    for (let round = 0; round < 3; round++) {
      const server = new ServerProcess(['--config', config]);
      cleanups.push(async () => {
        server.child.kill('SIGKILL');
        await server.exit;
      });
      const port = await server.port();
      const visitor = connect(port, '127.0.0.1').on('error', () => {});
      visitor.write(`ada${round}\n`);
      for (let i = 0; i < 20; i++) visitor.write(`m${said++}\n`);
      // The first of them have been told, the others have not; or have, and nobody has written that down.
      const some = said - 15;
      await receiver.until(() => new Set(receiver.texts).size >= some);
      server.child.kill(round < 2 ? 'SIGKILL' : 'SIGCONT');
      if (round < 2) await server.exit;
      else await receiver.until(() => receiver.texts.includes(`m${said - 1}`));
      visitor.destroy();
    }
    const seqs = [...new Map(receiver.taken.map((event) => [event.id, event])).values()].map(
      ({ seq }) => seq,
    );
    expect(seqs).toEqual(seqs.toSorted((one, other) => one - other));
    // What a visitor wrote in the last moment may not have been taken by the server: of the last round all was.
    const texts = [...new Set(receiver.texts)];
    expect(texts.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => `m${said - 20 + i}`));
    expect(receiver.taken.some(({ type }) => type === 'gap')).toBe(false);
  },
  TIMEOUT_MS,
);
