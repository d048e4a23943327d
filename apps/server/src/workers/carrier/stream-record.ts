/**
 * What the process that carries the blocks appends to the log that all workers read. The first byte says what it is; numbers are
 * big-endian.
 *
 *      0      1          2            8
 *      | kind | reserved | position   | block …          a block that counts, and its position
 *      | kind | JSON …                                   anything else
 */
import type { LogCondition } from '@chat/server';
import type { Log } from '@chat/shm';

const RecordKind = { Block: 1, Resend: 2, Refused: 3, Condition: 4, Begins: 5, Snapshot: 6 } as const;

const POSITION_OFFSET = 2;
const POSITION_BYTES = 6;
const BLOCK_OFFSET = 8;

/** What a record says. */
export type StreamRecord =
  | { readonly kind: 'block'; readonly position: number; readonly bytes: Uint8Array }
  /** The process that carries blocks is another one now, and did not get what the one before had not handed on. */
  | { readonly kind: 'resend' }
  | { readonly kind: 'refused'; readonly origin: number; readonly number: number; readonly reason: string }
  | { readonly kind: 'condition'; readonly condition: LogCondition }
  /** The first block comes behind this position. */
  | { readonly kind: 'begins'; readonly position: number }
  /** A worker is to tell what it knows at this place of the log. */
  | { readonly kind: 'snapshot'; readonly process: number };

const KINDS = {
  resend: RecordKind.Resend,
  refused: RecordKind.Refused,
  condition: RecordKind.Condition,
  begins: RecordKind.Begins,
  snapshot: RecordKind.Snapshot,
} as const;

/** The record as bytes. Owned. */
export function encodeRecord(record: StreamRecord): Uint8Array {
  if (record.kind !== 'block') {
    const { kind, ...fields } = record;
    return Buffer.concat([Uint8Array.of(KINDS[kind]), Buffer.from(JSON.stringify(fields))]);
  }
  const bytes = Buffer.allocUnsafeSlow(BLOCK_OFFSET + record.bytes.length);
  bytes[0] = RecordKind.Block;
  bytes[1] = 0;
  bytes.writeUIntBE(record.position, POSITION_OFFSET, POSITION_BYTES);
  bytes.set(record.bytes, BLOCK_OFFSET);
  return bytes;
}

/**
 * Reads a record; the bytes of a block are a view.
 *
 * @throws RangeError when it is none that this version knows
 */
export function decodeRecord(bytes: Uint8Array): StreamRecord {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = () => JSON.parse(buffer.toString('utf8', 1));
  switch (bytes[0]) {
    case RecordKind.Block: {
      const position = buffer.readUIntBE(POSITION_OFFSET, POSITION_BYTES);
      return { kind: 'block', position, bytes: bytes.subarray(BLOCK_OFFSET) };
    }
    case RecordKind.Resend:
      return { kind: 'resend' };
    case RecordKind.Refused:
      return { kind: 'refused', ...fields() };
    case RecordKind.Condition:
      return { kind: 'condition', ...fields() };
    case RecordKind.Begins:
      return { kind: 'begins', ...fields() };
    case RecordKind.Snapshot:
      return { kind: 'snapshot', ...fields() };
    default:
      throw new RangeError(`a record of the stream has kind ${bytes[0]}, which this worker does not know`);
  }
}

/** Position of the last block that was handed on, as far as the log goes back; `undefined` where none ever was to be. */
export function handedOnIn(stream: Log): number | undefined {
  const reader = stream.reader({ start: 'oldest' });
  let position: number | undefined;
  reader.read((bytes, start, end) => {
    const record = decodeRecord(bytes.subarray(start, end));
    if (record.kind === 'block' || record.kind === 'begins') position = record.position;
  });
  reader.close();
  return position;
}
