/**
 * What stands before the records of a block that travels between processes. Big-endian, as the records are.
 *
 *      0         1          2         4          10         16
 *      | version | reserved | entries | origin   | number   | records …
 *      | u8      | u8       | u16     | u48      | u48      |
 *
 * A version that a process does not know is the end of its reading: what it cannot read may be what the others decide by.
 * So a version is written only once every process that shares the log reads it, which is the release after the one that
 * brought it. New kinds of entries need no new version: who does not know them passes them over (see `apply-entry.ts`).
 */

/** Version of this layout. */
export const BLOCK_VERSION = 1;
export const BLOCK_HEADER_BYTES = 16;

const ENTRIES_OFFSET = 2;
const ORIGIN_OFFSET = 4;
const NUMBER_OFFSET = 10;

/** Whose block it is. */
export interface BlockHeader {
  readonly entries: number;
  /** The process that sent it. */
  readonly origin: number;
  /** Counts the blocks of that process, from 1. */
  readonly number: number;
}

/** A block that travels: header and records. Owned. */
export function encodeBlock({ entries, origin, number }: BlockHeader, records: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(BLOCK_HEADER_BYTES + records.length);
  bytes[0] = BLOCK_VERSION;
  bytes[1] = 0;
  bytes.writeUInt16BE(entries, ENTRIES_OFFSET);
  bytes.writeUIntBE(origin, ORIGIN_OFFSET, 6);
  bytes.writeUIntBE(number, NUMBER_OFFSET, 6);
  bytes.set(records, BLOCK_HEADER_BYTES);
  return bytes;
}

/**
 * Reads the header; the records are behind it.
 *
 * @throws RangeError when it is no block, or one of a version that is not known
 */
export function decodeHeader(bytes: Uint8Array): BlockHeader {
  if (bytes.length < BLOCK_HEADER_BYTES)
    throw new RangeError(`a block of ${bytes.length} bytes has no header`);
  if (bytes[0] !== BLOCK_VERSION) {
    throw new RangeError(`a block has version ${bytes[0]}, and this process reads version ${BLOCK_VERSION}`);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, BLOCK_HEADER_BYTES);
  return {
    entries: buffer.readUInt16BE(ENTRIES_OFFSET),
    origin: buffer.readUIntBE(ORIGIN_OFFSET, 6),
    number: buffer.readUIntBE(NUMBER_OFFSET, 6),
  };
}
