/**
 * A snapshot as bytes, compressed, which carries a checksum as well:
 *
 *      0         4
 *      | length  | JSON (all but bytes) | bytes of the tail, of parts …
 *      | u32     |
 *
 * State and positions are JSON, whose fields a reader takes as they are. One of another format is not read: a server that
 * cannot, begins at the first block, if that is still there.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { BlockSnapshot } from '../../log/shared/block-transport.js';
import type { BegunBlock } from '../parts.js';

/** Version of this layout. */
const FORMAT = 1;
const LENGTH_BYTES = 4;
/** Fast rather than small: it is written again and again. */
const LEVEL = 1;

/** All that a server has to know which begins to read behind a block. */
export interface StreamSnapshot {
  readonly blocks: BlockSnapshot;
  /** Sum of all that was read (see `stream/proof.ts`). */
  readonly sum: number;
  /** Large blocks of which parts had come. */
  readonly begun: readonly BegunBlock[];
}

/** What a reader of the stream knows at a message of it, beside what its entries have brought about. */
export interface StreamMark extends Pick<StreamSnapshot, 'sum' | 'begun'> {
  /** Number of the message. */
  readonly position: number;
  /** Its first bytes: no other one has them. */
  readonly signature: string;
}

export async function encodeSnapshot({ blocks, sum, begun }: StreamSnapshot): Promise<Uint8Array> {
  const { tail, ...rest } = blocks;
  const json = Buffer.from(
    JSON.stringify({
      format: FORMAT,
      sum,
      blocks: rest,
      tail: tail.map(({ first, bytes }) => [first, bytes.length]),
      begun: begun.map(({ parts, ...place }) => ({ ...place, parts: parts.map(({ length }) => length) })),
    }),
  );
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  const bodies = [...tail.map(({ bytes }) => bytes), ...begun.flatMap(({ parts }) => parts)];
  return promisify(gzip)(Buffer.concat([length, json, ...bodies]), { level: LEVEL });
}

/** @throws Error when the bytes are damaged, or of a format that is not known */
export async function decodeSnapshot(bytes: Uint8Array): Promise<StreamSnapshot> {
  const all: Buffer = await promisify(gunzip)(bytes);
  const jsonEnd = LENGTH_BYTES + all.readUInt32BE();
  const { format, sum, blocks, tail, begun } = JSON.parse(all.toString('utf8', LENGTH_BYTES, jsonEnd));
  if (format !== FORMAT) throw new Error(`a snapshot has format ${format}, and this server reads ${FORMAT}`);
  let offset = jsonEnd;
  const take = (length: number): Uint8Array => {
    offset += length;
    return all.subarray(offset - length, offset);
  };
  return {
    sum,
    blocks: {
      ...blocks,
      tail: (tail as [number, number][]).map(([first, length]) => ({ first, bytes: take(length) })),
    },
    begun: (begun as { sender: string; attempt: string; parts: number[] }[]).map((block) => ({
      ...block,
      parts: block.parts.map(take),
    })),
  };
}
