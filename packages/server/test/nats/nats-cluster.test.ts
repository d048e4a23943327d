/** The log over a cluster of NATS whose servers are killed, stopped and started again, one at a time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlockLog } from '../../src/log/shared/block-log.js';
import { openNatsLog } from '../../src/nats/index.js';
import { draft } from '../support/event-log-contract.js';
import { NatsCluster } from '../support/nats-cluster.js';
import { type NatsProcess, newNats } from '../support/nats-process.js';
import { until } from '../support/turn.js';

const TIMEOUT_MS = 300_000;
const LOGS = 3;

describe.skipIf(newNats === undefined)('over a cluster of three', { timeout: TIMEOUT_MS }, () => {
  let cluster: NatsCluster;
  beforeAll(async () => {
    cluster = await NatsCluster.start(newNats!);
  }, TIMEOUT_MS);
  afterAll(async () => await cluster?.remove(), TIMEOUT_MS);

  interface End {
    readonly log: BlockLog;
    readonly got: string[];
    said: number;
  }

  async function opened(stream: string): Promise<End> {
    const log = await openNatsLog({ servers: cluster.urls, stream, replicas: 3, maxSilenceMs: 120_000 });
    const end: End = { log, got: [], said: 0 };
    log.onSnapshot = () => ({ state: { processes: [] } as never, tail: [], floors: new Map() });
    await log.open((entries, from = 0) => {
      for (const entry of entries) {
        if (entry.room !== '') end.got.push(Buffer.from(entry.body).toString());
        entry.origin?.appended(entry, { kind: 'process-came', process: from });
      }
    });
    await log.start();
    return end;
  }

  it.each([
    ['its leader is killed', 'kill', true],
    ['one that does not lead is killed', 'kill', false],
    ['its leader is stopped for a while', 'stop', true],
  ] as const)('loses and doubles nothing when %s, and all have one order', async (_what, how, isLeader) => {
    // The one that came back last may not have been counted yet.
    await cluster.ready();
    const stream = `${how}-${isLeader}`;
    const ends = await Promise.all(Array.from({ length: LOGS }, () => opened(stream)));
    let isOver = false;
    const speaking = ends.map(async (end, of) => {
      while (!isOver) {
        for (let i = 0; i < 5; i++) end.log.append(draft('lobby', `${of} says ${end.said++}`));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const all = (): number => ends.reduce((sum, { said }) => sum + said, 0);
    /** Until all have everything that was said up to now. */
    const caughtUp = async (): Promise<void> => {
      const wanted = ends.map(({ said }, of) => `${of} says ${said - 1}`);
      await until(() => ends.every(({ got }) => wanted.every((line) => got.includes(line))));
    };
    for (let round = 0; round < 2; round++) {
      await until(() => ends.every(({ got }) => got.length > 100));
      const leader = (await cluster.leader(stream))!;
      const victim: NatsProcess = isLeader ? leader : cluster.nodes.find((node) => node !== leader)!;
      if (how === 'kill') await victim.kill();
      else victim.stop();
      await caughtUp();
      if (how === 'kill') await victim.start();
      else victim.goOn();
      await caughtUp();
    }
    isOver = true;
    await Promise.all(speaking);
    await until(() => ends.every(({ got }) => got.length >= all()));
    for (const [of, { said, got }] of ends.entries()) {
      expect(got).toEqual(ends[0]!.got);
      const own = got.filter((line) => line.startsWith(`${of} `));
      expect(own).toEqual(Array.from({ length: said }, (_, i) => `${of} says ${i}`));
    }
    for (const { log } of ends) await log.close();
  });
});
