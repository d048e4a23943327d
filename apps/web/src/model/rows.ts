/**
 * The lines of a conversation as they are seen: days above, messages of one person together, comings and goings
 * in one line, and a mark where the unread ones begin.
 */
import { isSameDay } from '../text/moments.js';
import type { MarkItem, MessageItem, NoticeItem, Outgoing, TimelineItem } from './timeline.js';

/** One line of a conversation. */
export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly at: number }
  | { readonly kind: 'unread'; readonly key: string }
  /** `head`: begins a group, and so names the sender and the time. */
  | { readonly kind: 'message'; readonly key: string; readonly item: MessageItem; readonly head: boolean }
  | { readonly kind: 'outgoing'; readonly key: string; readonly item: Outgoing; readonly head: boolean }
  | { readonly kind: 'notices'; readonly key: string; readonly items: readonly NoticeItem[] }
  | { readonly kind: 'mark'; readonly key: string; readonly item: MarkItem };

/** Messages of one person within this time of each other stand together. */
const GROUP_MS = 300_000;

/** What besides the items is shown. */
export interface RowsOptions {
  readonly outgoing: readonly Outgoing[];
  readonly ownName: string;
  /** Key of the first unread item. */
  readonly firstUnread: string | undefined;
}

/** Lays out a conversation. */
export function layOut(
  items: readonly TimelineItem[],
  { outgoing, ownName, firstUnread }: RowsOptions,
): Row[] {
  const rows: Row[] = [];
  let day: number | undefined;
  let group: { readonly name: string; readonly at: number } | undefined;
  let notices: NoticeItem[] | undefined;

  const startDay = (at: number): void => {
    if (day !== undefined && isSameDay(day, at)) return;
    rows.push({ kind: 'day', key: `day:${at}:${rows.length}`, at });
    day = at;
    group = undefined;
    notices = undefined;
  };
  const isHead = (name: string, at: number): boolean => {
    const head = group?.name !== name || at - group.at > GROUP_MS;
    group = { name, at };
    notices = undefined;
    return head;
  };

  for (const item of items) {
    if ('at' in item) startDay(item.at);
    if (item.key === firstUnread) {
      rows.push({ kind: 'unread', key: 'unread' });
      group = undefined;
      notices = undefined;
    }
    switch (item.kind) {
      case 'message':
        rows.push({
          kind: 'message',
          key: item.key,
          item,
          head: isHead(item.sender.name || ownName, item.at),
        });
        break;
      case 'notice':
        group = undefined;
        if (notices) {
          notices.push(item);
        } else {
          notices = [item];
          rows.push({ kind: 'notices', key: item.key, items: notices });
        }
        break;
      case 'gap':
      case 'unreadable':
        group = undefined;
        notices = undefined;
        rows.push({ kind: 'mark', key: item.key, item });
        break;
    }
  }
  for (const item of outgoing) {
    startDay(item.at);
    rows.push({ kind: 'outgoing', key: item.key, item, head: isHead(ownName, item.at) });
  }
  return rows;
}

/** What comings and goings come to, in one sentence: who both came and went in between is not mentioned twice. */
export function summarize(notices: readonly NoticeItem[]): string {
  const net = new Map<string, { came: boolean; last: NoticeItem }>();
  const renames: string[] = [];
  for (const notice of notices) {
    if (notice.change === 'renamed') {
      renames.push(`${isolate(notice.oldName ?? '')} is now ${isolate(notice.name)}`);
      continue;
    }
    const known = net.get(notice.name);
    net.set(notice.name, { came: known?.came ?? notice.change === 'joined', last: notice });
  }
  const came: string[] = [];
  const left: string[] = [];
  const lost: string[] = [];
  const visited: string[] = [];
  const returned: string[] = [];
  for (const [name, { came: first, last }] of net) {
    if (last.change === 'joined') (first ? came : returned).push(name);
    else if (first) visited.push(name);
    else (last.change === 'lost' ? lost : left).push(name);
  }
  return [
    phrase(came, 'joined'),
    phrase(returned, 'left and came back'),
    phrase(visited, 'came by'),
    phrase(left, 'left'),
    phrase(lost, 'lost the connection'),
    ...renames,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

const MAX_NAMED = 5;
const LIST = new Intl.ListFormat('en', { type: 'conjunction' });

function phrase(names: readonly string[], did: string): string {
  if (names.length === 0) return '';
  const named = names.slice(0, MAX_NAMED).map(isolate);
  const others = names.length - named.length;
  if (others > 0) named.push(others === 1 ? '1 other' : `${others} others`);
  return `${LIST.format(named)} ${did}`;
}

/** Keeps the direction of a name from reordering the sentence around it (first strong isolate, and its end). */
function isolate(name: string): string {
  return `\u2068${name}\u2069`;
}
