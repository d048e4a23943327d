/** Where a text speaks of somebody: their name as a word of its own, with or without `@`. */

const LETTER = /[\p{L}\p{M}\p{N}_]/u;

/**
 * The places where `name` stands in `text`, however it is capitalised: pairs of begin and end, in order. An `@` before
 * the name belongs to it.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { mentionsIn } from '@chat/client/timeline';
 *
 * assert.deepEqual(mentionsIn('@Ada, is adapting for ada?', 'ada'), [[0, 4], [22, 25]]);
 * assert.deepEqual(mentionsIn('ask canada', 'ada'), []);
 * ```
 */
export function mentionsIn(text: string, name: string): (readonly [begin: number, end: number])[] {
  if (name === '') return [];
  const pattern = new RegExp(name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
  return [...text.matchAll(pattern)].flatMap(({ 0: found, index }) => {
    const end = index + found.length;
    // Whole characters: some letters are two units long.
    const before = [...text.slice(Math.max(0, index - 2), index)].at(-1) ?? '';
    const after = String.fromCodePoint(text.codePointAt(end) ?? 0x20);
    if (LETTER.test(before) || LETTER.test(after)) return [];
    return [[before === '@' ? index - 1 : index, end] as const];
  });
}
