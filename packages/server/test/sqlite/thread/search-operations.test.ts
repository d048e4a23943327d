import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findDriver } from '../../../src/sqlite/driver.js';
import { readMeta, StoreFiles } from '../../../src/sqlite/file/store-file.js';
import { StoreWriter } from '../../../src/sqlite/store-writer.js';
import { searchOperations } from '../../../src/sqlite/thread/search-operations.js';
import { draft } from '../../support/event-log-contract.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';

const TICK_MS = 500;
/** More than a slice of the index takes in. */
const MANY = 20_000;
/** With so many in a tick the server is busy. */
const BUSY = 2500;

function opened(entries: number) {
  const directory = dataFolder();
  const writer = new StoreWriter({ directory, durability: 'process', reserveBytes: 0 });
  let seq = 0;
  const say = (count: number): void => {
    const drafts = Array.from({ length: count }, (_, i) => draft('a', `apples and pears, number ${i}`));
    for (let i = 0; i < count; i += 500) {
      const some = drafts.slice(i, i + 500);
      writer.write([blockOf(seq + 1, ...some)]);
      seq += some.length;
    }
  };
  say(entries);
  const operations = searchOperations({ directory });
  const file = findDriver().open(join(directory, StoreFiles.Search));
  onTestFinished(() => {
    file.close();
    operations.close(undefined);
    writer.close();
  });
  return { say, position: () => Number(readMeta(file, 'position') ?? 0), newest: () => seq };
}

describe('searchOperations', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('takes in what is stored while the server is not busy, until there is nothing more', async () => {
    const { position, newest } = opened(1000);
    vi.advanceTimersByTime(TICK_MS);
    while (position() < newest()) await nextTurn();
    expect(position()).toBe(1000);
  });

  it('stops in the middle when the server becomes busy, and goes on when it no longer is', async () => {
    const { say, position, newest } = opened(MANY);
    vi.advanceTimersByTime(TICK_MS);
    const begun = position();
    expect(begun).toBeGreaterThan(0);
    say(BUSY);
    vi.advanceTimersByTime(TICK_MS);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    // Not one slice more.
    expect(position()).toBe(begun);
    vi.advanceTimersByTime(TICK_MS);
    while (position() < newest()) await nextTurn();
    expect(position()).toBe(MANY + BUSY);
  });
});
