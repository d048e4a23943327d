/**
 * The promise that matters most, on real sockets: a connection that breaks anywhere loses no message and doubles
 * none, in either direction, and everybody sees one order.
 */
import type { Message } from '@chat/client';
import { type ChatServer, createChatServer, UNLIMITED } from '@chat/server';
import { afterEach, describe, expect, it } from 'vitest';
import { type CuttingProxy, seededRandom, startCuttingProxy } from './support/cutting-proxy.js';
import { type Reader, startReader, untilSeen } from './support/reader.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startServer(): Promise<{ readonly server: ChatServer; readonly port: number }> {
  const server = createChatServer(UNLIMITED);
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  closers.push(() => server.close());
  if (address.kind !== 'tcp') throw new Error('not a TCP address');
  return { server, port: address.port };
}

async function join(url: string, name: string, random: () => number): Promise<Reader> {
  const reader = await startReader(url, name, random);
  closers.push(() => reader.client.close());
  return reader;
}

describe.each(['tcp', 'ws'])('over %s connections that break anywhere', (scheme) => {
  it.each([1, 2, 3])('no message is lost or doubled, and all see one order (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const { port } = await startServer();
    let connections = 0;
    // The first of each client lasts until it has a session; all others break in the middle of anything. They
    // last longer and longer, since a batch that is one WebSocket message arrives whole or not at all.
    const proxy: CuttingProxy = await startCuttingProxy(port, () => {
      const age = connections++;
      return Math.floor((age < 3 ? 2000 : 300) + random() * (6000 + age * 200));
    });
    closers.push(() => proxy.close());
    const url = `${scheme}://127.0.0.1:${proxy.port}`;
    const calmUrl = `${scheme}://127.0.0.1:${port}`;
    const witness = await join(calmUrl, 'witness', random);
    const torn = await Promise.all(['ada', 'bob', 'carl'].map((name) => join(url, name, random)));

    const perSender = 60;
    const outcomes = await Promise.all(
      torn.map(async ({ room, client }) => {
        const sent = [];
        for (let i = 0; i < perSender; i++) {
          sent.push(room.send(`${client.name} ${i} ${'x'.repeat(Math.floor(random() * 200))}`));
          if (i % 7 === 0) await sent.at(-1);
        }
        return Promise.all(sent);
      }),
    );
    proxy.calm();
    await witness.room.send('end');
    await Promise.all([witness, ...torn].map((reader) => untilSeen(reader, 'end')));

    expect(proxy.cuts).toBeGreaterThan(5);
    const order = witness.seen.map(({ id, value }) => `${id} ${value}`);
    expect(order).toHaveLength(3 * perSender + 1);
    expect(new Set(order).size).toBe(order.length);
    for (const { seen, gaps } of torn) {
      expect(gaps).toEqual([]);
      expect(seen.map(({ id, value }) => `${id} ${value}`)).toEqual(order);
    }
    for (const [sender, sent] of outcomes.entries()) {
      const { name } = torn[sender]!.client;
      const ids = witness.seen.filter((message) => message.sender.name === name).map(({ id }) => id);
      expect(sent.map(({ id }) => id)).toEqual(ids);
    }
  });
});

describe('hundreds of clients that come and go', () => {
  it('see every message that was accepted while they were there, in order, once', async () => {
    const random = seededRandom(42);
    const { port } = await startServer();
    const url = `tcp://127.0.0.1:${port}`;
    const witness = await join(url, 'witness', random);
    let number = 0;
    const accepted: string[] = [];

    /** One visit: joins, talks, listens, and leaves in one of several ways. */
    const visit = async () => {
      const name = `guest ${number++}`;
      const visitor = await join(url, name, random);
      const { client, room, seen, gaps } = visitor;
      for (let i = 0; i < 3; i++) {
        const { id } = await room.send(`${name} says ${i}`);
        accepted.push(id);
      }
      const last = await room.send(`${name} leaves`);
      accepted.push(last.id);
      await untilSeen(visitor, `${name} leaves`);
      expect(gaps).toEqual([]);
      // The chain proves it: each entry names the one before, notices included, and the client found no hole.
      expect(seen.filter(({ own }) => own).map(({ value }) => value)).toEqual([
        ...[0, 1, 2].map((i) => `${name} says ${i}`),
        `${name} leaves`,
      ]);
      if (random() < 0.5) await room.leave();
      await client.close();
      return seen;
    };
    const visits: Message[][] = [];
    await Promise.all(
      Array.from({ length: 25 }, async () => {
        for (let i = 0; i < 10; i++) visits.push(await visit());
      }),
    );
    await witness.room.send('end');
    await untilSeen(witness, 'end');

    const order = witness.seen.map(({ id }) => id);
    expect(order).toHaveLength(250 * 4 + 1);
    const place = new Map(order.map((id, i) => [id, i]));
    expect(accepted.every((id) => place.has(id))).toBe(true);
    for (const seen of visits) {
      const first = place.get(seen[0]!.id)!;
      expect(seen.map(({ id }) => id)).toEqual(order.slice(first, first + seen.length));
    }
    expect(witness.gaps).toEqual([]);
  });
});
