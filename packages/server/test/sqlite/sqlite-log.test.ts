import { describe, expect, it, onTestFinished } from 'vitest';
import type { LogEntry, Origin } from '../../src/log/entry.js';
import { openSqliteLog, type SqliteLog } from '../../src/sqlite/sqlite-log.js';
import type { SqliteLogOptions } from '../../src/sqlite/sqlite-options.js';
import { describeEventLog, draft } from '../support/event-log-contract.js';
import { dataFolder } from '../support/sqlite/folder.js';
import { until } from '../support/turn.js';

async function open(directory = dataFolder(), more: Partial<SqliteLogOptions> = {}): Promise<SqliteLog> {
  const log = await openSqliteLog({ directory, reserveBytes: 0, search: false, ...more });
  onTestFinished(() => log.close());
  return log;
}

describeEventLog('openSqliteLog()', () => open());

interface Told {
  readonly seqs: number[];
  readonly texts: string[];
  readonly groups: number[];
}

/** Opens the log, and keeps what it delivers. */
function listen(log: SqliteLog): Told & { recovered: ReturnType<SqliteLog['open']> } {
  const told: Told = { seqs: [], texts: [], groups: [] };
  const recovered = log.open((entries) => {
    told.groups.push(entries.length);
    for (const { seq, body } of entries) {
      told.seqs.push(seq);
      told.texts.push(new TextDecoder().decode(body));
    }
  });
  return { ...told, recovered };
}

describe('openSqliteLog()', () => {
  it('begins at 1, and goes on in the same epoch after the last entry', async () => {
    const directory = dataFolder();
    const log = await open(directory);
    const { recovered, seqs } = listen(log);
    expect(recovered).toEqual({ state: undefined, tail: [], floors: new Map() });
    for (let i = 1; i <= 3; i++) log.append(draft('lobby', `text ${i}`));
    await log.close();
    expect(seqs).toEqual([1, 2, 3]);
    const again = await open(directory);
    const after = listen(again);
    expect(again.epoch).toBe(log.epoch);
    expect(again.loss).toBeUndefined();
    expect(after.recovered.state).toMatchObject({ position: 3 });
    expect(after.recovered.tail.map(({ seq, room, body }) => [seq, room, String(Buffer.from(body))])).toEqual(
      [
        [1, 'lobby', 'text 1'],
        [2, 'lobby', 'text 2'],
        [3, 'lobby', 'text 3'],
      ],
    );
    again.append(draft('lobby', 'text 4'));
    await until(() => after.seqs.length === 1);
    expect(after.seqs).toEqual([4]);
  });

  it('stores what one turn appends in one go, and what comes meanwhile in the next', async () => {
    const log = await open();
    const { groups, seqs } = listen(log);
    for (let i = 0; i < 100; i++) log.append(draft('lobby', 'x'));
    await until(() => seqs.length === 100);
    expect(groups).toEqual([100]);
    const { storedPosition, entries, pendingBytes, commitMs, fileBytes } = await log.stats();
    expect({ storedPosition, entries, pendingBytes }).toEqual({
      storedPosition: 100,
      entries: 100,
      pendingBytes: 0,
    });
    expect(commitMs.p50).toBeGreaterThan(0);
    expect(fileBytes).toBeGreaterThan(4096);
  });

  it('brings back no more of the newest entries than it is told to', async () => {
    const directory = dataFolder();
    const log = await open(directory);
    const { seqs } = listen(log);
    for (let i = 1; i <= 10; i++) {
      log.append(draft('lobby', 'x'.repeat(50_000)));
      await until(() => seqs.length === i);
    }
    await log.close();
    const again = await open(directory, { tailBytes: 120_000 });
    expect(listen(again).recovered.tail.map(({ seq }) => seq)).toEqual([9, 10]);
  });

  it('refuses at once what the disk does not keep up with', async () => {
    const log = await open(dataFolder(), { maxPendingBytes: 100_000 });
    listen(log);
    const told: string[] = [];
    const origin: Origin = {
      appended: ({ publishId }: LogEntry) => void told.push(`in ${publishId}`),
      refused: ({ code, retryAfterMs }, publishId) => void told.push(`${code} ${retryAfterMs} ${publishId}`),
    };
    for (let publishId = 1; publishId <= 4; publishId++) {
      log.append(draft('lobby', 'x'.repeat(60_000), { publishId, origin }));
    }
    expect(told).toEqual(['unavailable 1000 3', 'unavailable 1000 4']);
  });

  it('answers pages of old history, and all entries or those of one name', async () => {
    const log = await open();
    const { seqs } = listen(log);
    const eve = new TextEncoder().encode('eve');
    for (let i = 1; i <= 6; i++) log.append(draft(i % 2 ? 'a' : 'b', `${i}`, i > 4 ? { name: eve } : {}));
    await until(() => seqs.length === 6);
    const page = await log.store.read('a', { limit: 2, maxBytes: 1000 });
    expect(page).toMatchObject({ previous: 1, end: false, damaged: [] });
    expect(page.entries.map(({ seq, body }) => `${seq} ${Buffer.from(body)}`)).toEqual(['3 3', '5 5']);
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(log.store.read('a', { limit: 2, maxBytes: 1000 }, aborted)).rejects.toThrow('enough');
    const read = async (options?: { name?: string; after?: number }) => {
      const found: number[] = [];
      for await (const { seq } of log.store.entries(options)) found.push(seq);
      return found;
    };
    expect(await read()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await read({ name: 'eve' })).toEqual([5, 6]);
    expect(await log.store.remove({ name: 'eve', room: 'a' })).toBe(1);
    expect(await read({ name: 'eve' })).toEqual([6]);
    expect(await log.store.remove({ room: 'nowhere' })).toBe(0);
  });

  it('is open once per folder', async () => {
    const directory = dataFolder();
    const log = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({ code: 'ERR_SERVER_STORE_LOCKED' });
    await log.close();
    await open(directory);
  });
});
