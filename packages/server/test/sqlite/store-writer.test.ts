import { join } from 'node:path';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { claim } from '../../src/log/claims.js';
import { ClaimKind } from '../../src/log/entry.js';
import { findDriver } from '../../src/sqlite/driver.js';
import { Blocks, entriesOf } from '../../src/sqlite/rows/blocks.js';
import { StoreWriter } from '../../src/sqlite/store-writer.js';
import { draft } from '../support/event-log-contract.js';
import { blockOf } from '../support/sqlite/blocks.js';
import { dataFolder } from '../support/sqlite/folder.js';

const driver = findDriver();

function rows(directory: string, sql: string): unknown[][] {
  const database = driver.open(join(directory, 'chat.sqlite'));
  const found = database.prepare(sql).all();
  database.close();
  return found.map(({ _metadata, ...row }) => Object.values(row));
}

describe('StoreWriter', () => {
  it('stores blocks, and which streams have entries in them', () => {
    const directory = dataFolder();
    const writer = new StoreWriter({ directory, durability: 'process' });
    writer.write([blockOf(1, draft('a', 'one'), draft('b', 'two'), draft('a', 'three'))]);
    writer.write([
      blockOf(4, draft('\u00007', 'four', { type: FrameType.Notice, kind: NoticeKind.Renamed })),
      blockOf(5, draft('a', 'five'), draft('', 'six')),
    ]);
    writer.close();
    const again = new StoreWriter({ directory, durability: 'disk' });
    again.write([blockOf(7, draft('a', 'seven'))]);
    again.close();
    expect(rows(directory, 'SELECT kind, name, cut FROM stream ORDER BY id')).toEqual([
      ['room', 'a', 0],
      ['room', 'b', 0],
      ['inbox', '7', 0],
      ['claims', '', 0],
    ]);
    expect(rows(directory, 'SELECT stream, first, last, entries, bytes, previous, block FROM part')).toEqual([
      [1, 1, 3, 2, 14, 0, 1],
      [1, 5, 5, 1, 7, 3, 5],
      [1, 7, 7, 1, 8, 5, 7],
      [2, 2, 2, 1, 6, 0, 1],
      [3, 4, 4, 1, 7, 0, 4],
      [4, 6, 6, 1, 6, 0, 5],
    ]);
    expect(rows(directory, 'SELECT position, entries FROM total')).toEqual([[7, 7]]);
  });

  it('stores all of a group or nothing, and goes on', () => {
    const directory = dataFolder();
    const writer = new StoreWriter({ directory, durability: 'process' });
    writer.write([blockOf(1, draft('a', 'one'))]);
    const twice = [blockOf(2, draft('b', 'two')), blockOf(2, draft('b', 'two'))];
    expect(() => writer.write(twice)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_STORE_FAILED' }));
    writer.write([blockOf(2, draft('c', 'three'))]);
    writer.close();
    expect(rows(directory, 'SELECT first, last FROM block')).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(rows(directory, 'SELECT name FROM stream')).toEqual([['a'], ['c']]);
  });
});

describe('Blocks', () => {
  it('knows of rooms and inboxes that are there from where on a tail has everything of them', () => {
    const directory = dataFolder();
    const writer = new StoreWriter({ directory, durability: 'process' });
    const opened = (room: string) => claim(ClaimKind.RoomOpened, { room, at: 0 }, undefined);
    const session = { id: 's', secretHash: 'h', isResumable: true };
    const name = Buffer.from('ada');
    writer.write([
      blockOf(1, opened('a'), opened('b'), claim(ClaimKind.SessionOpened, { name, at: 0 }, session)),
      blockOf(4, draft('a', 'one'), draft('\u00001', 'two'), draft('forgotten', 'three')),
      blockOf(7, draft('a', 'four'), draft('b', 'five'), draft('\u00001', 'six')),
    ]);
    expect(writer.readFloors(7)).toEqual(
      new Map([
        ['a', 4],
        ['\u00001', 5],
      ]),
    );
    expect(writer.readFloors()).toEqual(
      new Map([
        ['a', 7],
        ['b', 8],
        ['\u00001', 9],
      ]),
    );
    expect(writer.beginRemoval({ room: 'a' })).toBe(true);
    while (writer.keepHouse(0).worked);
    expect(writer.readFloors(7).get('\u00001')).toBe(5);
    writer.close();
  });

  it('does not answer bytes that are not those that were written', () => {
    const directory = dataFolder();
    const writer = new StoreWriter({ directory, durability: 'process' });
    writer.write([1, 2, 3, 4].map((seq) => blockOf(seq, draft('a', `text ${seq}`))));
    writer.close();
    const database = driver.open(join(directory, 'chat.sqlite'));
    const blocks = new Blocks(database);
    database.exec("UPDATE block SET bytes = CAST(replace(bytes, 'text', 'tExt') AS BLOB) WHERE first = 2");
    database.exec('UPDATE block SET at = at + 1 WHERE first = 3; UPDATE block SET last = 9 WHERE first = 4');
    expect(entriesOf(blocks.read(1)!)?.map(({ seq }) => seq)).toEqual([1]);
    for (const first of [2, 3, 4]) {
      expect(blocks.read(first), `${first}`).toMatchObject({ first, bytes: undefined });
      expect(entriesOf(blocks.read(first)!)).toBeUndefined();
    }
    expect(blocks.readBefore(3)?.first).toBe(2);
    expect(blocks.readAfter(0)?.first).toBe(1);
    expect(blocks.readAfter(4)).toBeUndefined();
    expect(blocks.read(5)).toBeUndefined();
    database.close();
  });
});
