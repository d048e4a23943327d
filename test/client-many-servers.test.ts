/**
 * The promises of the chat where several servers share its log, on real sockets: connections break anywhere and come back
 * at any of the servers, servers are killed and others come, and still no message is lost or doubled, in either
 * direction, and everybody sees one order.
 */
import { type BlockLog, type ChatServer, createBlockLog, createChatServer, UNLIMITED } from '@chat/server';
import { afterEach, expect, it } from 'vitest';
import { seeded } from '../packages/server/test/support/seeded.js';
import { SharedStream, type StreamTransport } from '../packages/server/test/support/shared-stream.js';
import { type CuttingProxy, startCuttingProxy } from './support/cutting-proxy.js';
import { type Reader, startReader, untilSeen } from './support/reader.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface OneServer {
  readonly server: ChatServer;
  readonly log: BlockLog;
  readonly transport: StreamTransport;
  readonly port: number;
}

async function startServer(stream: SharedStream, from?: OneServer): Promise<OneServer> {
  const transport = stream.transport(from ? { snapshot: () => from.log.snapshot() } : {});
  const log = createBlockLog(transport);
  const server = createChatServer({ ...UNLIMITED, log });
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  closers.push(() => server.close());
  return { server, log, transport, port: address.port };
}

async function join(url: string, name: string, random: () => number): Promise<Reader> {
  const reader = await startReader(url, name, random);
  closers.push(() => reader.client.close());
  return reader;
}

it.each([1, 2, 3, 4])(
  'nothing is lost or doubled between servers that come and go, and all see one order (seed %i)',
  async (seed) => {
    const random = seeded(seed);
    const stream = new SharedStream({ random, doubled: 0.2, lost: 0.1 });
    const servers: OneServer[] = [
      await startServer(stream),
      await startServer(stream),
      await startServer(stream),
    ];
    const [calm, , ...others] = servers as [OneServer, OneServer, OneServer];
    let connections = 0;
    // The first of each client lasts until it has a session; all others break in the middle of anything, and each
    // reaches another server than the one before.
    const live = (): OneServer => servers[random.below(servers.length)]!;
    const proxy: CuttingProxy = await startCuttingProxy(
      () => live().port,
      () => {
        const age = connections++;
        return Math.floor((age < 3 ? 2000 : 300) + random.next() * (6000 + age * 200));
      },
    );
    closers.push(() => proxy.close());
    const url = `tcp://127.0.0.1:${proxy.port}`;
    const next = () => random.next();
    const witness = await join(`tcp://127.0.0.1:${calm.port}`, 'witness', next);
    const torn = await Promise.all(['ada', 'bob', 'carl'].map((name) => join(url, name, next)));

    const perSender = 60;
    const outcomes = await Promise.all(
      torn.map(async ({ room, client }, of) => {
        const sent = [];
        for (let i = 0; i < perSender; i++) {
          sent.push(room.send(`${client.name} ${i} ${'x'.repeat(random.below(200))}`));
          if (i % 7 === 0) await sent.at(-1);
          if (of === 0 && i === 20) {
            // One is killed without a word, and another comes, which begins with what an older one knows.
            const [dead] = others;
            servers.splice(servers.indexOf(dead!), 1);
            dead!.transport.kill();
            void dead!.server.close();
            calm.log.declareGone(dead!.log.process);
            servers.push(await startServer(stream, servers[1]));
          }
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
    for (const { seen, gaps, resumed } of torn) {
      expect(gaps).toEqual([]);
      expect(resumed.every(Boolean)).toBe(true);
      expect(seen.map(({ id, value }) => `${id} ${value}`)).toEqual(order);
    }
    for (const [sender, sent] of outcomes.entries()) {
      const { name } = torn[sender]!.client;
      const ids = witness.seen.filter((message) => message.sender.name === name).map(({ id }) => id);
      expect(sent.map(({ id }) => id)).toEqual(ids);
    }
    for (const { server } of servers) {
      expect(
        server
          .sessions()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(['ada', 'bob', 'carl', 'witness']);
    }
  },
);
