/** Emoji, as they are written below messages. */

/** One emoji by the grammar of UTS 51 (`emoji_sequence`), whether this version of Unicode has a picture for it or not. */
const EMOJI =
  /^(?:\p{RI}\p{RI}|[0-9#*]\uFE0F?\u20E3|\p{ExtPict}(?:\p{EMod}|\uFE0F)?(?:\u200D\p{ExtPict}(?:\p{EMod}|\uFE0F)?)*|\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]+\u{E007F})$/u;

/**
 * An emoji in the one form that is kept of it: with a variation selector where it would be a letter without one, and
 * nowhere else.
 *
 * @returns `undefined` for what is no single emoji
 */
export function emojiOf(text: string): string | undefined {
  if (!EMOJI.test(text)) return undefined;
  return text
    .replace(/^([0-9#*])\uFE0F?\u20E3$/u, '$1\uFE0F\u20E3')
    .replace(/(\p{ExtPict})\uFE0F?(\p{EMod})?/gu, (_, picture: string, tone: string | undefined) =>
      tone === undefined && !/\p{EPres}/u.test(picture) ? `${picture}\uFE0F` : picture + (tone ?? ''),
    );
}
