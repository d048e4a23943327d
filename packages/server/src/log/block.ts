/**
 * A block: the entries of one turn as one run of bytes. It is what a log stores or sends, where the log is more than
 * the heap.
 *
 * A record holds all of an entry but its position, which is that of the block's first entry plus an index: entries may
 * be taken out of a block later, and those that stay keep their positions. Numbers are big-endian, so that a person can
 * read them in a hex dump (and `sqlite/file/schema.ts` in SQL):
 *
 *      0          4         8      9       10       12         16            20      26         28         30
 *      | length   | index   | type | codec | kind   | sender   | publishId   | at    | room     | name     | room, name, body
 *      | u32      | u32     | u8   | u8    | u8, u8 | u32      | u32         | u48   | bytes u16| bytes u16| UTF-8, UTF-8, bytes
 *
 * The byte before the kind is the device of the sender: its high bits, see `session-number.ts`.
 * The highest bit of the type says that the entry came to nothing (see {@link markVoid}).
 */
import { CLAIM, type Draft, type LogEntry, SIGNAL } from './entry.js';
import { deviceOf, sessionNumber, userOf } from './state/session-number.js';

/** A block is closed before it grows beyond this; a larger entry has one of its own. */
export const BLOCK_BYTES = 65_536;
/** Entries of a block, at the most. */
export const BLOCK_ENTRIES = 1024;
/** How far an entry may lie behind the first of its block. */
const MAX_INDEX = 0xffff_ffff;
/** Bytes of a record before the room. */
export const RECORD_HEADER_BYTES = 30;

const INDEX_OFFSET = 4;
const TYPE_OFFSET = 8;
const CODEC_OFFSET = 9;
const DEVICE_OFFSET = 10;
const KIND_OFFSET = 11;
const SENDER_OFFSET = 12;
const PUBLISH_ID_OFFSET = 16;
const AT_OFFSET = 20;
const ROOM_BYTES_OFFSET = 26;
const NAME_BYTES_OFFSET = 28;

const FIRST_CAPACITY = 4096;
const VOID_BIT = 0x80;

/** An entry out of a block. */
export interface BlockEntry extends LogEntry {
  /** It is in the log and nowhere else: a publish that came twice, a claim or a notice that came too late. */
  readonly isVoid: boolean;
}

/** A block as it is stored. */
export interface Block {
  /** Position of the first entry that it had when it was written. */
  readonly first: number;
  /** Position of the last. */
  readonly last: number;
  /** Server time of its newest entry in milliseconds since 1970. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Collects entries; positions rise by one from entry to entry. */
export class BlockWriter {
  #buffer: Buffer = Buffer.alloc(0);
  #used = 0;
  #entries = 0;
  #first = 0;
  #last = 0;
  #at = 0;

  /** Bytes of the open block. */
  get bytes(): number {
    return this.#used;
  }

  /** Whether an entry of that size, at that position, still belongs into the open block. */
  hasSpaceFor(draft: Draft, seq: number = this.#first): boolean {
    if (this.#used === 0) return true;
    if (seq - this.#first > MAX_INDEX) return false;
    return this.#entries < BLOCK_ENTRIES && this.#used + recordBytes(draft) <= BLOCK_BYTES;
  }

  /** Copies `draft` behind the others. Answers where its body lies in the block. */
  add(draft: Draft, seq: number): number {
    const start = this.#used;
    if (start === 0) {
      this.#first = seq;
      this.#at = 0;
    }
    this.#reserve(start + recordBytes(draft));
    const buffer = this.#buffer;
    const { name, body } = draft;
    buffer.writeUInt32BE(seq - this.#first, start + INDEX_OFFSET);
    buffer[start + TYPE_OFFSET] = draft.type;
    buffer[start + CODEC_OFFSET] = draft.codec;
    buffer[start + DEVICE_OFFSET] = deviceOf(draft.sender);
    buffer[start + KIND_OFFSET] = draft.kind;
    buffer.writeUInt32BE(userOf(draft.sender), start + SENDER_OFFSET);
    buffer.writeUInt32BE(draft.publishId, start + PUBLISH_ID_OFFSET);
    buffer.writeUIntBE(draft.at, start + AT_OFFSET, 6);
    let at = start + RECORD_HEADER_BYTES;
    const roomBytes = buffer.write(draft.room, at);
    buffer.writeUInt16BE(roomBytes, start + ROOM_BYTES_OFFSET);
    at += roomBytes;
    buffer.writeUInt16BE(name.length, start + NAME_BYTES_OFFSET);
    buffer.set(name, at);
    at += name.length;
    buffer.set(body, at);
    this.#used = at + body.length;
    buffer.writeUInt32BE(this.#used - start, start);
    this.#entries++;
    this.#last = seq;
    if (draft.at > this.#at) this.#at = draft.at;
    return at;
  }

  /** Closes the open block and answers it, owned; `undefined` when nothing is in it. */
  take(): Block | undefined {
    if (this.#used === 0) return undefined;
    const block: Block = {
      first: this.#first,
      last: this.#last,
      at: this.#at,
      bytes: this.#buffer.subarray(0, this.#used),
    };
    this.#buffer = Buffer.alloc(0);
    this.#used = 0;
    this.#entries = 0;
    return block;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, this.#buffer.length * 2, FIRST_CAPACITY));
    grown.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = grown;
  }
}

/** Bytes that the record of `draft` takes at the most: a room is reckoned with three bytes for each of its units. */
function recordBytes({ room, name, body }: Draft): number {
  return RECORD_HEADER_BYTES + room.length * 3 + name.length + body.length;
}

/**
 * The entries of a block, oldest first. Their names and bodies are views of `bytes`; they have no origin.
 *
 * @throws RangeError when `bytes` are not whole records
 */
export function readBlock(bytes: Uint8Array, first: number): BlockEntry[] {
  return readEntries(bytes, first, undefined);
}

/** Whether `bytes` are whole records, so that {@link readBlock} can read them; nothing is decoded. */
export function areRecords(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    for (let start = 0; start < buffer.length; ) {
      const end = start + recordLength(buffer, start);
      nameEndOf(buffer, start, end);
      start = end;
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * The entries of records that were taken out of blocks.
 *
 * @param positions of each of them
 * @throws RangeError when `bytes` are not whole records
 */
export function readRecords(bytes: Uint8Array, positions: Float64Array): BlockEntry[] {
  return readEntries(bytes, 0, positions);
}

function readEntries(bytes: Uint8Array, first: number, positions: Float64Array | undefined): BlockEntry[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: BlockEntry[] = [];
  // The room that was read last: most entries are of the same one as the entry before.
  let room = '';
  let roomPlace = 0;
  let roomBytes = 0;
  for (let start = 0; start < buffer.length; ) {
    const end = start + recordLength(buffer, start);
    const roomStart = start + RECORD_HEADER_BYTES;
    const roomEnd = roomStart + buffer.readUInt16BE(start + ROOM_BYTES_OFFSET);
    const nameEnd = nameEndOf(buffer, start, end);
    if (roomEnd - roomStart !== roomBytes || !areSame(buffer, roomStart, roomPlace, roomBytes)) {
      room = buffer.toString('utf8', roomStart, roomEnd);
      roomPlace = roomStart;
      roomBytes = roomEnd - roomStart;
    }
    entries.push({
      room,
      type: (buffer[start + TYPE_OFFSET]! & ~VOID_BIT) as LogEntry['type'],
      isVoid: (buffer[start + TYPE_OFFSET]! & VOID_BIT) !== 0,
      codec: buffer[start + CODEC_OFFSET]!,
      kind: buffer[start + KIND_OFFSET]! as LogEntry['kind'],
      sender: sessionNumber(buffer.readUInt32BE(start + SENDER_OFFSET), buffer[start + DEVICE_OFFSET]!),
      publishId: buffer.readUInt32BE(start + PUBLISH_ID_OFFSET),
      at: buffer.readUIntBE(start + AT_OFFSET, 6),
      name: new Uint8Array(bytes.buffer, bytes.byteOffset + roomEnd, nameEnd - roomEnd),
      body: new Uint8Array(bytes.buffer, bytes.byteOffset + nameEnd, end - nameEnd),
      seq:
        positions === undefined
          ? first + buffer.readUInt32BE(start + INDEX_OFFSET)
          : positions[entries.length]!,
      origin: undefined,
    });
    start = end;
  }
  return entries;
}

/**
 * Whether anything in a block is volatile, and the server time of its newest entry; nothing else is decoded.
 *
 * @throws RangeError when `bytes` are not whole records
 */
export function surveyBlock(bytes: Uint8Array): { readonly at: number; readonly hasSignals: boolean } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hasSignals = false;
  for (let start = 0; start < buffer.length; start += recordLength(buffer, start)) {
    at = Math.max(at, buffer.readUIntBE(start + AT_OFFSET, 6));
    hasSignals ||= buffer[start + TYPE_OFFSET] === SIGNAL;
  }
  return { at, hasSignals };
}

/** Whether the same bytes stand at two places; from the end, where names of rooms differ most. */
function areSame(buffer: Buffer, one: number, other: number, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) if (buffer[one + i] !== buffer[other + i]) return false;
  return true;
}

/** The records of the entries that `keeps` answers true for, in a block of their own. */
export function filterBlock(
  bytes: Uint8Array,
  first: number,
  keeps: (entry: BlockEntry) => boolean,
): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [];
  let start = 0;
  for (const entry of readBlock(bytes, first)) {
    const end = start + recordLength(buffer, start);
    if (keeps(entry)) kept.push(buffer.subarray(start, end));
    start = end;
  }
  return Buffer.concat(kept);
}

/** The records of a block with another codec and body in the one at a position. */
export function rewriteBlock(
  bytes: Uint8Array,
  first: number,
  seq: number,
  { codec, body }: { readonly codec: number; readonly body: Uint8Array },
): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (const entry of readBlock(bytes, first)) {
    const end = start + recordLength(buffer, start);
    if (entry.seq === seq) {
      const head = Buffer.from(buffer.subarray(start, end - entry.body.length));
      head.writeUInt32BE(head.length + body.length, 0);
      head[CODEC_OFFSET] = codec;
      return Buffer.concat([buffer.subarray(0, start), head, body, buffer.subarray(end)]);
    }
    start = end;
  }
  return bytes;
}

/** Writes into the record that `entry` came to nothing. Unless it is a claim, its body goes: nobody will read it. */
export function markVoid(bytes: Uint8Array, entry: BlockEntry): void {
  const body = entry.body.byteOffset - bytes.byteOffset;
  const start = body - entry.name.length - Buffer.byteLength(entry.room) - RECORD_HEADER_BYTES;
  bytes[start + TYPE_OFFSET]! |= VOID_BIT;
  if (entry.type !== CLAIM) bytes.fill(0, body, body + entry.body.length);
}

/** A record of one room. */
export interface RecordPlace {
  readonly seq: number;
  /** Where its bytes begin and end in the block. */
  readonly start: number;
  readonly end: number;
}

/**
 * Where the records lie of what is shown in `room`, oldest first; nothing is decoded.
 *
 * @throws RangeError when `bytes` are not whole records
 */
export function findRecords(bytes: Uint8Array, first: number, room: string): RecordPlace[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wanted = Buffer.from(room);
  const places: RecordPlace[] = [];
  for (let start = 0; start < buffer.length; ) {
    const end = start + recordLength(buffer, start);
    const type = buffer[start + TYPE_OFFSET]!;
    if (type !== CLAIM && (type & VOID_BIT) === 0 && isRoom(buffer, start, wanted)) {
      places.push({ seq: first + buffer.readUInt32BE(start + INDEX_OFFSET), start, end });
    }
    start = end;
  }
  return places;
}

function isRoom(buffer: Buffer, start: number, wanted: Buffer): boolean {
  if (buffer.readUInt16BE(start + ROOM_BYTES_OFFSET) !== wanted.length) return false;
  // From the end, where names of rooms differ most.
  for (let i = wanted.length - 1; i >= 0; i--) {
    if (buffer[start + RECORD_HEADER_BYTES + i] !== wanted[i]) return false;
  }
  return true;
}

/** Where the name of a record ends, and its body begins. */
function nameEndOf(buffer: Buffer, start: number, end: number): number {
  const roomBytes = buffer.readUInt16BE(start + ROOM_BYTES_OFFSET);
  const nameEnd = start + RECORD_HEADER_BYTES + roomBytes + buffer.readUInt16BE(start + NAME_BYTES_OFFSET);
  if (nameEnd > end) throw new RangeError(`a record at byte ${start} of a block is shorter than its parts`);
  return nameEnd;
}

function recordLength(buffer: Buffer, start: number): number {
  const length = start + RECORD_HEADER_BYTES <= buffer.length ? buffer.readUInt32BE(start) : 0;
  if (length < RECORD_HEADER_BYTES || start + length > buffer.length) {
    throw new RangeError(`no record at byte ${start} of a block of ${buffer.length} bytes`);
  }
  return length;
}

/** Entries as blocks; those of a quiet room may lie far apart. */
export function blocksOf(entries: readonly LogEntry[]): Block[] {
  const writer = new BlockWriter();
  const blocks: Block[] = [];
  const close = (): void => void blocks.push(...[writer.take()].filter((block) => block !== undefined));
  for (const entry of entries) {
    if (!writer.hasSpaceFor(entry, entry.seq)) close();
    writer.add(entry, entry.seq);
  }
  close();
  return blocks;
}
