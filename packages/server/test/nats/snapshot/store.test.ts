/** Snapshots in a stream of a real server. */
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadNats } from '../../../src/nats/library.js';
import type { NatsContext } from '../../../src/nats/nats-context.js';
import type { StreamSnapshot } from '../../../src/nats/snapshot/encoding.js';
import { SnapshotStore } from '../../../src/nats/snapshot/store.js';
import { findStream, snapshotStream } from '../../../src/nats/stream/stream.js';
import { systemClock } from '../../../src/time/clock.js';
import { NatsProcess, newNats } from '../../support/nats-process.js';
import { bigSnapshot } from '../../support/stream-snapshots.js';

const EPOCH = { origin: 'epoch', name: 'epoch', since: 0 };
const PARTS = 3;
const BYTES = PARTS * 524_288 - 100_000;

/** `toEqual` looks at each byte by itself. */
function same(one: StreamSnapshot, other: StreamSnapshot): boolean {
  const [bytes, others] = [one, other].map(({ blocks }) =>
    Buffer.concat(blocks.tail.map((block) => block.bytes)),
  );
  return one.blocks.position === other.blocks.position && bytes!.equals(others!);
}

describe.skipIf(newNats === undefined)('SnapshotStore', { timeout: 60_000 }, () => {
  let nats: NatsProcess;
  let connection: NatsConnection;
  let streams = 0;
  beforeAll(async () => {
    nats = await NatsProcess.start(newNats!);
    connection = await connect({ servers: nats.url });
  });
  afterAll(async () => {
    await connection?.close();
    await nats?.remove();
  });

  async function open(): Promise<NatsContext> {
    const library = await loadNats();
    const manager = await jetstreamManager(connection);
    const stream = `chat-${++streams}`;
    await findStream(manager, library, { name: stream, replicas: 1, storage: 'file' });
    return { library, connection, manager, stream, inboxPrefix: '_INBOX', clock: systemClock };
  }

  /** The same, of one who is killed before its request number `count`. */
  function killedBefore(context: NatsContext, count: number): NatsContext {
    let left = count;
    const step = async <Result>(request: () => Promise<Result>): Promise<Result> => {
      if (left-- === 0) throw new Error('killed');
      return await request();
    };
    const { manager } = context;
    const client = manager.jetstream();
    const killed = {
      streams: {
        getMessage: (...args: Parameters<typeof manager.streams.getMessage>) =>
          manager.streams.getMessage(...args),
        purge: (...args: Parameters<typeof manager.streams.purge>) =>
          step(() => manager.streams.purge(...args)),
      },
      jetstream: () => ({
        publish: (...args: Parameters<typeof client.publish>) => step(() => client.publish(...args)),
      }),
    };
    return { ...context, manager: killed as unknown as JetStreamManager };
  }

  it('has nothing to begin with, and then the two newest', async () => {
    const store = new SnapshotStore(await open());
    expect(await store.index()).toEqual({ seq: 0, entries: [] });
    const all = [10, 20, 30].map((position) => bigSnapshot(position, BYTES));
    for (const snapshot of all) await store.write(snapshot, EPOCH, 'last');
    const { entries } = await store.index();
    expect(entries.map(({ position, parts }) => [position, parts])).toEqual([
      [30, PARTS],
      [20, PARTS],
    ]);
    for (const [i, entry] of entries.entries()) expect(same(await store.read(entry), all[2 - i]!)).toBe(true);
  });

  it('keeps no part of one that is older', async () => {
    const context = await open();
    const store = new SnapshotStore(context);
    for (const position of [10, 20, 30, 40, 50])
      await store.write(bigSnapshot(position, BYTES), EPOCH, 'last');
    const { state } = await context.manager.streams.info(snapshotStream(context.stream));
    expect(state.messages).toBeLessThanOrEqual(2 * PARTS + 2);
  });

  it('leaves to the newer one what two write', async () => {
    const context = await open();
    const [one, other] = [new SnapshotStore(context), new SnapshotStore(context)];
    await other.write(bigSnapshot(20, 10), EPOCH, 'last');
    expect((await one.write(bigSnapshot(15, 10), EPOCH, 'last')).entries[0]!.position).toBe(20);
    const both = [
      one.write(bigSnapshot(30, BYTES), EPOCH, ''),
      other.write(bigSnapshot(30, BYTES), EPOCH, ''),
    ];
    const settled = await Promise.allSettled(both);
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    const { entries } = await one.index();
    expect(entries.map(({ position }) => position)).toEqual([30, 20]);
    await one.read(entries[0]!);
  });

  // The parts, the index, and what is too old.
  it.each(Array.from({ length: PARTS + 2 }, (_, step) => step))(
    'is whole when its writer is killed before step %i, and the next one tidies up',
    async (step) => {
      const context = await open();
      const store = new SnapshotStore(context);
      const before = bigSnapshot(10, BYTES);
      await store.write(before, EPOCH, 'last');
      const killed = new SnapshotStore(killedBefore(context, step));
      const half = bigSnapshot(20, BYTES);
      await expect(killed.write(half, EPOCH, 'last')).rejects.toThrow('killed');
      const isThere = step > PARTS;
      const [newest] = (await store.index()).entries;
      expect(same(await store.read(newest!), isThere ? half : before)).toBe(true);
      for (const position of [30, 40, 50]) await store.write(bigSnapshot(position, BYTES), EPOCH, 'last');
      const { state } = await context.manager.streams.info(snapshotStream(context.stream));
      expect(state.messages).toBeLessThanOrEqual(2 * PARTS + 2);
    },
  );
});
