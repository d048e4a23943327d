/**
 * Pages of the past that reach beyond what the heap holds: its part first, and what is missing of the page from the
 * store. Entries are the frames that they were, so a reader sees no seam.
 */
import { entryBytes, writeEntry } from '@chat/protocol/frames';
import type { ByteLog } from './byte-log.js';
import { isShown } from './entry.js';
import type { EventStore, StoredPage } from './event-log.js';
import { findHistory, type HistoryPage, type HistoryWish, MAX_HISTORY_BYTES, type Run } from './history.js';
import { deviceOf, userOf } from './state/session-number.js';

/** A room whose past is asked for. */
export interface RoomPast {
  readonly key: string;
  readonly handle: number;
  readonly log: ByteLog;
}

/** Finds a page of history in the heap and, where that ends, in the store. */
export async function readPast(
  store: EventStore | undefined,
  { key, handle, log }: RoomPast,
  wish: HistoryWish,
  pieceBytes: number,
): Promise<HistoryPage> {
  const { start } = log.oldest();
  if (!store) return findHistory(log, wish, pieceBytes);
  const maxBytes = MAX_HISTORY_BYTES;
  if (wish.after !== undefined) {
    if (wish.after >= start) return findHistory(log, wish, pieceBytes);
    const page = await store.read(key, { after: wish.after, limit: wish.limit, maxBytes });
    return { ...stored(page, handle, pieceBytes), end: page.end };
  }
  const recent = findHistory(log, wish, pieceBytes);
  if (!recent.end || start === 0) return recent;
  const limit = wish.limit - recent.entries;
  if (limit === 0) return { ...recent, end: false };
  const before = Math.min(wish.before ?? Number.MAX_SAFE_INTEGER, start + 1);
  const page = await store.read(key, { before, limit, maxBytes });
  const older = stored(page, handle, pieceBytes);
  return {
    runs: [...older.runs, ...recent.runs],
    entries: older.entries + recent.entries,
    end: page.end,
  };
}

/** The entries of a page as frames, one behind the other. */
export function writeStored(page: StoredPage, handle: number): Buffer {
  const [run] = stored(page, handle, Number.POSITIVE_INFINITY).runs;
  return run?.read() ?? Buffer.alloc(0);
}

/** The entries of a page as runs of frames. */
function stored(
  { entries, previous, damaged }: StoredPage,
  handle: number,
  pieceBytes: number,
): { readonly runs: Run[]; readonly entries: number } {
  const shown = entries.filter(isShown);
  const runs: Run[] = [];
  let prev = previous;
  for (let next = 0; next < shown.length; ) {
    const first = next;
    let bytes = 0;
    do bytes += sizeOf(shown[next++]!);
    while (next < shown.length && bytes + sizeOf(shown[next]!) <= pieceBytes);
    const frames = Buffer.alloc(bytes);
    let offset = 0;
    for (const entry of shown.slice(first, next)) {
      const { type, codec, kind, sender, seq, at, name, body } = entry;
      // What was there and cannot be read shows as a hole: `prev` is no entry that the reader has.
      prev = lastDamaged(damaged, prev, seq) ?? prev;
      const [user, device] = [userOf(sender), deviceOf(sender)];
      writeEntry(frames, offset, type, codec, kind, handle, user, seq, prev, at, name, body, device);
      offset += sizeOf(entry);
      prev = seq;
    }
    runs.push({ read: () => frames });
  }
  return { runs, entries: shown.length };
}

/** The last position that was damaged between two entries. */
function lastDamaged(damaged: StoredPage['damaged'], after: number, before: number): number | undefined {
  return damaged.findLast(({ from, to }) => to > after && from < before)?.to;
}

function sizeOf({ name, body }: { readonly name: Uint8Array; readonly body: Uint8Array }): number {
  return entryBytes(name.length, body.length);
}

/** The newest part of a page that has no hole. */
export function behindDamage(page: StoredPage): StoredPage {
  const last = page.damaged.at(-1)?.to;
  if (last === undefined) return page;
  return { ...page, previous: last, entries: page.entries.filter(({ seq }) => seq > last) };
}
