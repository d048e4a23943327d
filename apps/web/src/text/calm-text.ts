/**
 * Text of others, made fit to be shown: it stays inside its own lines, and reads in the order it was written.
 *
 * Marks that set the direction (as keyboards for Arabic and Hebrew type them) stay; overrides, which make
 * text read as another one, are shown instead of obeyed. Piles of accents ("zalgo") are cut to a height that
 * real scripts need.
 */

const OVERRIDES = /[\u202D\u202E]/g;
// Characters that no display draws: controls other than line end and tab, and the tags that hide text in
// emoji.
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u{E0000}-\u{E001F}]/gu;
const PILE = /(\p{M}{5})\p{M}+/gu;

/** Stands for a character that was not obeyed. */
const REPLACEMENT = '\uFFFD';

/** The text as it is shown. */
export function calmText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(OVERRIDES, REPLACEMENT)
    .replace(CONTROLS, REPLACEMENT)
    .replace(PILE, '$1');
}

let onlyEmoji: RegExp | undefined;

/** Made when it is needed and from a string: a browser before 2023 would not even parse the flag `v`. */
function emojiPattern(): RegExp {
  try {
    return new RegExp(EMOJI_TEXT, 'v');
  } catch {
    return /^(?:\p{Emoji_Presentation}|\s){1,12}$/u;
  }
}

const EMOJI_TEXT = '^(?:\\p{RGI_Emoji}|\\s){1,12}$';

/** Whether a text is nothing but a few emoji, which deserve to be large. */
export function isOnlyEmoji(text: string): boolean {
  if (text.length > 48 || text.trim() === '') return false;
  onlyEmoji ??= emojiPattern();
  return onlyEmoji.test(text);
}

/** Longest text that is shown at once; the rest is a click away. */
const MAX_SHOWN_CHARACTERS = 900;
const MAX_SHOWN_LINES = 16;

/** The beginning of a long text; `undefined` when the text is short enough to be shown as it is. */
export function excerpt(text: string): string | undefined {
  let end = 0;
  for (let lines = 0; lines < MAX_SHOWN_LINES; lines++) {
    const next = text.indexOf('\n', end);
    if (next < 0) {
      end = text.length;
      break;
    }
    end = next + 1;
  }
  end = Math.min(end, MAX_SHOWN_CHARACTERS);
  // A little more is not worth a click.
  if (text.length - end <= 80) return undefined;
  return text
    .slice(0, end)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd();
}
