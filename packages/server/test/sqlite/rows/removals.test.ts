import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../../src/log/block.js';
import { CLAIM } from '../../../src/log/entry.js';
import { findDriver } from '../../../src/sqlite/driver.js';
import { StoreReader } from '../../../src/sqlite/store-reader.js';
import { StoreWriter } from '../../../src/sqlite/store-writer.js';
import { draft } from '../../support/event-log-contract.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';
import { readRoom } from '../../support/sqlite/read-room.js';

const open = (directory: string) => new StoreWriter({ directory, durability: 'process', reserveBytes: 0 });

/** Does all that can wait. Answers the entries that were removed. */
function keepHouse(writer: StoreWriter): number {
  let removed = 0;
  for (let step = writer.keepHouse(0); step.worked; step = writer.keepHouse(0)) removed += step.removed;
  return removed;
}

const named = (name: string) => ({ name: Buffer.from(name) });

describe('a removal', () => {
  it('takes a room out of all blocks, and leaves no byte of it in the files', () => {
    const directory = dataFolder();
    const writer = open(directory);
    for (let i = 0; i < 40; i++) {
      writer.write([blockOf(2 * i + 1, draft('lobby', `public ${i}`), draft('cellar', `hidden ${i}`))]);
    }
    expect(writer.beginRemoval({ room: 'cellar' })).toBe(true);
    expect(writer.beginRemoval({ room: 'nowhere' })).toBe(false);
    expect(keepHouse(writer)).toBe(40);
    const reader = new StoreReader({ directory });
    expect(readRoom(reader, 'cellar')).toMatchObject({ seqs: [], gaps: [], previous: 80 });
    expect(readRoom(reader, 'lobby')).toMatchObject({
      seqs: Array.from({ length: 40 }, (_, i) => 2 * i + 1),
      gaps: [],
    });
    writer.write([blockOf(81, draft('cellar', 'new'))]);
    expect(readRoom(reader, 'cellar')).toMatchObject({ seqs: [81], previous: 80, gaps: [] });
    reader.close();
    for (const file of ['chat.sqlite', 'chat.sqlite-wal']) {
      expect(readFileSync(join(directory, file)).includes('hidden'), file).toBe(false);
    }
    writer.close();
  });

  it('takes back what a member said by its id, whatever it was called', () => {
    const directory = dataFolder();
    const writer = open(directory);
    const eve = (name: string) => ({ ...named(name), sender: 7 });
    writer.write([
      blockOf(1, draft('a', '1', eve('eve')), draft('a', '2', named('eve')), draft('b', '3', eve('grace'))),
    ]);
    expect(writer.beginRemoval({ member: 7, room: 'a' })).toBe(true);
    expect(keepHouse(writer)).toBe(1);
    writer.beginRemoval({ member: 7 });
    expect(keepHouse(writer)).toBe(1);
    const reader = new StoreReader({ directory });
    expect([readRoom(reader, 'a').texts, readRoom(reader, 'b').texts]).toEqual([['2'], []]);
    reader.close();
    writer.close();
  });

  it('takes back what a member said, in one room or everywhere, and not what comes later', () => {
    const directory = dataFolder();
    const writer = open(directory);
    writer.write([blockOf(1, draft('a', '1', named('eve')), draft('a', '2'), draft('b', '3', named('eve')))]);
    writer.write([
      blockOf(
        4,
        draft('a', '4', named('eve')),
        draft('', '5', { ...named('eve'), type: CLAIM }),
        draft('a', '6'),
      ),
    ]);
    writer.beginRemoval({ name: 'eve', room: 'a' });
    writer.write([blockOf(7, draft('a', '7', named('eve')))]);
    expect(keepHouse(writer)).toBe(2);
    const reader = new StoreReader({ directory });
    expect(readRoom(reader, 'a')).toMatchObject({ seqs: [2, 6, 7], previous: 0, gaps: [] });
    expect(readRoom(reader, 'b')).toMatchObject({ seqs: [3] });
    writer.beginRemoval({ name: 'eve' });
    expect(keepHouse(writer)).toBe(2);
    expect(readRoom(reader, 'a')).toMatchObject({ seqs: [2, 6], gaps: [] });
    expect(readRoom(reader, 'b')).toMatchObject({ seqs: [], previous: 0, gaps: [] });
    // What is no message is not one's own to take back.
    const { bytes, positions } = reader.scan(0, Buffer.from('eve'));
    expect(readRecords(bytes, positions).map(({ seq }) => seq)).toEqual([5]);
    reader.close();
    writer.close();
  });

  it('goes on after a restart', () => {
    const directory = dataFolder();
    const writer = open(directory);
    for (let i = 0; i < 100; i++) writer.write([blockOf(i + 1, draft('a', 'x'))]);
    writer.beginRemoval({ room: 'a' });
    const { removed } = writer.keepHouse(0);
    expect(removed).toBeLessThan(100);
    writer.close();
    const again = open(directory);
    expect(again.isRemoving).toBe(true);
    expect(keepHouse(again)).toBe(100 - removed);
    expect(again.isRemoving).toBe(false);
    again.close();
  });

  it('lets a damaged block of the room go', () => {
    const directory = dataFolder();
    const writer = open(directory);
    writer.write([blockOf(1, draft('a', 'x'), draft('b', 'y')), blockOf(3, draft('a', 'x'))]);
    const database = findDriver().open(join(directory, 'chat.sqlite'));
    database.exec('UPDATE block SET crc = crc + 1 WHERE first = 1');
    database.close();
    writer.beginRemoval({ room: 'a' });
    keepHouse(writer);
    const reader = new StoreReader({ directory });
    expect(readRoom(reader, 'a')).toMatchObject({ seqs: [], gaps: [] });
    reader.close();
    writer.close();
  });

  it('leaves every room whole, whatever is removed in whatever order', () => {
    const rooms = ['a', 'b'];
    const names = ['eve', 'bob'];
    const write = fc.record({
      entries: fc.array(fc.record({ room: fc.constantFrom(...rooms), name: fc.constantFrom(...names) }), {
        minLength: 1,
        maxLength: 6,
      }),
    });
    const remove = fc.record({
      wish: fc.record(
        { room: fc.constantFrom(...rooms), name: fc.constantFrom(...names) },
        { requiredKeys: [] },
      ),
      steps: fc.nat(3),
    });
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 3, arbitrary: write }, remove), { maxLength: 40 }),
        (actions) => {
          const directory = dataFolder();
          const writer = open(directory);
          let model: { seq: number; room: string; name: string }[] = [];
          let seq = 0;
          for (const action of actions) {
            if ('entries' in action) {
              const first = seq + 1;
              for (const entry of action.entries) model.push({ seq: ++seq, ...entry });
              writer.write([
                blockOf(first, ...action.entries.map(({ room, name }) => draft(room, 'x', named(name)))),
              ]);
            } else if (action.wish.room !== undefined || action.wish.name !== undefined) {
              const { room, name } = action.wish;
              if (!writer.beginRemoval(action.wish)) continue;
              for (let i = 0; i < action.steps; i++) writer.keepHouse(0);
              model = model.filter(
                (entry) => (room ?? entry.room) !== entry.room || (name ?? entry.name) !== entry.name,
              );
            }
          }
          keepHouse(writer);
          const reader = new StoreReader({ directory });
          for (const room of rooms) {
            const found = readRoom(reader, room);
            expect(found.seqs).toEqual(
              model.filter((entry) => entry.room === room).map((entry) => entry.seq),
            );
            expect(found.gaps).toEqual([]);
          }
          reader.close();
          const database = findDriver().open(join(directory, 'chat.sqlite'));
          const total = database.prepare('SELECT entries, bytes FROM total').get();
          const sum = database.prepare('SELECT coalesce(sum(length(bytes)), 0) AS bytes FROM block').get();
          const parts = database.prepare('SELECT coalesce(sum(entries), 0) AS entries FROM part').get();
          expect([total?.entries, total?.bytes]).toEqual([model.length, sum?.bytes]);
          expect(parts?.entries).toBe(model.length);
          database.close();
          writer.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});
