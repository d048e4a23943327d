/**
 * What became of the latest publishes of a session, by their number.
 *
 * A client that lost its connection sends again what was not acknowledged; this record lets the session give
 * the answer that was lost instead of posting twice. A client has at most `maxInFlight` publishes under way,
 * so that many outcomes are enough.
 */
import { type Failure, FailureCode } from '@chat/protocol';

/** `undefined` while the log has not answered yet. */
export type Outcome =
  | { readonly seq: number; readonly at: number; readonly isWaiting: boolean }
  | Failure
  | undefined;

/** Of publishes that the log has not, although it has some that the session sent before and after them. */
const REFUSED_BEFORE: Failure = {
  code: FailureCode.Unavailable,
  message: 'refused before the session came here',
};

export class PublishRecord {
  readonly #capacity: number;
  readonly #seqs: (number | Failure | undefined)[] = [];
  readonly #ats: number[] = [];
  /** Slots of direct messages whose receivers were away. */
  #waiting: Set<number> | undefined;
  #last = 0;
  /** Numbers up to here are known from the log alone: the session was elsewhere, or in an earlier life of the server. */
  #recovered = 0;
  /** The latest that is known in full. */
  #remembered = 0;
  /** Numbers up to here may skip some: of those that were refused before it was here nothing is known. */
  #maySkipTo = 0;

  /** @param capacity how many publishes of the client may be under way */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Goes on with a session that was elsewhere, or in an earlier life of the server.
   *
   * @param last number of its latest publish that is in the log: what came behind it does not count
   */
  recover(last: number): this {
    const first = Math.max(last, this.#last - this.#capacity) + 1;
    for (let id = first; id <= this.#last; id++) this.#seqs[id % this.#capacity] = undefined;
    this.#last = last;
    this.#recovered = last;
    this.#maySkipTo = Number.POSITIVE_INFINITY;
    return this;
  }

  /** Number of the latest publish that was taken. */
  get last(): number {
    return this.#last;
  }

  /** Whether `publishId` comes next. Takes it, if so. */
  tryTake(publishId: number): boolean {
    if (publishId <= this.#last || (publishId !== this.#last + 1 && publishId > this.#maySkipTo))
      return false;
    // What was under way when the server ended is sent again first, and is not more than that.
    this.#maySkipTo = Math.min(this.#maySkipTo, publishId + this.#capacity);
    this.#refuseBetween(this.#last, publishId);
    this.#last = publishId;
    this.#seqs[publishId % this.#capacity] = undefined;
    return true;
  }

  /**
   * Knows from the log what became of a publish. To be told of all, in order.
   *
   * @param isWaiting whether it is a direct message to somebody who was away
   */
  remember(publishId: number, seq: number, at: number, isWaiting = false): void {
    // What came before the first of them may be in a part of the log that is not looked at.
    if (this.#remembered > 0) this.#refuseBetween(this.#remembered, publishId);
    this.#last = Math.max(this.#last, publishId);
    this.#recovered = Math.max(this.#recovered, publishId);
    this.accepted(publishId, seq, at, isWaiting);
  }

  /** Positions of the publishes that are known to be in the log, with their numbers. */
  *known(): Generator<readonly [seq: number, publishId: number]> {
    for (let id = Math.max(1, this.#last - this.#capacity + 1); id <= this.#last; id++) {
      const seq = this.#seqs[id % this.#capacity];
      if (typeof seq === 'number') yield [seq, id];
    }
  }

  /** @param isWaiting whether it is a direct message to somebody who was away */
  accepted(publishId: number, seq: number, at: number, isWaiting = false): void {
    const slot = publishId % this.#capacity;
    this.#seqs[slot] = seq;
    this.#ats[slot] = at;
    this.#remembered = Math.max(this.#remembered, publishId);
    if (isWaiting) {
      this.#waiting ??= new Set();
      this.#waiting.add(slot);
    } else this.#waiting?.delete(slot);
  }

  refused(publishId: number, failure: Failure): void {
    this.#seqs[publishId % this.#capacity] = failure;
  }

  /** What became of a publish that was taken; `'forgotten'` when it is too long ago, or was before a restart. */
  outcome(publishId: number): Outcome | 'forgotten' {
    if (publishId < 1 || publishId <= this.#last - this.#capacity) return 'forgotten';
    const slot = publishId % this.#capacity;
    const seq = this.#seqs[slot];
    if (seq === undefined && publishId <= this.#recovered) return 'forgotten';
    if (typeof seq !== 'number') return seq;
    return { seq, at: this.#ats[slot]!, isWaiting: this.#waiting?.has(slot) ?? false };
  }

  #refuseBetween(low: number, high: number): void {
    for (let id = Math.max(low, high - this.#capacity) + 1; id < high; id++) this.refused(id, REFUSED_BEFORE);
  }
}
