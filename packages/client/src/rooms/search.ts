/**
 * The results of a search: messages of the rooms that this client is in, each as the part of its text in which the words
 * stand. `room.history` has the whole message, and the messages around it.
 */
import type { Member } from '@chat/protocol';
import type { SearchHit as Hit } from '@chat/protocol/frames';
import type { Asking } from '../sending/requests.js';

/** Options of {@link ChatClient.search}. */
export interface SearchOptions {
  /** Only in this room, which has to be joined. @defaultValue all that are joined */
  readonly room?: string;
  /** Only what was said under this name, as it is written. */
  readonly from?: string;
  /** Only messages before this position: the `cursor` of the page before. */
  readonly before?: number;
  /** Hits at the most. The server may give fewer. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** A message that was found. */
export interface SearchHit {
  /** As {@link Message.id}: the message has it in the history, too. */
  readonly id: string;
  readonly room: string;
  readonly seq: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
  readonly sender: Member;
  /** The part of the text in which the words stand, with `…` where there is more. */
  readonly snippet: string;
  /** Where they stand in it: pairs of begin and end in UTF-16 units. */
  readonly marks: readonly (readonly [from: number, to: number])[];
}

/** One page of what was found. */
export interface SearchPage {
  /** The newest first. */
  readonly hits: readonly SearchHit[];
  /** There may be more: search again with this as `before`. A page without hits may have it. */
  readonly cursor?: number;
  /** Present when the server has not taken in the newest messages yet. */
  readonly behind?: true;
}

/** The shape of an answer. */
const HITS: readonly Hit[] = [
  { room: '', seq: 0, at: 0, sender: { id: 0, name: '' }, snippet: '', marks: [[0] as never] },
];

/** Asks for a page and reads it. @throws ProtocolError (as a rejection) when the answer is malformed */
export async function askForHits(
  asking: Asking,
  query: string,
  { signal, ...where }: SearchOptions,
): Promise<SearchPage> {
  asking.assertKnown('room,from,before,limit', where);
  const answer = await asking.requests.ask({ op: 'search', query, ...where }, { signal });
  asking.checkShape(HITS, answer.hits, 'hits');
  return { ...answer, hits: answer.hits.map((hit) => ({ ...hit, id: `${asking.epoch}-${hit.seq}` })) };
}
