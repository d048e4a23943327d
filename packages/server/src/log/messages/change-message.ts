/**
 * What a later entry makes of a message: another text, a reaction more or less, or nothing but the name of who took it
 * back. It follows from the bytes of the message and from the entry, so the heap of each process and the store come to
 * the same, whatever their options are.
 */
import { CodecTag, jsonCodec, type Member, textCodec } from '@chat/protocol';
import type { Edited, Reacted, Reaction, RichText } from '@chat/protocol/frames';
import { encodeText, readRichText, textOfMessage } from './rich-text.js';

/** Who reacts. */
export interface Reactor extends Member {
  /** Its account, if it has one: then it is the same user whatever its id is. */
  readonly account?: string | undefined;
}

/** What a later entry makes of a message. */
export type MessageChange =
  | { readonly what: 'taken-back'; readonly by: string }
  | ({ readonly what: 'edited' } & Omit<Edited, 'seq'>)
  | ({ readonly what: 'reacted'; readonly by: Reactor } & Pick<Reacted, 'reaction' | 'removed' | 'maxBytes'>)
  /** Somebody is forgotten, and does not react any more. */
  | ({ readonly what: 'forgotten' } & Forgotten);

/** Who is forgotten: whoever both are true of. */
export interface Forgotten {
  /** As it was written. */
  readonly name?: string | undefined;
  readonly member?: number | undefined;
}

/** The codec and the body of a message. */
export interface MessageBody {
  readonly codec: number;
  readonly body: Uint8Array;
}

/** The message after a change; `undefined` where it stays as it is. */
export function changeMessage(said: MessageBody, change: MessageChange): MessageBody | undefined {
  switch (change.what) {
    case 'taken-back':
      return { codec: CodecTag.Withdrawn, body: jsonCodec.encode({ by: change.by }) };
    case 'edited':
      return edit(said, change);
    case 'forgotten':
      return forget(said, change);
    case 'reacted': {
      const rich = richOf(said);
      const reactions = rich && withReaction(rich.reactions ?? [], change);
      if (!reactions) return undefined;
      const changed = encodeText({ ...rich, reactions });
      // Fewer of them always fit.
      return !change.removed && changed.body.length > change.maxBytes ? undefined : changed;
    }
  }
}

/** The reactions of a message of text; `undefined` for other messages, which have none. */
export function reactionsOf(said: MessageBody): readonly Reaction[] | undefined {
  const rich = richOf(said);
  return rich && (rich.reactions ?? []);
}

/** Reactions with another one, or without it; `undefined` where that changes nothing. */
export function withReaction(
  reactions: readonly Reaction[],
  { reaction, removed, by }: { readonly reaction: string; readonly removed?: true; readonly by: Reactor },
): readonly Reaction[] | undefined {
  const at = reactions.findIndex((one) => one.reaction === reaction);
  const those = reactions[at]?.by ?? [];
  const isThere = those.some((one) => isSame(one, by));
  if (isThere !== (removed === true)) return undefined;
  const { id, name } = by;
  const left = removed ? those.filter((one) => !isSame(one, by)) : [...those, { id, name }];
  if (at === -1) return [...reactions, { reaction, by: left }];
  return left.length === 0 ? reactions.toSpliced(at, 1) : reactions.with(at, { reaction, by: left });
}

/** Whether two are one user. An account comes back under another id, and nobody else has its name. */
function isSame({ id, name }: Member, by: Reactor): boolean {
  if (by.account !== undefined && by.account === name) return true;
  return id === by.id && (id !== 0 || name === by.name);
}

function forget(said: MessageBody, { name, member }: Forgotten): MessageBody | undefined {
  if (said.codec !== CodecTag.Rich) return undefined;
  const { reactions = [], ...rich } = readRichText(said.body) ?? { text: '' };
  const isMeant = (one: Member): boolean =>
    (name === undefined || name === one.name) && (member === undefined || member === one.id);
  if (!reactions.some(({ by }) => by.some(isMeant))) return undefined;
  const left = reactions.map(({ reaction, by }) => ({ reaction, by: by.filter((one) => !isMeant(one)) }));
  return encodeText({ ...rich, reactions: left.filter(({ by }) => by.length > 0) });
}

function edit(
  said: MessageBody,
  { codec, text, reply, maxBytes }: Extract<MessageChange, { readonly what: 'edited' }>,
): MessageBody {
  if (codec !== CodecTag.Text) return { codec, body: textCodec.encode(text) };
  const reactions = richOf(said)?.reactions ?? [];
  const plain = { text, ...(reply === undefined ? {} : { reply }) };
  const whole = encodeText({ ...plain, reactions });
  return maxBytes !== undefined && whole.body.length > maxBytes ? encodeText(plain) : whole;
}

/** A message of text as what it would be as one of codec 5. */
function richOf({ codec, body }: MessageBody): RichText | undefined {
  if (codec === CodecTag.Rich) return readRichText(body);
  const text = textOfMessage(codec, body);
  return text === undefined ? undefined : { text };
}
