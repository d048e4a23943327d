/** Messages that answer others, and those with reactions: how they are sent, and how they are read. */
import { type Codec, CodecTag, jsonCodec, type Member } from '@chat/protocol';
import type { Reaction, RichText, Role } from '@chat/protocol/frames';
import type { DirectMessage, Gap, Message, RoomEntry } from '../rooms/entry.js';

/** What `connect` is told in `features` by a program that shows them. */
export const RICH_FEATURE = 'rich';
/** The same of a program that shows reactions; it says the other one as well. */
export const REACTIONS_FEATURE = 'reactions';

export const richCodec: Codec<RichText> = {
  name: 'rich',
  tag: CodecTag.Rich,
  encode: (value) => jsonCodec.encode(value),
  decode: (body) => jsonCodec.decode(body) as RichText,
};

/** What may answer another message, and have reactions. */
export type Answering<Entry> = Entry & Omit<RichText, 'text'>;

/** Reads a message of text that answers another one or has reactions; everything else stays what it is. */
export function readRich<T>(
  entry: RoomEntry<T> | DirectMessage<T>,
): Exclude<RoomEntry<T>, Message> | Answering<Message<T> | DirectMessage<T>> | Gap {
  if (entry.type !== 'unreadable' || entry.codec !== CodecTag.Rich) return entry;
  const { type: _, error: __, body, room, ...info } = entry;
  // The server has looked at it.
  const { text, ...more } = richCodec.decode(body);
  const said = { ...more, ...info, value: text as T, codec: CodecTag.Text };
  return room === undefined ? { type: 'direct', ...said } : { type: 'message', room, ...said };
}

/** Reactions after somebody has reacted, or does so no more. To be told twice is the same as once. */
export function afterReaction(
  reactions: readonly Reaction[],
  reaction: string,
  by: Member,
  removed = false,
): readonly Reaction[] {
  // An account comes back under another id, and 0 is anybody who speaks for the program.
  const isOther = ({ id, name }: Member): boolean => name !== by.name && (id !== by.id || id === 0);
  const others = reactions.find((one) => one.reaction === reaction)?.by.filter(isOther) ?? [];
  const those = removed ? others : [...others, by];
  const isThere = reactions.some((one) => one.reaction === reaction);
  const all = isThere ? reactions : [...reactions, { reaction, by: [] }];
  return all
    .map((one) => (one.reaction === reaction ? { reaction, by: those } : one))
    .filter((one) => one.by.length > 0);
}

/**
 * Whether somebody is among those who react. An account comes back under another id; another guest of the same name is
 * another user.
 *
 * @param role - its role in the room
 */
export function isAmong(
  by: readonly Member[],
  { id, name }: { readonly id: number | undefined; readonly name: string },
  role: Role | undefined,
): boolean {
  const hasAccount = role !== undefined && role !== 'guest';
  return by.some((one) => one.id === id || (hasAccount && one.name === name));
}
