/**
 * How a series is drawn: colour by family for those who see it, dash and symbol for everybody else. A picture
 * must say the same on a black-and-white print.
 */
import type { Family } from '../../ways/way.js';

/** Look of one series. */
export interface SeriesStyle {
  readonly colour: string;
  readonly dash: string;
  readonly symbol: 'circle' | 'square' | 'triangle' | 'diamond' | 'star' | 'cross';
}

const COLOUR_OF_FAMILY: Readonly<Record<Family, string>> = {
  'shared memory': '#d55e00',
  socket: '#2f86c8',
  chat: '#009e73',
  'Node channel': '#a66bbe',
  broker: '#8a8a8a',
};

const DASHES = ['none', '7 3', '2 3', '9 3 2 3', '1 4', '12 4'] as const;
const SYMBOLS = ['circle', 'square', 'triangle', 'diamond', 'star', 'cross'] as const;

/** Colour of a family. */
export function familyColour(family: Family): string {
  return COLOUR_OF_FAMILY[family];
}

/** Gives each series of a picture a look that no other one has. */
export function styleSeries(families: readonly Family[]): SeriesStyle[] {
  const seen = new Map<Family, number>();
  return families.map((family, index) => {
    const nth = seen.get(family) ?? 0;
    seen.set(family, nth + 1);
    return {
      colour: COLOUR_OF_FAMILY[family],
      dash: DASHES[nth % DASHES.length]!,
      symbol: SYMBOLS[index % SYMBOLS.length]!,
    };
  });
}

/**
 * Moves labels apart that would cover each other, as little as possible and in their order.
 *
 * @param wanted - where each should be, in pixels from above
 */
export function spreadLabels(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = wanted.map((_, i) => i).sort((left, right) => wanted[left]! - wanted[right]!);
  const placed = order.map((i) => Math.min(bottom, Math.max(top, wanted[i]!)));
  for (let i = 1; i < placed.length; i++) placed[i] = Math.max(placed[i]!, placed[i - 1]! + gap);
  // The last ones may have been pushed out below: push back from there.
  for (let i = placed.length - 1; i >= 0; i--) {
    placed[i] = Math.min(placed[i]!, i === placed.length - 1 ? bottom : placed[i + 1]! - gap);
  }
  const result = new Array<number>(wanted.length);
  order.forEach((index, i) => {
    result[index] = placed[i]!;
  });
  return result;
}
