/**
 * What became of the latest publishes of a session, by their number.
 *
 * A client that lost its connection sends again what was not acknowledged; this record lets the session give
 * the answer that was lost instead of posting twice. A client has at most `maxInFlight` publishes under way,
 * so that many outcomes are enough.
 */
import type { Failure } from '@chat/protocol';

/** `undefined` while the log has not answered yet. */
export type Outcome =
  | { readonly seq: number; readonly at: number; readonly isWaiting: boolean }
  | Failure
  | undefined;

export class PublishRecord {
  readonly #capacity: number;
  readonly #seqs: (number | Failure | undefined)[] = [];
  readonly #ats: number[] = [];
  /** Slots of direct messages whose receivers were away. */
  #waiting: Set<number> | undefined;
  #last: number;
  /** Numbers up to here were given before the server was started again; which of them were refused is not known. */
  readonly #recovered: number;

  /** @param last number of the latest publish that is in the log already */
  constructor(capacity: number, last = 0) {
    this.#last = last;
    this.#recovered = last;
    this.#capacity = capacity;
  }

  /** Number of the latest publish that was taken. */
  get last(): number {
    return this.#last;
  }

  /** Whether `publishId` comes next. Takes it, if so. */
  tryTake(publishId: number): boolean {
    // Behind the last one that the log knows there may have been some that were refused.
    const isFirst = this.#recovered > 0 && this.#last === this.#recovered;
    const isNext = publishId === this.#last + 1 || (isFirst && publishId > this.#last);
    if (!isNext) return false;
    this.#last = publishId;
    this.#seqs[publishId % this.#capacity] = undefined;
    return true;
  }

  /** @param isWaiting whether it is a direct message to somebody who was away */
  accepted(publishId: number, seq: number, at: number, isWaiting = false): void {
    const slot = publishId % this.#capacity;
    this.#seqs[slot] = seq;
    this.#ats[slot] = at;
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
    if (typeof seq === 'number') {
      return { seq, at: this.#ats[slot]!, isWaiting: this.#waiting?.has(slot) ?? false };
    }
    // Nobody answers what was on its way before the restart, and is not known since.
    return seq === undefined && publishId <= this.#recovered ? 'forgotten' : seq;
  }
}
