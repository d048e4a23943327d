/**
 * How a name is recognised at a glance: a colour of its own and its first letter. The same name has the same
 * mark everywhere, with no memory needed.
 */

const HUES = 18;

/** The hue of a name in degrees. */
export function nameHue(name: string): number {
  let hash = 2_166_136_261; // FNV-1a, 32 bits.
  for (const character of name.toLowerCase()) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619);
  }
  return ((hash >>> 0) % HUES) * (360 / HUES);
}

/** The mark of a name in a small circle: its first letter, digit or emoji. */
export function initial(name: string): string {
  for (const character of characters(name)) {
    if (/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(character)) return character.toLocaleUpperCase();
  }
  return '?';
}

/**
 * The characters as people see them; single code points where the browser cannot tell (Firefox before 125).
 */
function* characters(text: string): Generator<string> {
  if (typeof Intl.Segmenter === 'undefined') return yield* text;
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) yield segment;
}
