/** Puts another body in the place of one that a room holds; its readers go on from where they were. */
import { CODEC_OFFSET, ENTRY_HEADER_BYTES, NAME_BYTES_OFFSET } from '@chat/protocol/frames';
import type { Room } from './room.js';

export function correct(
  room: Room | undefined,
  { seq, codec, body }: { readonly seq: number; readonly codec: number; readonly body: Uint8Array },
): void {
  if (!room) return;
  const { log, members } = room;
  const readers = [...members.values()]
    .filter((reader) => !reader.isRetired && !reader.lagged)
    .map((reader) => [reader, log.positionOf(reader)] as const);
  const isHeld = log.rewrite(seq, (frame) => {
    const head = frame.subarray(0, ENTRY_HEADER_BYTES + frame[NAME_BYTES_OFFSET]!);
    const other = Buffer.concat([head, body]);
    other.writeUInt32LE(other.length, 0);
    other[CODEC_OFFSET] = codec;
    return other;
  });
  if (!isHeld) return;
  for (const [reader, position] of readers) {
    // One whose chunk is the old one; what is brought for it from the store goes on.
    if (!reader.chunk.dropped) continue;
    const { chunk, offset } = log.after(position) ?? log.oldest();
    reader.chunk = chunk;
    reader.offset = offset;
  }
}
