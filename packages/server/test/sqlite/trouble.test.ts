/** A disk that is full, or that nobody may write to. */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LogEntry, Origin } from '../../src/log/entry.js';
import type { LogCondition } from '../../src/log/event-log.js';
import { openSqliteLog, type SqliteLog } from '../../src/sqlite/sqlite-log.js';
import type { SqliteLogOptions } from '../../src/sqlite/sqlite-options.js';
import { StoreWriter } from '../../src/sqlite/store-writer.js';
import { checkStore } from '../../src/sqlite/tools/check.js';
import { draft } from '../support/event-log-contract.js';
import { blockOf } from '../support/sqlite/blocks.js';
import { hasSmallDisks, makeReadonly, smallDisk } from '../support/sqlite/small-disk.js';
import { until } from '../support/turn.js';

const MIB = 1_048_576;

/** A log whose entries are counted, and what became of each draft. */
async function opened(directory: string, more: Partial<SqliteLogOptions> = {}) {
  const log = await openSqliteLog({ directory, reserveBytes: 2 * MIB, search: false, ...more });
  onTestFinished(() => log.close());
  const seen = { log, seqs: [] as number[], refused: [] as number[], conditions: [] as LogCondition[] };
  log.onCondition = (condition) => void seen.conditions.push(condition);
  log.open((entries) => {
    for (const entry of entries) {
      seen.seqs.push(entry.seq);
      entry.origin?.appended(entry, { kind: 'shown' });
    }
  });
  return seen;
}

/** Appends until `isEnough`, one after the other, a large one each time. */
async function fill({ log }: { log: SqliteLog }, isEnough: () => boolean): Promise<void> {
  const body = Buffer.alloc(60_000, 'x');
  while (!isEnough()) {
    await new Promise<void>((resolve) => {
      const origin: Origin = { appended: () => resolve(), refused: () => resolve() };
      log.append(draft('a', '', { body, origin }));
    });
  }
}

/** A draft with that number, whose refusal is noted. */
function noted(refused: number[], publishId: number) {
  const origin: Origin = {
    appended: (_: LogEntry) => undefined,
    refused: ({ code }, id) => {
      expect(code).toBe('unavailable');
      refused.push(id);
    },
  };
  return draft('a', `text ${publishId}`, { publishId, origin });
}

describe.skipIf(!hasSmallDisks())('a full disk', () => {
  it('refuses entries, still reads, and goes on by itself when there is space', async () => {
    const directory = smallDisk(24);
    const filler = join(directory, 'filler');
    const seen = await opened(directory);
    writeFileSync(filler, Buffer.alloc(8 * MIB));
    const { log, seqs, refused, conditions } = seen;
    await fill(seen, () => conditions.length > 0);
    expect(conditions[0]).toMatchObject({
      state: 'full',
      reason: expect.stringMatching(/there is no space left/),
    });
    const stored = seqs.length;
    expect(seqs).toEqual(Array.from({ length: stored }, (_, i) => i + 1));
    log.append(noted(refused, 7));
    expect(refused).toEqual([7]);
    expect((await log.store.read('a', { limit: 5, maxBytes: MIB })).entries.at(-1)?.seq).toBe(stored);
    rmSync(filler);
    await until(() => log.condition.state === 'open');
    log.append(noted(refused, 8));
    await until(() => seqs.length > stored);
    // No position was given out in vain, and none twice.
    expect(seqs.at(-1)).toBe(stored + 1);
    expect(refused).toEqual([7]);
    await log.close();
    expect(checkStore({ directory })).toMatchObject({ problems: [], entries: stored + 1 });
  });

  it('is dug out of by retention, with the space that was kept for it', () => {
    const directory = smallDisk(16);
    const options = { directory, durability: 'process', reserveBytes: 2 * MIB } as const;
    const writer = new StoreWriter({ ...options, retention: { maxBytes: 3 * MIB } });
    const body = Buffer.alloc(60_000, 'x');
    let seq = 0;
    const write = (): void => {
      writer.write([blockOf(seq + 1, draft('a', '', { body }))]);
      seq++;
    };
    expect(() => {
      for (;;) write();
    }).toThrow(expect.objectContaining({ code: 'ERR_SERVER_STORE_FULL' }));
    expect(writer.totals().blockBytes).toBeGreaterThan(4 * MIB);
    expect(writer.makeRoom(Date.now())).toBe(true);
    expect(statSync(join(directory, 'chat.reserve')).size).toBe(2 * MIB);
    expect(writer.totals().blockBytes).toBeLessThan(3.1 * MIB);
    for (let i = 0; i < 20; i++) write();
    writer.close();
    expect(checkStore({ directory })).toMatchObject({ problems: [], position: seq });
  });

  it('does not keep a store from being opened', () => {
    const directory = smallDisk(16);
    const options = { directory, durability: 'process', reserveBytes: 2 * MIB } as const;
    const writer = new StoreWriter(options);
    writer.write([blockOf(1, draft('a', 'text'))]);
    try {
      for (let i = 0; ; i++) writeFileSync(join(directory, `filler ${i}`), Buffer.alloc(65_536));
    } catch {
      // Now it is full.
    }
    writer.close();
    const again = new StoreWriter(options);
    expect(again.opened).toMatchObject({ position: 1, loss: undefined });
    again.close();
  });

  it('keeps entries in memory where the operator wants that, and says so at the next start', async () => {
    const directory = smallDisk(16);
    const seen = await opened(directory, { onStoreFailure: 'memory', reserveBytes: 0 });
    const { log, seqs, refused, conditions } = seen;
    writeFileSync(join(directory, 'filler'), Buffer.alloc(4 * MIB));
    await fill(seen, () => conditions.length > 0);
    expect(conditions[0]?.state).toBe('full');
    expect(log.durability).toBe('none');
    const { epoch } = log;
    const { length } = seqs;
    log.append(noted(refused, 7));
    expect(seqs).toEqual(Array.from({ length: length + 1 }, (_, i) => i + 1));
    expect(refused).toEqual([]);
    await log.close();
    rmSync(join(directory, 'filler'));
    const again = await opened(directory, { reserveBytes: 0 });
    expect(again.log.loss?.reason).toMatch(/went on without the store/);
    expect(again.log.epoch).not.toBe(epoch);
  });

  it('cannot be begun on', async () => {
    const directory = smallDisk(1);
    writeFileSync(join(directory, 'filler'), Buffer.alloc(MIB - 8192));
    await expect(opened(directory, { reserveBytes: 0 })).rejects.toMatchObject({
      code: 'ERR_SERVER_STORE_FULL',
    });
  });

  it('is another thing than a folder that cannot be written', async () => {
    const directory = smallDisk(16);
    const { log } = await opened(directory);
    await log.close();
    makeReadonly(directory);
    await expect(opened(directory)).rejects.toMatchObject({
      code: 'ERR_SERVER_STORE_READONLY',
      message: expect.stringContaining(directory),
    });
  });
});
