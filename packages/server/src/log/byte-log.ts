/**
 * The entries of one room as the bytes that go out: frames one behind the other in a few large chunks.
 *
 * Chunks only ever grow at their end and are never written again, so a slice of one can be handed to any
 * number of sockets without a copy. A cursor is a chunk and an offset; reading on is pointer arithmetic.
 * Retention drops whole chunks from the old end. A chunk that was dropped gives its memory back at once and
 * says so to cursors that still point at it.
 *
 * Longer than most files here: appending, reading, cutting and taking out keep the same few numbers of a chunk right.
 */
import { CodecTag } from '@chat/protocol';
import {
  CODEC_OFFSET,
  ENTRY_PREV_OFFSET,
  ENTRY_SEQ_OFFSET,
  entryBytes,
  readU32,
  readU48,
  writeEntry,
} from '@chat/protocol/frames';
import type { ShownEntry } from './entry.js';
import type { LogShare } from './log-budget.js';
import { deviceOf, userOf } from './state/session-number.js';

/** How much of the past is kept. The strictest bound wins. */
export interface Retention {
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly maxAgeMs: number;
}

const FIRST_CHUNK_BYTES = 2048;
const MAX_CHUNK_BYTES = 262_144;
/** A bound is kept by dropping chunks, so no chunk may be more than this part of it. */
const CHUNKS_PER_BOUND = 8;

/** A run of whole frames. */
export class Chunk {
  bytes: Buffer;
  /** Bytes of the log before this chunk, dropped ones included. */
  readonly base: number;
  /** Bytes in use; frames begin at 0. */
  used = 0;
  entries = 0;
  firstSeq = 0;
  lastSeq = 0;
  /** `prev` of the first entry, which may still have to come. */
  firstPrev: number;
  /** Monotonic time of its newest entry. */
  lastSince = 0;
  next: Chunk | undefined = undefined;
  /** Retention took it: its bytes are gone. */
  dropped = false;
  /** Whether it may have messages of codec 5, which some readers do not know. */
  hasRich = false;

  constructor(base: number, sizeBytes: number, firstPrev: number) {
    this.base = base;
    this.firstPrev = firstPrev;
    this.bytes = sizeBytes === 0 ? NOTHING : Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** Entries from `offset` to the end so far. */
  entriesFrom(offset: number): number {
    if (offset === 0) return this.entries;
    let count = 0;
    for (let at = offset; at < this.used; at = this.endOf(at)) count++;
    return count;
  }

  /** Where the entry at `offset` ends, and the next one begins. */
  endOf(offset: number): number {
    return offset + readU32(this.bytes, offset);
  }
}

/**
 * The entries between a cursor and the end of its chunk. Members at the same cursor get the same object, so what a
 * carrier makes of it can be kept for the next of them.
 */
export interface Slice {
  /** Borrowed for reading; valid and unchanged for as long as they are held. */
  readonly bytes: Buffer;
  readonly entries: number;
}

/** A place in a {@link ByteLog}. */
export interface Cursor {
  chunk: Chunk;
  offset: number;
}

/** Where a reader starts, and what it missed. */
export interface StartingPoint {
  readonly chunk: Chunk;
  readonly offset: number;
  /** `prev` of the first entry that will be read. */
  readonly start: number;
}

export class ByteLog {
  readonly #handle: number;
  readonly #retention: Retention;
  readonly #share: LogShare | undefined;
  readonly #chunkBytes: number;
  readonly #chunkEntries: number;
  #chunks: Chunk[];
  #tail: Chunk;
  #bytes = 0;
  #entries = 0;
  #lastSeq: number;
  #previousSeq: number;
  #lastOffset = 0;

  // The slice that was handed out last, and its place.
  #slice: Slice | undefined;
  #sliceChunk: Chunk | undefined;
  #sliceFrom = 0;

  /**
   * @param handle number of the room in the frames
   * @param floor position up to which nothing can be said: entries up to there may have been, and are not held
   * @param share told of each change of the bytes held
   */
  constructor(handle: number, retention: Retention, floor = 0, share?: LogShare) {
    this.#handle = handle;
    this.#lastSeq = floor;
    this.#previousSeq = floor;
    this.#retention = retention;
    this.#share = share;
    this.#chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.ceil(retention.maxBytes / CHUNKS_PER_BOUND));
    this.#chunkEntries = Math.max(1, Math.ceil(retention.maxEntries / CHUNKS_PER_BOUND));
    // A room in which nothing was said yet costs no buffer.
    this.#tail = new Chunk(0, 0, floor);
    this.#chunks = [this.#tail];
  }

  /** Position of the newest entry, or where the log began when there was none. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Position of the entry before the newest. */
  get previousSeq(): number {
    return this.#previousSeq;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Entries held. */
  get entries(): number {
    return this.#entries;
  }

  /**
   * Encodes `entry` behind the others. Its `prev` is the entry before it.
   *
   * @param since monotonic time from which its age counts
   */
  append(entry: ShownEntry, since: number = entry.at): void {
    const { name, body } = entry;
    const length = entryBytes(name.length, body.length);
    let chunk = this.#tail;
    if (chunk.used + length > chunk.bytes.length || chunk.entries >= this.#chunkEntries) {
      chunk = this.#addChunk(length);
    }
    if (chunk.entries === 0) chunk.firstSeq = entry.seq;
    if (entry.codec === CodecTag.Rich) chunk.hasRich = true;
    writeEntry(
      chunk.bytes,
      chunk.used,
      entry.type,
      entry.codec,
      entry.kind,
      this.#handle,
      userOf(entry.sender),
      entry.seq,
      this.#lastSeq,
      entry.at,
      name,
      body,
      deviceOf(entry.sender),
    );
    this.#lastOffset = chunk.used;
    this.#previousSeq = this.#lastSeq;
    chunk.used += length;
    chunk.entries++;
    chunk.lastSeq = entry.seq;
    chunk.lastSince = since;
    this.#lastSeq = entry.seq;
    this.#entries++;
    this.#resize(length);
    if (this.#bytes > this.#retention.maxBytes || this.#entries > this.#retention.maxEntries) this.#trim();
  }

  /** Drops what is older than retention allows at the monotonic time `now`. To be called now and then. */
  expire(now: number): void {
    const oldest = now - this.#retention.maxAgeMs;
    while (this.#entries > 0 && this.#chunks[0]!.lastSince < oldest) this.#dropFirst();
  }

  /** Drops the oldest chunk, unless it is the newest and is to be kept. Answers the bytes that were freed. */
  shed(keepsNewest = true): number {
    if (this.#entries === 0 || (keepsNewest && this.#chunks.length < 2)) return 0;
    const before = this.#bytes;
    this.#dropFirst();
    return before - this.#bytes;
  }

  /** Behind the newest entry. */
  end(): StartingPoint {
    return { chunk: this.#tail, offset: this.#tail.used, start: this.#lastSeq };
  }

  /** The newest entry. Borrowed, as {@link ByteLog.slice}. */
  newest(): Buffer {
    return this.#tail.bytes.subarray(this.#lastOffset, this.#tail.used);
  }

  /** Before the oldest entry that is held. */
  oldest(): StartingPoint {
    const chunk = this.#chunks[0]!;
    return { chunk, offset: 0, start: chunk.firstPrev };
  }

  /**
   * Behind the entry `seq`, or behind the one before that where `seq` is not an entry of this room;
   * `undefined` when entries after `seq` are no longer held.
   */
  after(seq: number): StartingPoint | undefined {
    if (seq >= this.#lastSeq) return this.end();
    if (seq === this.#previousSeq && this.#tail.entries > 0) {
      return { chunk: this.#tail, offset: this.#lastOffset, start: seq };
    }
    if (seq < this.oldest().start) return undefined;
    const chunk = this.#chunks.find((candidate) => candidate.lastSeq > seq);
    // The newest entries were taken out.
    if (!chunk) return { chunk: this.#tail, offset: this.#tail.used, start: seq };
    let offset = 0;
    let start = chunk.firstPrev;
    for (;;) {
      const entrySeq = readU48(chunk.bytes, offset + ENTRY_SEQ_OFFSET);
      if (entrySeq > seq) break;
      start = entrySeq;
      offset = chunk.endOf(offset);
    }
    return { chunk, offset, start };
  }

  /** Before the last `count` entries of those up to and including `seq`, as far as they are held. */
  before(count: number, seq: number = this.#lastSeq): StartingPoint {
    let point = this.oldest();
    let wanted = this.#countUpTo(seq) - count;
    for (const chunk of this.#chunks) {
      if (wanted <= 0) break;
      if (chunk.entries <= wanted) {
        wanted -= chunk.entries;
        point = { chunk, offset: chunk.used, start: chunk.lastSeq };
        continue;
      }
      let offset = 0;
      let start = chunk.firstPrev;
      for (; wanted > 0; wanted--) {
        start = readU48(chunk.bytes, offset + ENTRY_SEQ_OFFSET);
        offset = chunk.endOf(offset);
      }
      point = { chunk, offset, start };
    }
    return point;
  }

  /** Bytes that the cursor has still to read, those that are gone included. */
  lagBytes(cursor: Cursor): number {
    return this.#tail.base + this.#tail.used - cursor.chunk.base - cursor.offset;
  }

  /**
   * What is held from the cursor on. Retention drops whole chunks, so what the cursor has read of its own counts as long
   * as there is more in it.
   */
  unread({ chunk, offset }: Cursor): { readonly bytes: number; readonly entries: number } {
    const hasRead = offset === chunk.used ? chunk : undefined;
    let bytes = 0;
    let entries = 0;
    for (let held: Chunk | undefined = chunk; held; held = held.next) {
      if (held === hasRead || held.dropped) continue;
      bytes += held.used;
      entries += held.entries;
    }
    return { bytes, entries };
  }

  /** Position of the entry before the cursor: `prev` of what it will read next. */
  positionOf(cursor: Cursor): number {
    const { chunk, offset } = cursor;
    if (offset === 0) return chunk.firstPrev;
    if (offset === chunk.used) return chunk.lastSeq;
    let position = chunk.firstPrev;
    if (chunk.dropped) return position;
    for (let at = 0; at < offset; at = chunk.endOf(at)) {
      position = readU48(chunk.bytes, at + ENTRY_SEQ_OFFSET);
    }
    return position;
  }

  /** The entries of `chunk` from `offset` to its end so far. */
  slice(chunk: Chunk, offset: number): Slice {
    const last = this.#slice;
    const isSame = chunk === this.#sliceChunk && offset === this.#sliceFrom;
    if (last && isSame && last.bytes.length === chunk.used - offset) return last;
    const slice = { bytes: chunk.bytes.subarray(offset, chunk.used), entries: chunk.entriesFrom(offset) };
    this.#slice = slice;
    this.#sliceChunk = chunk;
    this.#sliceFrom = offset;
    return slice;
  }

  /** Position of the newest entry that is held; {@link ByteLog.lastSeq} when none is. */
  get newestSeq(): number {
    return this.#chunks.findLast(({ entries }) => entries > 0)?.lastSeq ?? this.#lastSeq;
  }

  /**
   * Takes out the entries that `isGone` answers true for. Those that stay keep their bytes, `prev` included, so a reader that
   * never saw the others is told of a hole. Cursors in a chunk that has lost entries are to be put back by their position.
   *
   * @param isGone asked for each frame, which is borrowed for the call
   * @returns how many there were
   */
  remove(isGone: (frame: Buffer) => boolean): number {
    const before = this.#entries;
    this.#replace((frame) => (isGone(frame) ? undefined : frame));
    return before - this.#entries;
  }

  /**
   * Puts another frame in the place of one entry; its number, and what is before it, stay. Cursors in its chunk are to be
   * put back by their position.
   *
   * @returns whether the entry is held
   */
  rewrite(seq: number, rewritten: (frame: Buffer) => Buffer): boolean {
    let isHeld = false;
    this.#replace((frame) => {
      if (readU48(frame, ENTRY_SEQ_OFFSET) !== seq) return frame;
      isHeld = true;
      return rewritten(frame);
    }, seq);
    return isHeld;
  }

  /** The same for all entries: `rewritten` gives the frame itself where it stays. @returns whether one is another now */
  rewriteAll(rewritten: (frame: Buffer) => Buffer): boolean {
    let isOther = false;
    this.#replace((frame) => {
      const other = rewritten(frame);
      isOther ||= other !== frame;
      return other;
    });
    return isOther;
  }

  /** @param only a position: chunks that cannot have it stay as they are */
  #replace(replaced: (frame: Buffer) => Buffer | undefined, only?: number): void {
    const kept = this.#chunks.map((chunk) => {
      const isMeant = only === undefined || (chunk.firstSeq <= only && only <= chunk.lastSeq);
      return isMeant ? this.#withOthers(chunk, replaced) : chunk;
    });
    if (kept.every((chunk, i) => chunk === this.#chunks[i])) return;
    const held = kept.filter(({ entries }) => entries > 0);
    this.#chunks = held.length > 0 ? held : [kept.at(-1)!];
    this.#tail = this.#chunks.at(-1)!;
    this.#chunks.forEach((chunk, i) => {
      chunk.next = this.#chunks[i + 1];
    });
    this.#lastOffset = this.#tail.used;
    for (let at = 0; at < this.#tail.used; at = this.#tail.endOf(at)) {
      if (readU48(this.#tail.bytes, at + ENTRY_SEQ_OFFSET) === this.#lastSeq) this.#lastOffset = at;
    }
    this.#sliceChunk = undefined;
    this.#slice = undefined;
  }

  /** Lets go of everything. */
  clear(): void {
    while (this.#entries > 0) this.#dropFirst();
    this.#sliceChunk = undefined;
    this.#slice = undefined;
  }

  #countUpTo(seq: number): number {
    let count = 0;
    for (const chunk of this.#chunks) {
      if (chunk.entries === 0 || chunk.firstSeq > seq) break;
      if (chunk.lastSeq <= seq) {
        count += chunk.entries;
        continue;
      }
      for (let offset = 0; offset < chunk.used; offset = chunk.endOf(offset)) {
        if (readU48(chunk.bytes, offset + ENTRY_SEQ_OFFSET) > seq) break;
        count++;
      }
    }
    return count;
  }

  #addChunk(neededBytes: number): Chunk {
    const last = this.#tail;
    const grown = Math.min(Math.max(last.bytes.length * 2, FIRST_CHUNK_BYTES), this.#chunkBytes);
    const chunk = new Chunk(last.base + last.used, Math.max(grown, neededBytes), this.#lastSeq);
    last.next = chunk;
    this.#tail = chunk;
    this.#chunks.push(chunk);
    if (last.entries === 0) this.#dropFirst();
    return chunk;
  }

  /** The chunk itself where all of it stays; else another one in its place. */
  #withOthers(chunk: Chunk, replaced: (frame: Buffer) => Buffer | undefined): Chunk {
    const frames: Buffer[] = [];
    for (let at = 0; at < chunk.used; at = chunk.endOf(at)) {
      frames.push(chunk.bytes.subarray(at, chunk.endOf(at)));
    }
    const kept = frames.flatMap((frame) => replaced(frame) ?? []);
    if (kept.length === frames.length && kept.every((frame, i) => frame === frames[i])) return chunk;
    const bytes = Buffer.concat(kept);
    const [first, last] = [kept[0], kept.at(-1)];
    const other = new Chunk(chunk.base, 0, first ? readU48(first, ENTRY_PREV_OFFSET) : chunk.lastSeq);
    other.bytes = bytes;
    other.used = bytes.length;
    other.entries = kept.length;
    other.firstSeq = first ? readU48(first, ENTRY_SEQ_OFFSET) : 0;
    other.lastSeq = last ? readU48(last, ENTRY_SEQ_OFFSET) : 0;
    other.lastSince = chunk.lastSince;
    other.hasRich = kept.some((frame) => frame[CODEC_OFFSET] === CodecTag.Rich);
    this.#entries -= frames.length - kept.length;
    this.#resize(bytes.length - chunk.used);
    chunk.dropped = true;
    chunk.bytes = NOTHING;
    return other;
  }

  #resize(deltaBytes: number): void {
    this.#bytes += deltaBytes;
    this.#share?.add(this, deltaBytes);
  }

  #trim(): void {
    while (
      this.#chunks.length > 1 &&
      (this.#bytes > this.#retention.maxBytes || this.#entries > this.#retention.maxEntries)
    ) {
      this.#dropFirst();
    }
  }

  #dropFirst(): void {
    const chunk = this.#chunks[0]!;
    if (chunk === this.#tail) {
      this.#tail = new Chunk(chunk.base + chunk.used, 0, this.#lastSeq);
      this.#chunks.push(this.#tail);
      chunk.next = this.#tail;
    }
    this.#chunks.shift();
    this.#entries -= chunk.entries;
    this.#resize(-chunk.used);
    if (this.#sliceChunk === chunk) {
      this.#sliceChunk = undefined;
      this.#slice = undefined;
    }
    // A cursor that has read this chunk to its end lost nothing and may go on to the next one, so the link
    // stays; any other learns that its entries are gone. A stalled cursor keeps an empty shell alive, no bytes.
    chunk.dropped = true;
    chunk.bytes = NOTHING;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);
