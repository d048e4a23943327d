/**
 * The lines of a conversation as they are seen: days above, messages of one person together, comings and
 * goings in one line, and a mark where the unread ones begin.
 */

import type { Notice } from '@chat/client';
import {
  changeText,
  type GapItem,
  type LocalItem,
  type MessageItem,
  type NoticeItem,
  type OutgoingItem,
  type UnreadableItem,
  type WithdrawnItem,
} from '@chat/client/timeline';
import { isSameDay } from '../text/moments.js';
import type { Words } from './acting/typed-commands.js';
import type { PageItem } from './conversation.js';

/** One line of a conversation. */
export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly at: number }
  | { readonly kind: 'unread'; readonly key: string }
  /** `head`: begins a group, and so names the sender and the time. */
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly item: MessageItem;
      readonly head: boolean;
      readonly quote?: Quote | undefined;
    }
  | { readonly kind: 'outgoing'; readonly key: string; readonly item: OutgoingItem; readonly head: boolean }
  | { readonly kind: 'notices'; readonly key: string; readonly items: readonly NoticeItem[] }
  /** Something was done to a message, or to the room. */
  | { readonly kind: 'change'; readonly key: string; readonly item: NoticeItem; readonly text: string }
  /** Words of the page itself. */
  | { readonly kind: 'words'; readonly key: string; readonly item: LocalItem<Words> }
  | { readonly kind: 'mark'; readonly key: string; readonly item: GapItem | UnreadableItem | WithdrawnItem };

/** The message that another one answers. */
export interface Quote {
  readonly seq: number;
  /** What it is now; undefined where it is not here. */
  readonly item: MessageItem | WithdrawnItem | undefined;
}

/** Messages of one person within this time of each other stand together. */
const GROUP_MS = 300_000;

/** The things that are shown besides the items. */
export interface RowsOptions {
  readonly outgoing: readonly OutgoingItem[];
  readonly ownName: string;
  /** Key of the first unread item. */
  readonly firstUnread: string | undefined;
}

/** Lays out a conversation. */
export function layOut(items: readonly PageItem[], { outgoing, ownName, firstUnread }: RowsOptions): Row[] {
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

  /** What answers may refer to so far: positions of another life of the log come before these, and are written over. */
  const bySeq = new Map<number, MessageItem | WithdrawnItem>();

  for (const item of items) {
    if (item.kind === 'message' || item.kind === 'withdrawn') bySeq.set(item.seq, item);
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
          ...(item.reply !== undefined && { quote: { seq: item.reply, item: bySeq.get(item.reply) } }),
        });
        break;
      case 'notice': {
        group = undefined;
        const text = changeText(item.notice);
        if (text !== undefined) {
          notices = undefined;
          rows.push({ kind: 'change', key: item.key, item, text });
        } else if (notices) {
          notices.push(item);
        } else {
          notices = [item];
          rows.push({ kind: 'notices', key: item.key, items: notices });
        }
        break;
      }
      case 'local':
        group = undefined;
        notices = undefined;
        rows.push({ kind: 'words', key: item.key, item });
        break;
      case 'gap':
      case 'withdrawn':
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

/** A piece of a sentence: words, or a name, which runs in its own direction. */
export type Phrase = string | { readonly name: string };

/** Sums up comings and goings in one sentence. It mentions a member that both came and went once. */
export function summarize(notices: readonly NoticeItem[]): Phrase[] {
  const stays = new Map<string, { readonly came: boolean; readonly last: Notice }>();
  const renames: Phrase[][] = [];
  for (const { notice } of notices) {
    const { kind, oldName, member } = notice;
    if (kind === 'renamed') {
      renames.push([{ name: oldName ?? '' }, ' is now ', { name: member.name }]);
      continue;
    }
    const came = stays.get(member.name)?.came ?? kind === 'joined';
    stays.set(member.name, { came, last: notice });
  }
  const did = new Map<string, string[]>(DEEDS.map((deed) => [deed, []]));
  for (const [name, { came, last }] of stays) did.get(deedOf(came, last))?.push(name);
  const clauses = [...did]
    .filter(([, names]) => names.length > 0)
    .map(([deed, names]) => clause(names, deed));
  return [...clauses, ...renames].flatMap((phrases, i) => (i === 0 ? phrases : [' · ', ...phrases]));
}

const DEEDS = ['joined', 'left and came back', 'came by', 'left', 'lost the connection'] as const;

/** @param came whether the first that was heard was that they came */
function deedOf(came: boolean, { kind }: Notice): (typeof DEEDS)[number] {
  if (kind === 'joined') return came ? 'joined' : 'left and came back';
  if (came) return 'came by';
  return kind === 'gone' ? 'lost the connection' : 'left';
}

const MAX_NAMED = 5;

function clause(names: readonly string[], deed: string): Phrase[] {
  const named = names.slice(0, MAX_NAMED);
  const others = names.length - named.length;
  const items = others > 0 ? [...named, others === 1 ? '1 other' : `${others} others`] : named;
  let index = 0;
  const list = new Intl.ListFormat('en', { type: 'conjunction' })
    .formatToParts(items)
    .map(({ type, value }): Phrase => {
      if (type === 'literal' || index >= named.length) return value;
      index++;
      return { name: value };
    });
  return [...list, ` ${deed}`];
}
