/** What a store holds in the end, read from the lines of `chat-server export`. */
import { NoticeKind } from '@chat/protocol/frames';
import type { StoredEntry } from './judge.js';
import { messageWords, noticeWords } from './ledger.js';

/** The fields of a line that are looked at here. */
interface ExportedLine {
  readonly seq: number;
  readonly type: 'message' | 'notice' | 'claim';
  readonly room?: string;
  readonly inbox?: string;
  readonly name: string;
  readonly kind: number;
  readonly body?: string;
}

const KINDS: Readonly<Record<number, string>> = {
  [NoticeKind.Joined]: 'joined',
  [NoticeKind.Left]: 'left',
  [NoticeKind.Renamed]: 'renamed',
  [NoticeKind.Gone]: 'gone',
};

/** The kind of a claim that opens a session. */
const SESSION_OPENED = 1;

/** @param lines - the whole export, of a store from which nothing was removed */
export function truthOf(lines: Iterable<string>): Map<string, StoredEntry[]> {
  const truth = new Map<string, StoredEntry[]>();
  /** Names by member id: ids are given out in the order of the log, from 1. */
  const names: string[] = [''];
  let isHead = true;
  for (const line of lines) {
    if (isHead || line === '') {
      isHead = false;
      continue;
    }
    const { seq, type, room, inbox, name, kind, body = '' } = JSON.parse(line) as ExportedLine;
    if (type === 'claim' && kind === SESSION_OPENED) names.push(name);
    const place = inbox === undefined ? room : `@${names[Number(inbox)]}`;
    if (type === 'claim' || place === undefined) continue;
    const entry: StoredEntry =
      type === 'message'
        ? { seq, message: { author: name, text: body }, words: messageWords(name, body) }
        : { seq, words: noticeWords(name, KINDS[kind] ?? String(kind)) };
    const entries = truth.get(place);
    if (entries) entries.push(entry);
    else truth.set(place, [entry]);
  }
  return truth;
}
