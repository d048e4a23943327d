/** Messages that answer others: how they are sent, and how they are read. */
import { type Codec, CodecTag, jsonCodec } from '@chat/protocol';
import type { RichText } from '@chat/protocol/frames';
import type { DirectMessage, Gap, Message, RoomEntry } from '../rooms/entry.js';

/** What `connect` is told in `features` by a program that shows them. */
export const RICH_FEATURE = 'rich';

export const richCodec: Codec<RichText> = {
  name: 'rich',
  tag: CodecTag.Rich,
  encode: (value) => jsonCodec.encode(value),
  decode: (body) => jsonCodec.decode(body) as RichText,
};

/** What may answer another message. */
export type Answering<Entry> = Entry & {
  /** Position of the message that it answers. */
  readonly reply?: number;
};

/** Reads a message of text that answers another one; everything else stays what it is. */
export function readRich<T>(
  entry: RoomEntry<T> | DirectMessage<T>,
): Exclude<RoomEntry<T>, Message> | Answering<Message<T> | DirectMessage<T>> | Gap {
  if (entry.type !== 'unreadable' || entry.codec !== CodecTag.Rich) return entry;
  const { type: _, error: __, body, room, ...info } = entry;
  // The server has looked at it.
  const { text, reply } = richCodec.decode(body);
  const said = { ...info, value: text as T, codec: CodecTag.Text, ...(reply !== undefined && { reply }) };
  return room === undefined ? { type: 'direct', ...said } : { type: 'message', room, ...said };
}
