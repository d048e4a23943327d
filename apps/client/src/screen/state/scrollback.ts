/**
 * The entries of one conversation: at most `MAX_ENTRIES`, the oldest go first. An entry keeps its index for life, so
 * whoever scrolled up stays where he was while entries come at the bottom and go at the top.
 */

/** Immutable. */
export interface Scrollback<Item> {
  /** Index of the first entry. Rises when old ones go, falls when older ones are loaded. */
  readonly first: number;
  readonly items: readonly Item[];
}

/** Entries that are kept of each conversation. */
export const MAX_ENTRIES = 10_000;
// Dropping one for each that comes would copy the whole list each time.
const SLACK = 500;

export const EMPTY_SCROLLBACK: Scrollback<never> = { first: 0, items: [] };

/** Index behind the last entry. */
export function endOf({ first, items }: Scrollback<unknown>): number {
  return first + items.length;
}

export function entryAt<Item>({ first, items }: Scrollback<Item>, index: number): Item | undefined {
  return items[index - first];
}

/** Adds entries at the bottom. */
export function append<Item>({ first, items }: Scrollback<Item>, added: readonly Item[]): Scrollback<Item> {
  const all = [...items, ...added];
  if (all.length <= MAX_ENTRIES + SLACK) return { first, items: all };
  const dropped = all.length - MAX_ENTRIES;
  return { first: first + dropped, items: all.slice(dropped) };
}

/** Adds entries at the top, as far as there is room for them. */
export function prepend<Item>({ first, items }: Scrollback<Item>, older: readonly Item[]): Scrollback<Item> {
  const room = Math.max(0, MAX_ENTRIES - items.length);
  const added = room === 0 ? [] : older.slice(-room);
  return { first: first - added.length, items: [...added, ...items] };
}
