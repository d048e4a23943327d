/**
 * The rows of one place in a conversation: those of its item, which are made once, with a line above them
 * where a day or the unread begin.
 */
import type { OutgoingItem } from '@chat/client/timeline';
import { quoteText } from '../../text/quote-text.js';
import { entryRows, ruleRow } from './entry-rows.js';
import type { Row } from './row.js';
import { isShown, type ScreenItem, type ScreenSnapshot, shownItem, shownOutgoing } from './shown-item.js';

/** The part of a conversation that {@link rowsAt} needs. */
export interface PaneContent {
  readonly snapshot: ScreenSnapshot;
  /** Whether the user was at the beginning, and is told where it is. */
  readonly beginning: boolean;
  /** Own name. */
  readonly me: string;
}

interface LaidOut {
  readonly columns: number;
  readonly me: string;
  readonly quote: string | undefined;
  readonly rows: readonly Row[];
}

/** Rows by the item that they show: items never change, so what comes out is what would be made anew. */
const laidOut = new WeakMap<object, LaidOut>();

/** The index behind the last item, own messages on their way included. */
export function endOf({ snapshot: { firstIndex, items, outgoing } }: PaneContent): number {
  return firstIndex + items.length + outgoing.length;
}

/** The rows at `index`; none for an item that is not seen, undefined where there is no item. */
export function rowsAt(content: PaneContent, index: number, columns: number): readonly Row[] | undefined {
  const { snapshot, me } = content;
  const place = index - snapshot.firstIndex;
  const item = snapshot.items[place];
  if (item === undefined) {
    const own = snapshot.outgoing[place - snapshot.items.length];
    return own && remembered(own, columns, me, undefined, () => outgoingRows(own, columns, me));
  }
  const quote = quoteOf(item, snapshot.items, place);
  const rows = remembered(item, columns, me, quote, () => {
    const shown = shownItem(item, me, quote);
    return shown ? entryRows(shown, columns) : [];
  });
  const above = rowsAbove(content, place, item, columns);
  return above.length === 0 ? rows : [...above, ...rows];
}

function outgoingRows(item: OutgoingItem, columns: number, me: string): Row[] {
  return entryRows(shownOutgoing(item, me), columns, item.status === 'failed' ? 'logged' : 'pending');
}

function remembered(
  key: object,
  columns: number,
  me: string,
  quote: string | undefined,
  make: () => readonly Row[],
): readonly Row[] {
  const known = laidOut.get(key);
  if (known?.columns === columns && known.me === me && known.quote === quote) return known.rows;
  const rows = make();
  laidOut.set(key, { columns, me, quote, rows });
  return rows;
}

/** What an item answers, as it is now: it may have come later, or be another. */
function quoteOf(item: ScreenItem, items: readonly ScreenItem[], place: number): string | undefined {
  if (item.kind !== 'message' || item.reply === undefined) return undefined;
  for (let at = place - 1; at >= 0; at--) {
    const other = items[at]!;
    if (other.kind === 'message' && other.seq === item.reply)
      return quoteText({ name: other.sender.name, text: other.value });
    if (other.kind === 'withdrawn' && other.seq === item.reply) return 'a message that was taken back';
  }
  return quoteText(undefined);
}

function rowsAbove(
  { snapshot, beginning }: PaneContent,
  place: number,
  item: ScreenItem,
  columns: number,
): Row[] {
  const above: Row[] = [];
  if (place === 0 && beginning && snapshot.atStart) {
    const lines = ['this is the beginning'];
    above.push(...entryRows({ type: 'note', at: timeOf(item), tone: 'notice', lines }, columns));
  }
  if (!isShown(item)) return above;
  const day = dayOf(timeOf(item));
  const before = day && dayBefore(snapshot.items, place);
  // The first item needs no word on what day it is, unless that was another one.
  if (before !== undefined && before !== day) above.push(ruleRow(day!, columns, 'dim'));
  if (item.key === snapshot.firstUnread) above.push(ruleRow('new', columns, 'warn'));
  return above;
}

/** The day of the last item before `place` that is seen and has a time. */
function dayBefore(items: readonly ScreenItem[], place: number): string | undefined {
  for (let at = place - 1; at >= 0; at--) {
    const item = items[at]!;
    const day = isShown(item) ? dayOf(timeOf(item)) : undefined;
    if (day !== undefined) return day;
  }
  return undefined;
}

function timeOf(item: ScreenItem): number | undefined {
  return item.kind === 'gap' ? undefined : item.at;
}

function dayOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toDateString();
}
