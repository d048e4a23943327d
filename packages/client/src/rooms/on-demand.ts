/**
 * What a page asks for now and then: older entries, hits of a search, lists of rooms and members. A part of the client
 * that is fetched with the first of these calls: see `lazy/load.ts`.
 */
import type { Member } from '@chat/protocol';
import type { RequestBody, ResponseBodies } from '@chat/protocol/frames';
import type { Asking } from '../sending/requests.js';
import type { MemberList } from './member-list.js';
import type { ReadMark } from './room.js';

export { askForHistory } from './history.js';
export { askForHits } from './search.js';

interface RoomsQuery extends Omit<Extract<RequestBody, { readonly op: 'rooms' }>, 'op'> {
  readonly signal?: AbortSignal;
}

export function askForRooms(
  { requests, assertKnown }: Asking,
  { signal, ...page }: RoomsQuery,
): Promise<ResponseBodies['rooms']> {
  assertKnown('prefix,limit,cursor', page);
  return requests.ask({ op: 'rooms', ...page }, { signal });
}

/** @param onAnswer - told the name before anything that comes behind the answer */
export function askForName(
  { requests }: Asking,
  name: string,
  onAnswer: (answer: ResponseBodies['rename']) => void,
): Promise<string> {
  return requests.ask({ op: 'rename', name }, { onAnswer }).then((answer) => answer.name);
}

export async function sayRead({ requests, assertKnown }: Asking, mark: ReadMark): Promise<void> {
  assertKnown('room,user,seq', mark);
  await requests.ask({ op: 'read', ...mark });
}

/** The room whose members are loaded. */
export interface MembersSource {
  readonly name: string;
  readonly members: MemberList;
  /** More of them are known. */
  onMembers(): void;
}

const MEMBERS: readonly Member[] = [{ id: 0, name: '' }];

/** Asks for members until all, or `limit`, were loaded. @returns whether all are known */
export async function askForMembers(
  { requests, assertKnown, checkShape }: Asking,
  source: MembersSource,
  options: { readonly limit?: number; readonly signal?: AbortSignal },
): Promise<boolean> {
  assertKnown('limit,signal', options);
  const { name: room, members } = source;
  const { limit = Infinity, signal } = options;
  let cursor: number | undefined;
  for (let loaded = 0; loaded < limit && !members.complete; ) {
    const page = await requests.ask(
      { op: 'members', room, ...(cursor !== undefined && { cursor }) },
      {
        signal,
        onAnswer: (answer) => {
          checkShape(MEMBERS, answer.members, 'members');
          members.add(answer.members, answer.cursor === undefined);
        },
      },
    );
    loaded += page.members.length;
    cursor = page.cursor;
    source.onMembers();
  }
  return members.complete;
}
