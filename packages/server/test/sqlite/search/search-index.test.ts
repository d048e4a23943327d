import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claim } from '../../../src/log/claims.js';
import { ClaimKind, type Draft } from '../../../src/log/entry.js';
import { SearchIndex } from '../../../src/sqlite/search/search-index.js';
import { StoreWriter, type StoreWriterOptions } from '../../../src/sqlite/store-writer.js';
import { draft } from '../../support/event-log-contract.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';

function opened(more: Partial<StoreWriterOptions> = {}) {
  const directory = dataFolder();
  const writer = new StoreWriter({ directory, durability: 'process', reserveBytes: 0, ...more });
  let index = new SearchIndex({ directory });
  let seq = 0;
  onTestFinished(() => {
    index.close();
    writer.close();
  });
  return {
    directory,
    writer,
    say: (...drafts: Draft[]) => {
      writer.write([blockOf(seq + 1, ...drafts)]);
      seq += drafts.length;
    },
    reopen: () => {
      index.close();
      index = new SearchIndex({ directory });
      return index.position;
    },
    index: () => index,
    find: (
      query: string,
      scope: { rooms?: string[]; from?: string; before?: number; limit?: number } = {},
    ) => {
      while (index.fill());
      while (index.trim());
      const steps = index.search(query, { rooms: ['a', 'b'], limit: 10, ...scope });
      for (;;) {
        const { done, value } = steps.next();
        if (done) return value.hits.map((hit) => hit.seq);
      }
    },
    remove: (wish: { room?: string; name?: string }) => {
      writer.beginRemoval(wish);
      while (writer.keepHouse(0).worked);
      for (const _ of index.remove(wish));
    },
  };
}

describe('SearchIndex', () => {
  it('finds words in any script, phrases and begins, the newest first', () => {
    const { say, find } = opened();
    say(
      draft('a', 'the quick brown fox'),
      draft('a', 'brown quick'),
      draft('a', '東京に行く'),
      draft('a', 'كِتَابٌ جديد'),
    );
    say(draft('a', 'quickly'), draft('a', 'สวัสดีครับ'), draft('a', 'שָׁלוֹם'));
    expect(find('quick')).toEqual([2, 1]);
    expect(find('"quick brown"')).toEqual([1]);
    expect(find('quick*')).toEqual([5, 2, 1]);
    expect(find('京に')).toEqual([3]);
    expect(find('京行')).toEqual([]);
    expect(find('كتاب')).toEqual([4]);
    expect(find('สวัสดี')).toEqual([6]);
    expect(find('שלום')).toEqual([7]);
    expect(find('')).toEqual([]);
  });

  it('finds what is in the rooms that may be looked at, from whom, and before when', () => {
    const { say, find, index } = opened();
    const eve = { name: Buffer.from('eve') };
    const reader = { id: 'r', secretHash: '', isResumable: true };
    say(claim(ClaimKind.SessionOpened, { name: Buffer.from('reader'), at: 1 }, reader));
    say(
      draft('a', 'word'),
      draft('b', 'word', eve),
      draft('c', 'word'),
      draft('\u00001', 'word'),
      draft('a', 'word', eve),
    );
    expect(find('word')).toEqual([6, 3, 2]);
    expect(find('word', { rooms: ['b'] })).toEqual([3]);
    expect(find('word', { rooms: ['nowhere'] })).toEqual([]);
    expect(find('word', { rooms: [] })).toEqual([]);
    expect(find('word', { from: 'eve' })).toEqual([6, 3]);
    expect(find('word', { from: 'Eve' })).toEqual([]);
    expect(find('word', { before: 6, limit: 1 })).toEqual([3]);
    const many = Array.from({ length: 200 }, (_, i) => `room ${i}`);
    expect(find('word', { rooms: [...many, 'c'] })).toEqual([4]);
    const step = index()
      .search('word', { rooms: ['b'], limit: 1 })
      .next();
    expect(step).toEqual({
      done: true,
      value: {
        hits: [
          {
            room: 'b',
            seq: 3,
            at: 1_700_000_000_000,
            sender: 2,
            name: 'eve',
            snippet: 'word',
            marks: [[0, 4]],
          },
        ],
        next: 3,
      },
    });
  });

  it('looks at a bounded part of the log, and of its text, in one step', () => {
    const { say, index } = opened();
    // Both words are in all of them, side by side in none; and then in texts that are long.
    for (let i = 0; i < 3; i++) say(...Array.from({ length: 100 }, () => draft('a', 'one, then two')));
    for (let i = 0; i < 3; i++) say(draft('a', `one ${'x '.repeat(20_000)} two`));
    while (index().fill());
    const steps = [...index().search('"one two"', { rooms: ['a'], limit: 5 })];
    expect(steps.length).toBeGreaterThan(300 / 64 + 1);
    expect(steps[0]!.next).toBeGreaterThan(300);
  });

  it('finds long begins of words, and not what only begins a little like them', () => {
    const { say, find } = opened();
    say(draft('a', 'interest'), draft('a', 'internal'), draft('a', 'into'), draft('a', '🦊interested'));
    expect(find('intere*')).toEqual([4, 1]);
    expect(find('inte*')).toEqual([4, 2, 1]);
    expect(find('int*')).toEqual([4, 3, 2, 1]);
    expect(find('interestedly*')).toEqual([]);
  });

  it('says at each step, and at the end, from where on to look next', () => {
    const { say, find, index } = opened();
    // More rows than are read at a time, none of them in the room.
    say(draft('a', 'word'), ...Array.from({ length: 100 }, () => draft('b', 'word')), draft('a', 'last'));
    while (index().fill());
    const many = Array.from({ length: 200 }, (_, i) => `room ${i}`);
    const steps = [...index().search('word', { rooms: [...many, 'a'], limit: 5 })];
    expect(steps.map(({ next }) => next)).toEqual([38, 0]);
    expect(find('word', { rooms: [...many, 'a'], before: 38 })).toEqual([1]);
    expect(
      index()
        .search('nothing', { rooms: ['a'], limit: 5 })
        .next(),
    ).toEqual({
      done: false,
      value: { hits: [], next: 0 },
    });
    expect([...index().search('', { rooms: ['a'], limit: 5 })]).toEqual([]);
  });

  it('finds messages of text only, and none that came to nothing', () => {
    const { say, find } = opened();
    say(draft('a', 'word', { codec: 2 }), draft('a', 'word', { type: 0x12, kind: 1 }));
    expect(find('word')).toEqual([]);
  });

  it('goes on where it was, and begins anew where it is damaged or of something else', () => {
    const { say, find, reopen, directory } = opened();
    say(draft('a', 'word'));
    expect(find('word')).toEqual([1]);
    expect(reopen()).toBe(1);
    say(draft('a', 'word'));
    expect(find('word')).toEqual([2, 1]);
    for (const suffix of ['', '-wal'])
      writeFileSync(join(directory, `search.sqlite${suffix}`), 'x'.repeat(10_000));
    expect(reopen()).toBe(0);
    expect(find('word')).toEqual([2, 1]);
  });

  it('forgets what was removed, and what retention took', () => {
    const { say, find, remove, reopen } = opened({ retention: { maxEntries: 4 } });
    say(draft('a', 'word'), draft('b', 'word', { name: Buffer.from('eve') }));
    say(draft('a', 'word', { name: Buffer.from('eve') }), draft('b', 'word'));
    expect(find('word')).toEqual([4, 3, 2, 1]);
    remove({ room: 'a', name: 'eve' });
    expect(find('word')).toEqual([4, 2, 1]);
    remove({ room: 'b' });
    expect(find('word')).toEqual([1]);
    expect(reopen()).toBe(4);
    say(draft('a', 'word'), draft('a', 'word'), draft('a', 'word'), draft('a', 'word'));
    remove({ room: 'nowhere' });
    expect(find('word')).toEqual([8, 7, 6, 5]);
  });

  it('begins anew when entries were removed without it', () => {
    const { say, find, writer, reopen } = opened();
    say(draft('a', 'word'), draft('b', 'word'));
    expect(find('word')).toEqual([2, 1]);
    writer.beginRemoval({ room: 'a' });
    while (writer.keepHouse(0).worked);
    expect(find('word')).toEqual([2]);
    expect(reopen()).toBe(0);
    expect(find('word')).toEqual([2]);
  });
});
