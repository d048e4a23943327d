/**
 * Reading the past of a room: whole entry frames, copied out of the log into pieces that fit into frames.
 */
import { ENTRY_SEQ_OFFSET, readU32, readU48 } from '@chat/protocol';
import type { Chunk, StartingPoint } from './log/byte-log.js';
import type { Room } from './room.js';

/** Entries that one request returns at the most. */
export const MAX_HISTORY_ENTRIES = 1000;
/** Bytes that one request returns at the most; at least one entry always fits. */
const MAX_HISTORY_BYTES = 1_048_576;

/** Which part of the past is wanted. */
export interface HistoryWish {
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
}

/** The part of the past that was found. */
export interface HistoryPage {
  /** Runs of whole frames in ascending order, each at most `pieceBytes` long. Owned. */
  readonly pieces: readonly Buffer[];
  /** Whether nothing lies beyond in the direction that was asked for. */
  readonly end: boolean;
}

/** Copies a page of history. */
export function readHistory(room: Room, wish: HistoryWish, pieceBytes: number): HistoryPage {
  const { log } = room;
  if (wish.after !== undefined) {
    const from = log.after(wish.after) ?? log.oldest();
    const { pieces, last } = copy(from, wish.limit, Number.POSITIVE_INFINITY, pieceBytes);
    return { pieces, end: last === log.lastSeq || (pieces.length === 0 && log.lastSeq === from.start) };
  }
  const upTo = (wish.before ?? log.lastSeq + 1) - 1;
  // Newest first in choice: fewer entries are taken rather than a hole left before `before`.
  let limit = wish.limit;
  for (;;) {
    const from = log.before(limit, upTo);
    const { pieces, complete } = copy(from, limit, upTo, pieceBytes);
    if (complete || limit === 1) return { pieces, end: from.start === log.oldest().start };
    limit = Math.ceil(limit / 2);
  }
}

function copy(
  from: StartingPoint,
  limit: number,
  upTo: number,
  pieceBytes: number,
): { pieces: Buffer[]; last: number; complete: boolean } {
  const pieces: Buffer[] = [];
  let bytes = 0;
  let last = from.start;
  let count = 0;
  let chunk: Chunk | undefined = from.chunk;
  let offset = from.offset;
  while (chunk && count < limit) {
    const start = offset;
    while (offset < chunk.used && count < limit) {
      const length = readU32(chunk.bytes, offset);
      const seq = readU48(chunk.bytes, offset + ENTRY_SEQ_OFFSET);
      if (seq > upTo) return done(chunk, start, offset, true);
      if (bytes > 0 && bytes + length > MAX_HISTORY_BYTES) return done(chunk, start, offset, false);
      // An entry is never larger than a piece (see `maxMessageBytes`); one that were must not stop the loop.
      if (offset > start && offset + length - start > pieceBytes) break;
      offset += length;
      bytes += length;
      last = seq;
      count++;
    }
    if (offset > start) pieces.push(Buffer.from(chunk.bytes.subarray(start, offset)));
    if (offset === chunk.used) {
      chunk = chunk.next;
      offset = 0;
    }
  }
  return { pieces, last, complete: true };

  function done(current: Chunk, start: number, end: number, complete: boolean) {
    if (end > start) pieces.push(Buffer.from(current.bytes.subarray(start, end)));
    return { pieces, last, complete };
  }
}
