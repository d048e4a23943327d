/**
 * Looks as the sequences of a terminal.
 *
 * The colours of people are those of the 256 that have a contrast of at least 3.6 to black and to white
 * alike. They are readable on any background, which a program cannot know. With 16 colours the terminal's
 * owner has chosen; without colours (NO_COLOR) only bold, faint and reverse are used.
 */
import { nameKey } from '@chat/protocol';
import { calmLine, keepDirection } from '../rows/cell-text.js';
import type { Look, Row } from '../rows/row.js';

/** Colours of people in a terminal with 256 of them, by hue. */
export const PEOPLE_256: readonly number[] = [
  160, 166, 130, 94, 100, 64, 28, 29, 30, 31, 32, 67, 26, 61, 63, 99, 97, 134, 129, 133, 164, 163, 162, 132,
  161,
];
const PEOPLE_16: readonly number[] = [31, 32, 35, 36, 91, 94, 95];

/** How many colours there are. */
export type ColourDepth = 'none' | '16' | '256';

const ESCAPE = '\u001B[';
const RESET = `${ESCAPE}0m`;

const LOOKS: Readonly<Record<Look, string>> = {
  plain: '',
  dim: '2',
  strong: '1',
  warn: '33',
  alert: '1;31',
  bar: '7',
  'bar-strong': '1;7',
  'bar-alert': '1;7;31',
  selected: '1;7',
};
const COLOURLESS: Readonly<Partial<Record<Look, string>>> = { warn: '1', alert: '1', 'bar-alert': '1;7' };
// The yellow of many terminals cannot be read on white.
const LOOKS_256: Readonly<Partial<Record<Look, string>>> = { warn: '38;5;130', alert: '1;38;5;160' };

export class Theme {
  readonly #depth: ColourDepth;

  constructor(depth: ColourDepth) {
    this.#depth = depth;
  }

  /** A row as text with sequences, which leaves nothing switched on. */
  paint(row: Row): string {
    let painted = '';
    for (const { text, look = 'plain', person } of row) {
      const codes = [this.#look(look), person === undefined ? '' : this.#person(person)].filter(
        (code) => code !== '',
      );
      // The last gate: whatever a server sends as a name of a room or a person, no sequence of it gets to the
      // terminal.
      const shown = keepDirection(calmLine(text));
      painted += codes.length === 0 ? shown : `${ESCAPE}${codes.join(';')}m${shown}${RESET}`;
    }
    return painted;
  }

  #look(look: Look): string {
    if (this.#depth === 'none') return COLOURLESS[look] ?? LOOKS[look];
    return (this.#depth === '256' ? LOOKS_256[look] : undefined) ?? LOOKS[look];
  }

  #person(name: string): string {
    if (this.#depth === 'none') return '';
    const hash = hashName(nameKey(name));
    if (this.#depth === '16') return String(PEOPLE_16[hash % PEOPLE_16.length]);
    return `38;5;${PEOPLE_256[hash % PEOPLE_256.length]}`;
  }
}

/** FNV-1a over the UTF-16 units: spreads names that differ in one letter. */
function hashName(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  // The low bits alone would follow the last letter.
  return (value ^ (value >>> 15)) >>> 0;
}

/** The colours that the terminal has and its owner wants. See no-color.org. */
export function colourDepth(
  output: { getColorDepth(environment?: object): number },
  environment: Readonly<Record<string, string | undefined>>,
): ColourDepth {
  if (environment.NO_COLOR) return 'none';
  const bits = output.getColorDepth(environment);
  return bits >= 8 ? '256' : bits >= 4 ? '16' : 'none';
}
