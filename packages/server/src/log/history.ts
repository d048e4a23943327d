/**
 * Reading the past of a room: whole entry frames, in runs that fit into frames.
 *
 * Headers are read first, to know which entries make the page. Its bytes stay in the log, and go out from there when
 * there is space for them on their way; a reader that takes so long that the log has moved on has lost them.
 */
import { ENTRY_SEQ_OFFSET, readU48 } from '@chat/protocol/frames';
import type { ByteLog, Chunk, StartingPoint } from './byte-log.js';

/** Entries that one request returns at the most. */
export const MAX_HISTORY_ENTRIES = 1000;
/** Bytes that one request returns at the most; at least one entry always fits. */
export const MAX_HISTORY_BYTES = 1_048_576;

/** Which part of the past is wanted. */
export interface HistoryWish {
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
}

/** The part of the past that was found. */
export interface HistoryPage {
  /** Ascending runs of whole frames, each at most `pieceBytes` long. */
  readonly runs: readonly Run[];
  /** How many entries there are in them. */
  readonly entries: number;
  /** Whether nothing lies beyond in the direction that was asked for. */
  readonly end: boolean;
}

/** Entries that lie one behind the other, as whole frames. */
export interface Run {
  /**
   * Their bytes; `undefined` once nobody holds them any more. Borrowed for reading; they stay what they are for as
   * long as they are held.
   */
  read(): Buffer | undefined;
}

/** A run that lies in the heap. */
class HeapRun implements Run {
  readonly #chunk: Chunk;
  readonly #start: number;
  readonly #end: number;

  constructor(chunk: Chunk, start: number, end: number) {
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
  }

  read(): Buffer | undefined {
    return this.#chunk.dropped ? undefined : this.#chunk.bytes.subarray(this.#start, this.#end);
  }
}

/** An entry in the log. */
interface Place {
  readonly chunk: Chunk;
  readonly offset: number;
  readonly length: number;
  readonly seq: number;
}

/** Finds a page of history. */
export function findHistory(log: ByteLog, wish: HistoryWish, pieceBytes: number): HistoryPage {
  if (wish.after !== undefined) {
    const from = log.after(wish.after) ?? log.oldest();
    const places = look(from, wish.limit, Number.POSITIVE_INFINITY, MAX_HISTORY_BYTES);
    const last = places.at(-1)?.seq ?? from.start;
    return { runs: join(places, pieceBytes), entries: places.length, end: last >= log.newestSeq };
  }
  const upTo = (wish.before ?? log.lastSeq + 1) - 1;
  const from = log.before(wish.limit, upTo);
  const places = look(from, wish.limit, upTo, Number.POSITIVE_INFINITY);
  // Newest first in choice: fewer entries are taken rather than a hole left before `before`.
  const first = firstThatFits(places, MAX_HISTORY_BYTES);
  return {
    runs: join(places.slice(first), pieceBytes),
    entries: places.length - first,
    end: first === 0 && from.start === log.oldest().start,
  };
}

/** The same, with its bytes. Owned. */
export function readHistory(
  log: ByteLog,
  wish: HistoryWish,
  pieceBytes: number,
): { readonly pieces: readonly Buffer[]; readonly end: boolean } {
  const { runs, end } = findHistory(log, wish, pieceBytes);
  return { pieces: runs.map((run) => Buffer.from(run.read()!)), end };
}

/** Up to `limit` entries, as far as they take no more than `maxBytes`, without reading more than their headers. */
function look(from: StartingPoint, limit: number, upTo: number, maxBytes: number): Place[] {
  const places: Place[] = [];
  let bytes = 0;
  let { offset } = from;
  for (let chunk: Chunk | undefined = from.chunk; chunk; chunk = chunk.next) {
    while (offset < chunk.used) {
      const length = chunk.endOf(offset) - offset;
      const seq = readU48(chunk.bytes, offset + ENTRY_SEQ_OFFSET);
      bytes += length;
      if (places.length === limit || seq > upTo || (places.length > 0 && bytes > maxBytes)) return places;
      places.push({ chunk, offset, length, seq });
      offset += length;
    }
    offset = 0;
  }
  return places;
}

/** Index of the first of the newest entries that take no more than `maxBytes`; the newest always fits. */
function firstThatFits(places: readonly Place[], maxBytes: number): number {
  let bytes = 0;
  for (let index = places.length - 1; index >= 0; index--) {
    bytes += places[index]!.length;
    if (bytes > maxBytes && index < places.length - 1) return index + 1;
  }
  return 0;
}

/** Entries that lie one behind the other make one run, as far as a piece reaches. */
function join(places: readonly Place[], pieceBytes: number): HeapRun[] {
  const runs: HeapRun[] = [];
  for (let index = 0; index < places.length; ) {
    const { chunk, offset: start } = places[index]!;
    let end = start;
    // An entry is never larger than a piece (see `maxMessageBytes`); one that were must not stop the loop.
    do {
      end += places[index++]!.length;
    } while (places[index]?.chunk === chunk && end + places[index]!.length - start <= pieceBytes);
    runs.push(new HeapRun(chunk, start, end));
  }
  return runs;
}
