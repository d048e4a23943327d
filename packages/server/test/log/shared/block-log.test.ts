import { FailureCode } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { BLOCK_ENTRIES } from '../../../src/log/block.js';
import type { LogEntry } from '../../../src/log/entry.js';
import { CLAIM, ClaimKind } from '../../../src/log/entry.js';
import type { LogCondition } from '../../../src/log/event-log.js';
import { decodeHeader, encodeBlock } from '../../../src/log/shared/block-header.js';
import { type BlockLog, createBlockLog } from '../../../src/log/shared/block-log.js';
import { ChatState } from '../../../src/log/state/chat-state.js';
import { describeBlockTransport } from '../../support/block-transport-contract.js';
import { draft } from '../../support/event-log-contract.js';
import { seeded } from '../../support/seeded.js';
import { SharedStream } from '../../support/shared-stream.js';
import { until } from '../../support/turn.js';

describeBlockTransport('a stream in the heap', () => new SharedStream());

interface End {
  readonly log: BlockLog;
  readonly got: { readonly seq: number; readonly from: number; readonly text: string }[];
}

/** A log that is taken part in, and what it delivers but for claims. */
async function opened(log: BlockLog): Promise<End> {
  const got: { seq: number; from: number; text: string }[] = [];
  await log.open((entries: readonly LogEntry[], from = 0) => {
    for (const entry of entries) {
      const { type, seq, body, kind } = entry;
      if (type !== CLAIM) got.push({ seq, from, text: Buffer.from(body).toString() });
      const isArrival = type === CLAIM && kind === ClaimKind.ProcessCame;
      entry.origin?.appended(entry, isArrival ? { kind: 'process-came', process: from } : { kind: 'shown' });
    }
  });
  await log.start();
  return { log, got };
}

describe('BlockLog', () => {
  it('sends what one turn appends as one block, and the next one once that has come back', async () => {
    const stream = new SharedStream();
    const { log, got } = await opened(createBlockLog(stream.transport()));
    const before = stream.blocks.length;
    for (let i = 0; i < 10; i++) log.append(draft('lobby', `${i}`));
    await until(() => got.length === 10);
    expect(stream.blocks.length - before).toBe(1);
    expect(decodeHeader(stream.blocks.at(-1)!)).toEqual({ origin: log.process, number: 2, entries: 10 });
    for (let i = 0; i < BLOCK_ENTRIES + 1; i++) log.append(draft('lobby', 'x'));
    await until(() => got.length === 10 + BLOCK_ENTRIES + 1);
    const sizes = stream.blocks.slice(before + 1).map((block) => decodeHeader(block).entries);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(BLOCK_ENTRIES + 1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(BLOCK_ENTRIES);
    await log.close();
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'applies every block once and in order, however they are lost, doubled and overtaken (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const stream = new SharedStream({ random, doubled: 0.4, lost: 0.3 });
      const ends: End[] = [];
      for (let i = 0; i < 3; i++)
        ends.push(await opened(createBlockLog(stream.transport(), { process: i + 1 })));
      for (let i = 0; i < 60; i++) {
        for (const { log } of ends) {
          for (let n = random.below(4); n > 0; n--) log.append(draft('lobby', `${log.process} ${i} ${n}`));
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const { log } of ends) log.append(draft('lobby', `end ${log.process}`));
      await until(() =>
        ends.every(({ got }) => got.filter(({ text }) => text.startsWith('end')).length === 3),
      );
      const [first] = ends;
      // The later ones came when some had been said already; here all came before.
      for (const { got } of ends) expect(got).toEqual(first!.got);
      expect(new Set(first!.got.map(({ text }) => text)).size).toBe(first!.got.length);
      expect(first!.got.every(({ seq }, i) => i === 0 || seq > first!.got[i - 1]!.seq)).toBe(true);
      for (const { log } of ends) await log.close();
    },
  );

  it('refuses what the stream has refused, which is not applied either when it comes again', async () => {
    const stream = new SharedStream();
    const [transport, other] = [stream.transport(), stream.transport()];
    const { log, got } = await opened(createBlockLog(transport, { process: 1 }));
    const second = await opened(createBlockLog(other, { process: 2 }));
    await until(() => stream.blocks.length === 2);
    const told: string[] = [];
    const origin = {
      appended: ({ body }: LogEntry) => void told.push(`has ${Buffer.from(body)}`),
      refused: ({ message }: { message: string }) => void told.push(message),
    };
    transport.stop();
    log.append(draft('lobby', 'first', { origin }));
    await until(() => transport.unsent.length === 1);
    const [refused] = transport.unsent.splice(0);
    for (const { receiver } of [transport, other]) receiver?.refused(1, 2, 'the disk is full');
    expect(told).toEqual(['the disk is full']);
    transport.goOn();
    // A late copy of it, and what comes behind.
    stream.take(other, refused!);
    log.append(draft('lobby', 'second', { origin }));
    await until(() => second.got.length === 1 && got.length === 1);
    expect([told[1], second.got[0]!.text]).toEqual(['has second', 'second']);
    expect(decodeHeader(stream.blocks.at(-1)!)).toMatchObject({ origin: 1, number: 3 });
    await log.close();
    await second.log.close();
  });

  it('hands over a snapshot whose entries lie further apart than a block could tell', async () => {
    const stream = new SharedStream();
    const { log } = await opened(createBlockLog(stream.transport()));
    const seqs = [1, 2 ** 33, 2 ** 47];
    const state = new ChatState().snapshot();
    const tail = seqs.map((seq) => ({ ...draft('lobby', `${seq}`), seq }));
    log.onSnapshot = () => ({ state, tail, floors: new Map([['lobby', 7]]) });
    const transport = stream.transport({ snapshot: () => log.snapshot() });
    const late = createBlockLog(transport);
    const recovered = await late.open(() => {});
    expect(recovered?.tail.map(({ seq }) => seq)).toEqual(seqs);
    expect(recovered?.floors).toEqual(new Map([['lobby', 7]]));
    await log.close();
  });

  it('refuses what would wait beyond maxPendingBytes, and takes it again later', async () => {
    const stream = new SharedStream();
    const transport = stream.transport();
    const { log, got } = await opened(createBlockLog(transport, { maxPendingBytes: 1000 }));
    transport.stop();
    const refused: string[] = [];
    const origin = { appended: () => {}, refused: ({ code }: { code: string }) => void refused.push(code) };
    for (let i = 0; i < 30; i++) log.append(draft('lobby', 'x'.repeat(100), { origin }));
    expect(refused.length).toBeGreaterThan(5);
    expect(new Set(refused)).toEqual(new Set([FailureCode.Unavailable]));
    transport.goOn();
    await until(() => got.length === 30 - refused.length);
    log.append(draft('lobby', 'later', { origin }));
    await until(() => got.at(-1)?.text === 'later');
    await log.close();
  });

  it('has failed where a block is of a version that it does not know, and delivers nothing behind it', async () => {
    const stream = new SharedStream();
    const { log, got } = await opened(createBlockLog(stream.transport()));
    const conditions: LogCondition[] = [];
    log.onCondition = (condition) => conditions.push(condition);
    const newer = encodeBlock({ origin: 77, number: 1, entries: 0 }, new Uint8Array(0));
    newer[0] = 2;
    stream.take(stream.transport(), newer);
    log.append(draft('lobby', 'behind'));
    await until(() => conditions.length === 1);
    expect(conditions[0]).toEqual({
      state: 'failed',
      reason: 'a block has version 2, and this process reads version 1',
    });
    expect(got).toEqual([]);
    await log.close();
  });

  it.each([
    ['maxPendingBytes', { maxPendingBytes: 0 }],
    ['process', { process: 0 }],
    ['process', { process: 2 ** 48 }],
  ])('refuses a bad %s', (name, options) => {
    expect(() => createBlockLog(new SharedStream().transport(), options)).toThrow(name);
  });
});
