/** Processes of a machine that speak with NATS through one of them, with a real server of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BlockLog, createBlockLog } from '../../../src/log/shared/block-log.js';
import type { BlockReceiver } from '../../../src/log/shared/block-transport.js';
import { openNatsLog, openNatsRelay } from '../../../src/nats/index.js';
import { draft } from '../../support/event-log-contract.js';
import { NatsProcess, newNats } from '../../support/nats-process.js';
import { until } from '../../support/turn.js';

const TIMEOUT_MS = 60_000;
/** Blocks after which a snapshot is written. */
const SNAPSHOT_BLOCKS = 100;

interface End {
  readonly log: BlockLog;
  readonly got: string[];
}

/** What was said, and at which position, is all that it knows of the chat. */
async function opened(log: BlockLog): Promise<End> {
  const got: string[] = [];
  log.onSnapshot = () => ({
    state: { processes: [], said: [...got] } as never,
    tail: [],
    floors: new Map(),
  });
  const recovered = await log.open((entries, from = 0) => {
    for (const entry of entries) {
      if (entry.room !== '') got.push(`${entry.seq} ${Buffer.from(entry.body)}`);
      entry.origin?.appended(entry, { kind: 'process-came', process: from });
    }
  });
  got.push(...(((recovered?.state ?? {}) as { readonly said?: readonly string[] }).said ?? []));
  await log.start();
  return { log, got };
}

describe.skipIf(newNats === undefined)('NatsRelay', { timeout: TIMEOUT_MS }, () => {
  let nats: NatsProcess;
  let streams = 0;
  const nextOptions = () => ({
    servers: nats.url,
    stream: `relay-${++streams}`,
    snapshotBlocks: SNAPSHOT_BLOCKS,
  });

  beforeAll(async () => {
    nats = await NatsProcess.start(newNats!);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await nats?.remove();
  });

  /** Some processes, and the one that speaks with NATS for them. */
  async function machine(options: { readonly servers: string; readonly stream: string }, processes: number) {
    const relay = await openNatsRelay(options);
    const receivers: BlockReceiver[] = [];
    const logs = Array.from({ length: processes }, () =>
      createBlockLog({
        open: async () => ({ epoch: relay.epoch, snapshot: relay.snapshot }),
        start: (receiver) => void receivers.push(receiver),
        send: (block) => relay.send(block),
        close: () => {},
      }),
    );
    relay.speakFor(logs.map(({ process }) => process));
    const ends = Promise.all(logs.map(opened));
    await until(() => receivers.length === processes);
    relay.start({
      block: (position, bytes) => {
        for (const receiver of receivers) receiver.block(position, bytes);
      },
      condition: (condition) => {
        for (const receiver of receivers) receiver.condition(condition);
      },
      gone: () => {},
      snapshot: async (process) => logs.find((log) => log.process === process)?.snapshot(),
    });
    return { relay, ends: await ends };
  }

  const say = async ({ log, got }: End, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const before = got.length;
      log.append(draft('lobby', `said ${before}`));
      await until(() => got.length > before);
    }
  };

  it('brings the blocks of several processes to all, in one order, at the same positions', async () => {
    const options = nextOptions();
    const { relay, ends } = await machine(options, 2);
    const elsewhere = await opened(await openNatsLog(options));
    const all = [...ends, elsewhere];
    // Larger than what NATS takes as a message: in parts, of several processes at a time.
    const large = 'x'.repeat(1_200_000);
    for (const { log } of all) {
      for (let i = 0; i < 20; i++) log.append(draft('lobby', `${log.process} ${i}`));
      log.append(draft('lobby', large));
    }
    await until(() => all.every(({ got }) => got.length === 63));
    for (const { got } of all) expect(got).toEqual(elsewhere.got);
    expect(relay.epoch).toBe(elsewhere.log.epoch);
    expect(relay.stats.underWay).toBe(0);
    for (const { log } of all) await log.close();
    await relay.close();
  });

  it('hands on what comes behind that which was, whatever it has to read before', async () => {
    const options = nextOptions();
    const talking = await opened(await openNatsLog(options));
    await say(talking, 10);
    const all: number[] = [];
    const relay = await openNatsRelay({ ...options, after: 7 });
    relay.start({
      block: (position) => all.push(position),
      condition: () => {},
      gone: () => {},
      snapshot: async () => undefined,
    });
    await say(talking, 1);
    await until(() => all.includes(talking.log.position));
    expect(all).toEqual(Array.from({ length: talking.log.position - 7 }, (_, i) => i + 8));
    await relay.close();
    await talking.log.close();
  });

  it('has one of its processes make the snapshot, and refuses to go on behind what is not kept any more', async () => {
    const options = nextOptions();
    const { relay, ends } = await machine(options, 2);
    const known = async (position: number): Promise<number> => {
      for (;;) {
        const late = await openNatsRelay(options);
        const { position: found = 0 } = late.snapshot ?? {};
        await late.close();
        if (found >= position) return found;
      }
    };
    await say(ends[1]!, SNAPSHOT_BLOCKS + 10);
    await known(SNAPSHOT_BLOCKS);
    const late = await opened(await openNatsLog(options));
    expect(late.got).toEqual(ends[0]!.got);
    // What two snapshots know is taken out.
    await say(ends[0]!, SNAPSHOT_BLOCKS + 10);
    await known(2 * SNAPSHOT_BLOCKS);
    const behind = openNatsRelay({ ...options, after: 3 }).then((tooEarly) => tooEarly.close());
    await expect(behind).rejects.toMatchObject({ code: 'ERR_SERVER_NATS_STREAM' });
    for (const { log } of [late, ...ends]) await log.close();
    await relay.close();
  });
});
