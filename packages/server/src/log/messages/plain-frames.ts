/**
 * Entries for a reader that has not said that it knows messages of codec 5: it gets their text, as a message of codec 1.
 *
 * Everybody's entries are the same bytes. So they are changed on their way out, once for all such readers of a slice, and
 * only where a run of entries has one.
 */
import { CodecTag, textCodec } from '@chat/protocol';
import {
  CODEC_OFFSET,
  ENTRY_HEADER_BYTES,
  FrameType,
  NAME_BYTES_OFFSET,
  TYPE_OFFSET,
} from '@chat/protocol/frames';
import type { Slice } from '../byte-log.js';
import { readRichText } from './rich-text.js';

/** Whole frames for a reader that knows no codec 5: the same bytes where there is none. */
export function plainFrames(frames: Buffer): Buffer {
  const parts: Buffer[] = [];
  let same = 0;
  for (let at = 0; at < frames.length; ) {
    const end = at + frames.readUInt32LE(at);
    const plain = plainFrame(frames.subarray(at, end));
    if (plain) {
      parts.push(frames.subarray(same, at), plain);
      same = end;
    }
    at = end;
  }
  return same === 0 ? frames : Buffer.concat([...parts, frames.subarray(same)]);
}

function plainFrame(frame: Buffer): Buffer | undefined {
  if (frame[TYPE_OFFSET] !== FrameType.Message || frame[CODEC_OFFSET] !== CodecTag.Rich) return undefined;
  const bodyStart = ENTRY_HEADER_BYTES + frame[NAME_BYTES_OFFSET]!;
  const rich = readRichText(frame.subarray(bodyStart));
  if (!rich) return undefined;
  const plain = Buffer.concat([frame.subarray(0, bodyStart), textCodec.encode(rich.text)]);
  plain.writeUInt32LE(plain.length, 0);
  plain[CODEC_OFFSET] = CodecTag.Text;
  return plain;
}

/** What was made of a slice, for as long as somebody reads that. */
const PLAIN = new WeakMap<Slice, Slice>();

/** A slice for a reader that knows no codec 5; the same object for all of them. */
export function plainSlice(slice: Slice): Slice {
  let plain = PLAIN.get(slice);
  if (!plain) {
    const bytes = plainFrames(slice.bytes);
    plain = bytes === slice.bytes ? slice : { bytes, entries: slice.entries };
    PLAIN.set(slice, plain);
  }
  return plain;
}
