/** Messages of codec 5: a text with what belongs to it, which is the message that it answers, and its reactions. */
import { CodecTag, jsonCodec, ProtocolError, textCodec } from '@chat/protocol';
import type { RichText } from '@chat/protocol/frames';

/** The feature that a client names in its hello, and a server in its answers. */
export const RICH_FEATURE = 'rich';
/** The feature of clients that show reactions, beside the other one. */
export const REACTIONS_FEATURE = 'reactions';

/** Reads a body of codec 5; `undefined` when it is none. Its reactions are not looked at: no member writes them. */
export function readRichText(body: Uint8Array): RichText | undefined {
  try {
    const { text, reply, reactions } = (jsonCodec.decode(body) ?? {}) as Partial<RichText>;
    const isPosition = reply === undefined || (Number.isSafeInteger(reply) && reply > 0);
    if (typeof text !== 'string' || !isPosition) return undefined;
    const more = reactions === undefined ? {} : { reactions };
    return { text, ...(reply === undefined ? {} : { reply }), ...more };
  } catch (error) {
    if (!ProtocolError.is(error)) throw error;
    return undefined;
  }
}

/** Whether a body of codec 5 is one that a member may write: what others think of it is not its to say. */
export function isOwnRichText(body: Uint8Array): boolean {
  const rich = readRichText(body);
  return rich !== undefined && rich.reactions === undefined;
}

/** The text of a message of codec 1 or 5; `undefined` for others, and for what is none. */
export function textOfMessage(codec: number, body: Uint8Array): string | undefined {
  if (codec === CodecTag.Text) return Buffer.from(body.buffer, body.byteOffset, body.length).toString();
  return codec === CodecTag.Rich ? readRichText(body)?.text : undefined;
}

/** The codec and the body of a text: of codec 1 where it neither answers another message nor has reactions. */
export function encodeText({ text, reply, reactions = [] }: RichText): {
  readonly codec: number;
  readonly body: Uint8Array;
} {
  if (reply === undefined && reactions.length === 0)
    return { codec: CodecTag.Text, body: textCodec.encode(text) };
  const more = reactions.length === 0 ? {} : { reactions };
  const body = jsonCodec.encode({ text, ...(reply === undefined ? {} : { reply }), ...more });
  return { codec: CodecTag.Rich, body };
}
