/** Pages that go on in the store where the heap ends. The store here is a list. */
import { decodeFrame, type Entry, FrameType } from '@chat/protocol/frames';
import { expect, it } from 'vitest';
import { ByteLog } from '../../src/log/byte-log.js';
import type { LogEntry, ShownEntry } from '../../src/log/entry.js';
import type { EventStore, StoredPage } from '../../src/log/event-log.js';
import type { HistoryPage } from '../../src/log/history.js';
import { readPast } from '../../src/log/stored-history.js';
import { draft } from '../support/event-log-contract.js';

const ALL: readonly ShownEntry[] = Array.from({ length: 30 }, (_, i) => ({
  ...draft('lobby', `text ${i}`),
  type: FrameType.Message,
  kind: 0,
  seq: 3 * (i + 1),
}));

function listed(entries: readonly LogEntry[], damaged: StoredPage['damaged'] = []): EventStore {
  return {
    async read(_room, { before = Number.MAX_SAFE_INTEGER, after, limit }) {
      const all = entries.filter(({ seq }) => (after === undefined ? seq < before : seq > after));
      const found = after === undefined ? all.slice(-limit) : all.slice(0, limit);
      const first = found[0]?.seq ?? 0;
      return {
        entries: found,
        previous: entries.findLast(({ seq }) => seq < first)?.seq ?? 0,
        end: found.length === all.length,
        damaged,
      };
    },
    async search() {
      return undefined;
    },
  };
}

/** A room of whose entries the heap holds those from index `from` on. */
function room(from: number) {
  const log = new ByteLog(7, { maxBytes: 65_536, maxEntries: 1000, maxAgeMs: 1e9 }, ALL[from - 1]?.seq ?? 0);
  for (const entry of ALL.slice(from)) log.append(entry);
  return { key: 'lobby', handle: 7, log };
}

function entriesOf({ runs }: HistoryPage): Entry[] {
  return runs.flatMap((run) => {
    const bytes = run.read()!;
    const found: Entry[] = [];
    for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) {
      found.push(decodeFrame(bytes.subarray(at, at + bytes.readUInt32LE(at))) as Entry);
    }
    return found;
  });
}

it.each([0, 1, 15, 29, 30])('is the same page whatever the heap holds (from %i)', async (from) => {
  for (const wish of [{ limit: 7 }, { limit: 100 }, { before: 46, limit: 10 }, { after: 4, limit: 9 }]) {
    const page = await readPast(listed(ALL), room(from), wish, 200);
    const expected = await readPast(undefined, room(0), wish, 65_536);
    expect(entriesOf(page)).toEqual(entriesOf(expected));
    expect(page.end).toBe(expected.end);
    for (const run of page.runs) expect(run.read()!.length).toBeLessThanOrEqual(200);
  }
});

it('shows what cannot be read any more as a hole', async () => {
  const readable = ALL.filter(({ seq }) => seq < 30 || seq > 45);
  const store = listed(readable, [{ from: 30, to: 45 }]);
  const entries = entriesOf(await readPast(store, room(20), { limit: 100 }, 65_536));
  const holes = entries.filter(({ prev }, i) => i > 0 && prev !== entries[i - 1]!.seq);
  expect(holes.map(({ seq, prev }) => [seq, prev])).toEqual([[48, 45]]);
});
