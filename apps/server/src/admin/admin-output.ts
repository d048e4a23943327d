/** Answers of the API as lines for people: a list as one line an item, anything else as one line a field. */
import { UNSEEN } from '../api/fields.js';

/** The lines of an answer. */
export function linesOf(body: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(body).flatMap(([name, value]) => {
    if (Array.isArray(value)) return value.map((item) => `  ${itemLine(item)}`);
    if (typeof value !== 'object' || value === null) return [`${name}: ${visible(value)}`];
    return Object.entries(value).map(([key, inner]) => `${name} ${visible(key)}: ${visible(inner)}`);
  });
}

function itemLine(item: unknown): string {
  if (typeof item !== 'object' || item === null) return visible(item);
  return Object.entries(item)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.map(part).join(',') : part(value)}`)
    .join('  ');
}

/** A value within a line: what has fields of its own is JSON. */
function part(value: unknown): string {
  return visible(typeof value === 'object' ? JSON.stringify(value) : value);
}

/** A value as text that cannot move the cursor of a terminal, nor pretend to be another line. */
export function visible(value: unknown): string {
  return [...String(value)]
    .map((character) =>
      UNSEEN.test(character) ? `\\u{${character.codePointAt(0)!.toString(16)}}` : character,
    )
    .join('');
}
