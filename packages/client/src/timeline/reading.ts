/**
 * What of a conversation is unread, and how far its user has read: here, and on the user's other sessions.
 *
 * A position only moves forwards. What is read here is said a moment later, once for all that was read by then.
 */
import type { ChatClient } from '../chat-client.js';
import type { Clock } from '../clock.js';
import { ClientError } from '../errors.js';
import type { RoomAbout } from '../rooms/room.js';

/** What `connect` is told in `features` by a program that says how far its user has read. */
export const READS_FEATURE = 'reads';

/** Between reading something and saying so. */
const SAY_AFTER_MS = 1000;

/** The place of a conversation, as a mark names it. */
export type ReadPlace = { readonly room: string } | { readonly user: string };

interface Unread {
  readonly seq: number;
  readonly key: string;
}

/** A message of somebody else. */
interface Said extends Unread {
  readonly id: string;
  readonly history: boolean;
}

export class Reading {
  readonly #clock: Clock;
  readonly #client: Pick<ChatClient<never>, 'markRead'> | undefined;
  #place: ReadPlace | undefined;
  /** Up to where it is read; undefined while nobody can say. */
  #upTo: number | undefined;
  /** Whether what was said before this client came may be unread: it is known up to where it was read. */
  #isKnown = false;
  /** Newest message of somebody else. */
  #newest = 0;
  #unread: Unread[] = [];
  #first: string | undefined;
  /** What was said to the server last. */
  #said = 0;
  /** Whether the server takes it. */
  #isTaken = false;
  /** Of the positions. */
  #epoch: string | undefined;
  #timer: unknown;

  /** @param client undefined where nobody is told */
  constructor(clock: Clock, client: Pick<ChatClient<never>, 'markRead'> | undefined) {
    this.#clock = clock;
    this.#client = client;
  }

  /** Messages that are unread. */
  get count(): number {
    return this.#unread.length;
  }

  /** Key of the first of them; stays when they are read here. */
  get first(): string | undefined {
    return this.#first;
  }

  /** Forgets where the unread messages began. */
  clearMark(): void {
    this.#first = undefined;
  }

  /** The conversation is there, or at another place. */
  begin(place: ReadPlace | undefined): void {
    this.#place = place;
    // Of direct messages it is seen when it is tried.
    this.#isTaken = place !== undefined && 'user' in place;
  }

  /** What the answer to a join says. @returns whether something has changed */
  joined({ features, read }: RoomAbout): boolean {
    this.#isTaken = features?.includes(READS_FEATURE) === true;
    if (!this.#isTaken) return false;
    this.#isKnown = read !== undefined;
    return read !== undefined && this.upTo(read);
  }

  /** The positions of another log mean nothing. */
  reset(): void {
    this.#upTo = undefined;
    this.#isKnown = false;
    this.#newest = 0;
    this.#said = 0;
    this.#epoch = undefined;
  }

  /** Takes a message of somebody else. */
  add({ id, seq, key, history }: Said, isSeen: boolean): void {
    const epoch = id.slice(0, -`${seq}`.length);
    if (this.#epoch !== undefined && this.#epoch !== epoch) this.reset();
    this.#epoch = epoch;
    this.#newest = Math.max(this.#newest, seq);
    if (seq <= (this.#upTo ?? 0)) return;
    const isNews = !history || this.#isKnown;
    if (isNews && !(isSeen && !history) && this.#unread.length === 0) this.#first ??= key;
    if (isNews && !isSeen) this.#unread.push({ seq, key });
    // Where nothing was read yet, what was said before the user came is no news.
    else this.#readHere(seq);
  }

  /** All is read here. @returns whether something was not */
  readAll(): boolean {
    const wasUnread = this.#unread.length > 0;
    this.#unread = [];
    if (this.#newest > (this.#upTo ?? 0)) this.#readHere(this.#newest);
    return wasUnread;
  }

  /** It was read on another session. @returns whether something was unread that is not any more */
  upTo(seq: number): boolean {
    if (seq <= (this.#upTo ?? 0)) return false;
    this.#upTo = seq;
    const left = this.#unread.filter((one) => one.seq > seq);
    if (left.length === this.#unread.length) return false;
    this.#unread = left;
    this.#first = left[0]?.key;
    return true;
  }

  /** Says what was not said yet, and nothing later. */
  close(): void {
    if (this.#timer !== undefined) this.#say();
  }

  #readHere(seq: number): void {
    this.#upTo = Math.max(this.#upTo ?? 0, seq);
    if (!this.#client || this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimeout(() => this.#say(), SAY_AFTER_MS);
  }

  #say(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const seq = this.#upTo ?? 0;
    if (!this.#isTaken || !this.#place || seq <= this.#said) return;
    this.#said = seq;
    // What could not be said is said with the next that is read.
    this.#client?.markRead({ ...this.#place, seq }).catch((error: unknown) => {
      this.#said = 0;
      if (ClientError.is(error) && error.code === 'ERR_CLIENT_BAD_REQUEST') this.#isTaken = false;
    });
  }
}
