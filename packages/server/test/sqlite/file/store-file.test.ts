import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { sessionNumber } from '../../../src/log/state/session-number.js';
import { findDriver } from '../../../src/sqlite/driver.js';
import { SCHEMA_VERSION } from '../../../src/sqlite/file/schema.js';
import { StoreFile, type StoreFileOptions } from '../../../src/sqlite/file/store-file.js';
import { StoreWriter } from '../../../src/sqlite/store-writer.js';
import { draft } from '../../support/event-log-contract.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';

const driver = findDriver();
const open = (directory: string, more: Partial<StoreFileOptions> = {}) =>
  new StoreFile({ directory, driver, durability: 'process', bootId: 'one', ...more });

/** A folder with `entries` entries, as a process that ended well has left it. */
function filled(entries = 3): string {
  const directory = dataFolder();
  const writer = new StoreWriter({ directory, durability: 'process', bootId: 'one' });
  writer.write([blockOf(1, ...Array.from({ length: entries }, (_, i) => draft('lobby', `${i}`)))]);
  writer.close();
  return directory;
}

/** Opens and closes; answers what there was to say. */
function visit(directory: string, more: Partial<StoreFileOptions> = {}) {
  const file = open(directory, more);
  const { epoch, position, loss } = file;
  file.close();
  return { epoch, position, loss };
}

describe('StoreFile', () => {
  it('goes on in the same epoch', () => {
    const directory = join(dataFolder(), 'made', 'anew');
    const first = visit(directory);
    expect(first).toEqual({ epoch: expect.stringMatching(/^[\w-]{12}$/), position: 0, loss: undefined });
    expect(visit(directory)).toEqual(first);
    const other = filled();
    expect(visit(other)).toEqual({ epoch: visit(other).epoch, position: 3, loss: undefined });
    expect(visit(other).epoch).not.toBe(first.epoch);
  });

  it('is open once, and says by whom', () => {
    const directory = dataFolder();
    const file = open(directory);
    expect(() => open(directory)).toThrow(
      expect.objectContaining({
        code: 'ERR_SERVER_STORE_LOCKED',
        message: `${directory}: the data folder is open in process ${process.pid}`,
      }),
    );
    file.close();
    visit(directory);
  });

  it('can be read by others while it is open', () => {
    const directory = filled();
    const file = open(directory);
    const reader = driver.open(join(directory, 'chat.sqlite'));
    expect(reader.prepare('SELECT count(*) AS n FROM block').get()?.n).toBe(1);
    reader.close();
    file.close();
  });

  it('shows what was said to people with a program of their own', () => {
    const directory = dataFolder();
    const writer = new StoreWriter({ directory, durability: 'process' });
    writer.write([
      blockOf(
        1,
        draft('lobby', 'hello'),
        draft('\u000012', 'to you', { type: 0x12, kind: NoticeKind.Renamed, at: 1_700_000_000_123 }),
      ),
      blockOf(
        3,
        draft('كتب', 'مرحبا', { type: 0x12, kind: NoticeKind.Left, sender: sessionNumber(70_000, 3) }),
      ),
    ]);
    const reader = driver.open(join(directory, 'chat.sqlite'));
    const rows = reader
      .prepare('SELECT seq, at, type, room, name, body, sender, device, kind FROM entry ORDER BY seq')
      .all();
    expect(rows.map((row) => Object.values(row).slice(0, 9))).toEqual([
      [1, '2023-11-14 22:13:20.000', 'message', 'lobby', 'ada', 'hello', 2, 0, 0],
      [2, '2023-11-14 22:13:20.123', 'notice', 'inbox of 12', 'ada', 'to you', 2, 0, NoticeKind.Renamed],
      [3, '2023-11-14 22:13:20.000', 'notice', 'كتب', 'ada', 'مرحبا', 70_000, 3, NoticeKind.Left],
    ]);
    reader.close();
    writer.close();
  });

  it('refuses a file of a newer version, and leaves it as it is', () => {
    const directory = filled();
    const path = join(directory, 'chat.sqlite');
    const database = driver.open(path);
    database.exec('PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const before = readFileSync(path);
    expect(() => open(directory)).toThrow(
      expect.objectContaining({
        code: 'ERR_SERVER_STORE_NEWER',
        message: expect.stringContaining(
          `version 99, and this server knows versions up to ${SCHEMA_VERSION}`,
        ),
      }),
    );
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses what is not its database', () => {
    const directory = dataFolder();
    const path = join(directory, 'chat.sqlite');
    writeFileSync(path, 'a text of somebody else '.repeat(100));
    expect(() => open(directory)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_STORE_CORRUPT' }));
    rmSync(path);
    const database = driver.open(path);
    database.exec('CREATE TABLE theirs (a)');
    database.close();
    expect(() => open(directory)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_STORE_CORRUPT' }));
  });

  describe('begins a new epoch, at positions that were never given out,', () => {
    const tail = (directory: string): string => join(directory, 'chat.tail');

    it.each<[string, (directory: string) => void, Partial<StoreFileOptions>, RegExp]>([
      ['when the file beside it is gone', (directory) => rmSync(tail(directory)), {}, /chat.tail is missing/],
      [
        'when that file is damaged',
        (directory) => writeFileSync(tail(directory), 'x'.repeat(256)),
        {},
        /chat.tail is damaged/,
      ],
      [
        'when that file is of another database',
        (directory) => writeFileSync(tail(directory), readFileSync(tail(filled()))),
        {},
        /belongs to another database/,
      ],
      [
        'when the machine went down under a server that did not flush',
        (directory) => killed(directory, 'process'),
        { bootId: 'two' },
        /the machine went down/,
      ],
    ])('%s', (_, damage, more, reason) => {
      const directory = filled();
      const { epoch } = visit(directory);
      damage(directory);
      const after = visit(directory, more);
      expect(after.epoch).not.toBe(epoch);
      expect(after.loss?.reason).toMatch(reason);
      expect(after.position).toBe(3);
      // That is told once.
      expect(visit(directory, more)).toEqual({ epoch: after.epoch, position: 3, loss: undefined });
    });

    it('when the database ends before what was stored', () => {
      const directory = filled(3);
      const older = readFileSync(join(directory, 'chat.sqlite'));
      const writer = new StoreWriter({ directory, durability: 'disk', bootId: 'one' });
      const { epoch } = writer.opened;
      writer.write([blockOf(4, draft('lobby', 'lost'))]);
      writer.close();
      writeFileSync(join(directory, 'chat.sqlite'), older);
      const after = visit(directory);
      expect(after.epoch).not.toBe(epoch);
      expect(after.loss).toEqual({
        reason: 'the database ends at position 3, and position 4 had been stored',
        storedPosition: 3,
        knownPosition: 4,
      });
      expect(after.position).toBe(4);
    });

    it('when positions were given out that were not stored', () => {
      const directory = filled();
      const file = open(directory);
      file.goBeyond();
      file.close();
      expect(visit(directory).loss?.reason).toMatch(/went on without the store/);
    });
  });

  it('goes on where the machine went down under a server that flushed, or that had ended', () => {
    const directory = filled();
    const { epoch } = visit(directory);
    expect(visit(directory, { bootId: 'two' })).toEqual({ epoch, position: 3, loss: undefined });
    killed(directory, 'disk');
    expect(visit(directory, { bootId: 'three' })).toEqual({ epoch, position: 3, loss: undefined });
  });
});

/** Leaves the folder as a process does that was killed. */
function killed(directory: string, durability: 'process' | 'disk'): void {
  const path = join(directory, 'chat.tail');
  const file = open(directory, { durability });
  const line = readFileSync(path);
  file.close();
  writeFileSync(path, line);
}
