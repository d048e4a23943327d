/**
 * Colours: of people by their name, the same in every room and after every start; of the rest by what it is.
 * Without a terminal that has colours, or with NO_COLOR, everything stays plain.
 */
import { nameKey } from '@chat/protocol';

/** How pieces of a line are painted. */
export interface Palette {
  person(name: string, own: boolean): string;
  dim(text: string): string;
  warn(text: string): string;
  strong(text: string): string;
}

const plain = (text: string): string => text;

/** Paints nothing. */
export const plainPalette: Palette = { person: plain, dim: plain, warn: plain, strong: plain };

// Of the 16 colours every terminal has, those that are readable on black and on white.
const PEOPLE: readonly number[] = [31, 32, 33, 34, 35, 36, 91, 92, 94, 95, 96];

function paint(code: string, text: string): string {
  return `\u001B[${code}m${text}\u001B[0m`;
}

/** Paints with the colours of the terminal. */
export const colourPalette: Palette = {
  person: (name, own) => paint(own ? '1' : String(PEOPLE[hash(nameKey(name)) % PEOPLE.length]), name),
  dim: (text) => paint('2', text),
  warn: (text) => paint('33', text),
  strong: (text) => paint('1', text),
};

/** FNV-1a over the UTF-16 units: spreads names that differ in one letter. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** The palette for `stream`. See no-color.org. */
export function paletteFor(
  stream: { readonly isTTY?: boolean; hasColors?(): boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Palette {
  if (environment.NO_COLOR || !stream.isTTY || stream.hasColors?.() === false) return plainPalette;
  return colourPalette;
}
