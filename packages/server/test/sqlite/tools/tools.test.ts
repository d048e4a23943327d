import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ServerError } from '../../../src/errors.js';
import { claim } from '../../../src/log/claims.js';
import { ClaimKind } from '../../../src/log/entry.js';
import { findDriver } from '../../../src/sqlite/driver.js';
import { StoreReader } from '../../../src/sqlite/store-reader.js';
import { StoreWriter, type StoreWriterOptions } from '../../../src/sqlite/store-writer.js';
import { backupStore } from '../../../src/sqlite/tools/backup.js';
import { checkStore } from '../../../src/sqlite/tools/check.js';
import { exportStore, importStore } from '../../../src/sqlite/tools/transfer.js';
import { draft } from '../../support/event-log-contract.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';
import { readRoom } from '../../support/sqlite/read-room.js';

const name = (text: string) => new TextEncoder().encode(text);
const open = (directory: string, more: Partial<StoreWriterOptions> = {}) =>
  new StoreWriter({ directory, durability: 'process', reserveBytes: 0, ...more });

/** A store that is in use, with all kinds of entries. */
function inUse(more: Partial<StoreWriterOptions> = {}) {
  const directory = dataFolder();
  const writer = open(directory, more);
  onTestFinished(() => writer.close());
  writer.write([
    blockOf(
      1,
      claim(
        ClaimKind.SessionOpened,
        { name: name('ada'), at: 1 },
        { id: 'i', secretHash: 'h', isResumable: true },
      ),
      claim(ClaimKind.RoomOpened, { room: 'a', name: name('A'), at: 1 }, undefined),
      draft('a', '', { type: FrameType.Notice, kind: NoticeKind.Joined, codec: 0, sender: 1, publishId: 0 }),
      draft('a', 'hello', { sender: 1, publishId: 1 }),
      draft('a', 'hello', { sender: 1, publishId: 1 }),
    ),
    blockOf(
      6,
      draft('\u00001', 'to you', { sender: 1, publishId: 2 }),
      draft('a', '', { sender: 1, publishId: 3, codec: 0, body: Uint8Array.of(0, 255, 128) }),
      claim(ClaimKind.Banned, { at: 5 }, { looks: ['eve'], addresses: [], until: 9 }),
    ),
  ]);
  return { directory, writer };
}

const damage = (directory: string, sql: string): void => {
  const database = findDriver().open(join(directory, 'chat.sqlite'));
  database.exec(sql);
  database.close();
};

describe('checkStore', () => {
  it('finds nothing wrong with a store in use, and proves its state', () => {
    const { directory } = inUse();
    expect(checkStore({ directory })).toEqual({
      blocks: 2,
      entries: 8,
      position: 8,
      damaged: [],
      problems: [],
      isStateProven: true,
    });
  });

  it.each([
    ['UPDATE block SET bytes = zeroblob(length(bytes)) WHERE first = 6', /block 6: the checksum is wrong/],
    [
      'UPDATE part SET last = last + 1 WHERE first = 3',
      /block 1: its entries of room a are not where the parts say/,
    ],
    ['DELETE FROM part WHERE first = 6', /block 6: its entries of inbox 1 are not where/],
    ['UPDATE total SET entries = 9', /there are 8 entries, and 9 are counted/],
    ['UPDATE total SET position = 2', /an entry has position 8, the newest is 2/],
    ["UPDATE session SET name = 'bob'", /a row of table session/],
    ['DELETE FROM ban', /the state is not what the entries come to/],
    ['INSERT INTO part VALUES (9, 9, 9, 1, 1, 0, 1)', /there are 6 parts, and 5 are in blocks/],
  ])('finds %s', (sql, problem) => {
    const { directory } = inUse();
    damage(directory, sql);
    expect(checkStore({ directory }).problems.join('\n')).toMatch(problem);
  });

  it('does not hold the state against entries of which some were removed', () => {
    const { directory, writer } = inUse();
    writer.beginRemoval({ room: 'a' });
    while (writer.keepHouse(0).worked);
    expect(checkStore({ directory })).toMatchObject({ problems: [], isStateProven: false, entries: 5 });
  });

  it('says when there is no store', () => {
    expect(() => checkStore({ directory: dataFolder() })).toThrow(/there is no store/);
  });
});

describe('backupStore', () => {
  it('copies a store that is in use; the copy can be opened, in an epoch of its own', () => {
    const { directory, writer } = inUse();
    const target = join(dataFolder(), 'copy');
    expect(backupStore({ directory, target })).toMatchObject({
      entries: 8,
      problems: [],
      isStateProven: true,
    });
    writer.write([blockOf(9, draft('a', 'later', { sender: 1, publishId: 4 }))]);
    const copy = open(target);
    onTestFinished(() => copy.close());
    expect(copy.opened).toMatchObject({ position: 8, loss: { reason: 'the database is a copy' } });
    expect(copy.opened.epoch).not.toBe(writer.opened.epoch);
    const reader = new StoreReader({ directory: target });
    expect(readRoom(reader, 'a').seqs).toEqual([3, 4, 7]);
    reader.close();
  });

  it('does not write over a store, and leaves nothing where it fails', () => {
    const { directory } = inUse();
    expect(() => backupStore({ directory, target: directory })).toThrow(/has a store already/);
    const target = dataFolder();
    expect(() => backupStore({ directory: dataFolder(), target })).toThrow(/there is no store/);
    expect(existsSync(join(target, 'chat.sqlite'))).toBe(false);
  });
});

describe('exportStore and importStore', () => {
  it('say when there is no store, and what is no database', () => {
    const directory = dataFolder();
    expect(() => [...exportStore({ directory })]).toThrow(ServerError);
    expect(() => [...exportStore({ directory })]).toThrow(/there is no store/);
    writeFileSync(join(directory, 'chat.sqlite'), 'this is no database, however long it may be'.repeat(200));
    expect(() => [...exportStore({ directory })]).toThrow(ServerError);
  });

  it('bring a store over, but for what came to nothing', () => {
    const { directory, writer } = inUse();
    const lines = [...exportStore({ directory })];
    expect(lines).toHaveLength(8);
    expect(JSON.parse(lines[4]!)).toEqual({
      seq: 4,
      at: '2023-11-14T22:13:20.000Z',
      type: 'message',
      room: 'a',
      sender: 1,
      name: 'ada',
      codec: 1,
      kind: 0,
      publishId: 1,
      body: 'hello',
    });
    expect(JSON.parse(lines[5]!)).toMatchObject({ seq: 6, inbox: '1', body: 'to you' });
    expect(JSON.parse(lines[6]!)).toMatchObject({ seq: 7, bytes: 'AP+A' });
    const target = dataFolder();
    expect(importStore({ directory: target, lines: [...lines, ''] })).toBe(7);
    expect([...exportStore({ directory: target })]).toEqual(lines);
    expect(checkStore({ directory: target })).toMatchObject({ entries: 7, position: 8, problems: [] });
    const copy = open(target);
    onTestFinished(() => copy.close());
    expect(copy.opened).toMatchObject({ position: 8, loss: undefined, state: writer.opened.state });
    expect(() => importStore({ directory: directory, lines })).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_STORE_LOCKED' }),
    );
  });

  it('make a new store of one that is damaged', () => {
    const { directory, writer } = inUse();
    const { state } = writer.opened;
    damage(directory, "UPDATE session SET name = 'bob'; UPDATE block SET crc = 1 WHERE first = 6");
    const target = dataFolder();
    expect(importStore({ directory: target, lines: exportStore({ directory }) })).toBe(4);
    const copy = open(target);
    onTestFinished(() => copy.close());
    expect(copy.opened.state).toMatchObject({
      sessions: state.sessions.map((one) => ({ ...one, lastPublish: 1 })),
    });
  });

  it.each([
    [['nonsense'], /line 1 is not JSON/],
    [['{}'], /line 1 is not the head of an export/],
    [[], /there is no line/],
  ])('refuse %j', (lines, problem) => {
    expect(() => importStore({ directory: dataFolder(), lines })).toThrow(problem);
  });

  it('refuse entries that are out of order, and a folder that has a store', () => {
    const { directory, writer } = inUse();
    const lines = [...exportStore({ directory })];
    expect(() => importStore({ directory: dataFolder(), lines: [lines[0]!, lines[3]!, lines[2]!] })).toThrow(
      /line 3 is not the next entry/,
    );
    const target = dataFolder();
    importStore({ directory: target, lines });
    expect(() => importStore({ directory: target, lines })).toThrow(/there is a store already/);
    expect(writer.opened.position).toBe(0);
  });
});
