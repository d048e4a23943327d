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

/**
 * @param lines - the whole export
 * @param nameOf - who had the member id of an inbox
 */
export async function truthOf(
  lines: AsyncIterable<string> | Iterable<string>,
  nameOf: (memberId: number) => string | undefined,
): Promise<Map<string, StoredEntry[]>> {
  const truth = new Map<string, StoredEntry[]>();
  let isHead = true;
  for await (const line of lines) {
    if (isHead || line === '') {
      isHead = false;
      continue;
    }
    const { seq, type, room, inbox, name, kind, body = '' } = JSON.parse(line) as ExportedLine;
    const place = inbox === undefined ? room : `@${nameOf(Number(inbox)) ?? inbox}`;
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
