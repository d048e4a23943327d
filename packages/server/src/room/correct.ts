/** Changes a message that a room holds; its readers go on from where they were. */
import {
  CODEC_OFFSET,
  ENTRY_HEADER_BYTES,
  FrameType,
  NAME_BYTES_OFFSET,
  TYPE_OFFSET,
} from '@chat/protocol/frames';
import { changeMessage, type MessageChange } from '../log/messages/change-message.js';
import type { Room } from './room.js';

export function correct(
  room: Room | undefined,
  { seq, change }: { readonly seq: number; readonly change: MessageChange },
): void {
  if (!room) return;
  const { log, members } = room;
  const readers = [...members.values()]
    .filter((reader) => !reader.isRetired && !reader.lagged)
    .map((reader) => [reader, log.positionOf(reader)] as const);
  const isHeld = log.rewrite(seq, (frame) => changeFrame(frame, change));
  if (!isHeld) return;
  for (const [reader, position] of readers) {
    // One whose chunk is the old one; what is brought for it from the store goes on.
    if (!reader.chunk.dropped) continue;
    const { chunk, offset } = log.after(position) ?? log.oldest();
    reader.chunk = chunk;
    reader.offset = offset;
  }
}

/** The frame of a message after a change; the same where it stays as it is, or is none. */
export function changeFrame(frame: Buffer, change: MessageChange): Buffer {
  if (frame[TYPE_OFFSET] !== FrameType.Message) return frame;
  const bodyStart = ENTRY_HEADER_BYTES + frame[NAME_BYTES_OFFSET]!;
  const said = { codec: frame[CODEC_OFFSET]!, body: frame.subarray(bodyStart) };
  const changed = changeMessage(said, change);
  if (!changed) return frame;
  const other = Buffer.concat([frame.subarray(0, bodyStart), changed.body]);
  other.writeUInt32LE(other.length, 0);
  other[CODEC_OFFSET] = changed.codec;
  return other;
}
