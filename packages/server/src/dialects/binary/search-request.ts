/**
 * A search, as a session asks for it: in rooms that it is in, since these are what it may read. It is the one request
 * that may take long, so nothing behind it waits, but for another search of the same session.
 */
import { type Failure, FailureCode } from '@chat/protocol';
import { MAX_QUERY_BYTES, type ResponseBodies, type SearchHit } from '@chat/protocol/frames';
import type { ConnectionContext } from '../../connection/context.js';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { Price } from '../../limits/prices.js';
import type { FoundPage, SearchScope } from '../../log/event-log.js';
import type { Room } from '../../room/room.js';
import type { Session } from '../../session/session.js';

/** What is searched for, and where. */
export interface SearchWish extends Omit<SearchScope, 'rooms'> {
  readonly query: string;
  readonly rooms: readonly Room[];
}

/** What answers a search. */
export type SearchReply = { readonly response: ResponseBodies['search'] } | { readonly failure: Failure };

/** After this time a search makes sense again that the store could not answer. */
const RETRY_AFTER_MS = 1000;

/**
 * Begins a search once the one before it is over.
 *
 * @param maxBytes of the hits as JSON: those beyond are left for the next page
 * @returns the answer to come, for which nothing need wait
 */
export async function beginSearch(
  context: ConnectionContext,
  session: Session,
  wish: SearchWish,
  maxBytes: number,
): Promise<{ readonly later: Promise<SearchReply> }> {
  while (session.searching) await session.searching;
  const later = search(context, session, wish, maxBytes);
  session.searching = later.then(
    () => {
      session.searching = undefined;
    },
    () => {
      session.searching = undefined;
    },
  );
  return { later };
}

async function search(
  { log, refusals }: ConnectionContext,
  session: Session,
  { query, rooms, ...wish }: SearchWish,
  maxBytes: number,
): Promise<SearchReply> {
  const actual = Buffer.byteLength(query);
  if (actual > MAX_QUERY_BYTES) {
    const message = `a query of ${actual} bytes exceeds ${MAX_QUERY_BYTES}`;
    return { failure: { code: FailureCode.TooLarge, message, max: MAX_QUERY_BYTES, actual } };
  }
  session.input.charge(Price.search);
  let found: FoundPage | undefined;
  try {
    found = await log.store?.search(query, { ...wish, rooms: rooms.map(({ key }) => key) });
  } catch (error) {
    const isBusy = ServerError.is(error) && error.code === ServerErrorCode.StoreBusy;
    if (!isBusy) refusals.failed(error, 'a search failed', { member: session.memberId });
    const message = isBusy ? 'too many search at the moment' : 'nothing can be searched at the moment';
    return { failure: { code: FailureCode.Unavailable, message, retryAfterMs: RETRY_AFTER_MS } };
  }
  if (!found) return { failure: { code: FailureCode.Unavailable, message: 'this server has no search' } };
  // The session may have left one of them meanwhile.
  const stillIn = rooms.filter(({ handle }) => session.rooms.has(handle));
  return { response: pageOf(found, new Map(stillIn.map(({ key, name }) => [key, name])), maxBytes) };
}

/** As much of what was found as an answer holds, with rooms by the names that they have. */
function pageOf(
  { hits, next, isBehind }: FoundPage,
  names: ReadonlyMap<string, string>,
  maxBytes: number,
): ResponseBodies['search'] {
  const shown: SearchHit[] = [];
  const behind = isBehind ? { behind: true as const } : {};
  let bytes = 0;
  for (const { room: key, sender, name, ...hit } of hits) {
    const room = names.get(key);
    if (room === undefined) continue;
    const item: SearchHit = { room, ...hit, sender: { id: sender, name } };
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    // One always fits: a snippet is short.
    if (bytes > maxBytes && shown.length > 0) return { hits: shown, cursor: shown.at(-1)!.seq, ...behind };
    shown.push(item);
  }
  return { hits: shown, ...(next === undefined ? {} : { cursor: next }), ...behind };
}
