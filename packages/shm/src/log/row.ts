/**
 * The row in which a reader of a log shows itself: how it reads, and how far it is. See `layout.ts` for the words.
 *
 * Writers wait for the position of a *reliable* reader, and for a named cursor; what a lossy reader shows is for people who look. The row of a
 * reader without a name is in its participant slot, and shared by all readers of its handle, of which one may be reliable.
 */
import { load, store } from '../platform/atomics.js';
import { STEPS, step } from '../platform/step.js';
import { SLOT_USER, slotWord } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';
import {
  countAt,
  READS_EVICTED,
  READS_LOSSILY,
  READS_RELIABLY,
  ROW_CELLS,
  ROW_HOLDER,
  ROW_LOST,
  ROW_PATIENCE,
  ROW_POSITION,
  ROW_READS,
  writeCount,
} from './layout.js';

/** One such row, as its reader has it. */
export class ReaderRow {
  readonly #words: Int32Array;
  readonly #row: number;
  readonly #isNamed: boolean;
  /** The cell of a named cursor that says which number its position has. */
  #cell = 0;
  #reliable = false;

  /** `namedRow`: of a named cursor that is ours. */
  constructor(segment: Segment, namedRow: number | undefined) {
    this.#words = segment.words;
    this.#row = namedRow ?? slotWord(segment.participant.slot) + SLOT_USER;
    this.#isNamed = namedRow !== undefined;
  }

  /** Whether writers wait for it. */
  get reliable(): boolean {
    return this.#reliable;
  }

  /** Where a named cursor stands, and the number of the entry there; 0 when no cell tells. */
  stand(): { readonly position: number; readonly number: number } {
    const position = load(this.#words, this.#row + ROW_POSITION);
    const counted = countAt(this.#words, this.#row + ROW_CELLS, position);
    this.#cell = counted?.cell ?? 0;
    return { position, number: counted?.count ?? 0 };
  }

  /** Lets writers wait for it, as long as `patience` says. */
  becomeReliable(patience: number, position: number, number: number): void {
    this.#reliable = true;
    store(this.#words, this.#row + ROW_PATIENCE, patience);
    this.#publish(position, number);
    store(this.#words, this.#row + ROW_READS, READS_RELIABLY);
  }

  /** Tells that all before `position`, where the entry `number` begins, is done with. */
  show(position: number, number: number): void {
    const words = this.#words;
    if (this.#reliable || this.#isNamed) {
      if (load(words, this.#row + ROW_POSITION) !== position) this.#publish(position, number);
      return;
    }
    // Only this thread changes it, so a plain load tells; and for people a plain store will do.
    const reads = words[this.#row + ROW_READS];
    // Another reader of this handle, which is reliable, shows itself there.
    if (reads === READS_RELIABLY) return;
    words[this.#row + ROW_POSITION] = position;
    if (reads !== READS_LOSSILY) words[this.#row + ROW_READS] = READS_LOSSILY;
  }

  /** Tells people how many entries were lost. */
  addLost(count: number): void {
    this.#words[this.#row + ROW_LOST] = ((this.#words[this.#row + ROW_LOST] ?? 0) + count) | 0;
  }

  /** Looks whether a writer had no patience any more: then it is not reliable from here on. Returns whether it was evicted. */
  isEvicted(): boolean {
    if (!this.#reliable) return false;
    const reads = load(this.#words, this.#row + ROW_READS);
    this.#reliable = reads === READS_RELIABLY;
    return reads === READS_EVICTED;
  }

  /** Lets writers pass; but a named cursor stays where it is, for the next one who asks for it. */
  close(): void {
    if (this.#isNamed) {
      store(this.#words, this.#row + ROW_HOLDER, 0);
      return;
    }
    // A lossy reader leaves alone what the reliable one of its handle shows.
    const isOthers = !this.#reliable && load(this.#words, this.#row + ROW_READS) === READS_RELIABLY;
    if (!isOthers) store(this.#words, this.#row + ROW_READS, 0);
    this.#reliable = false;
  }

  #publish(position: number, number: number): void {
    if (this.#isNamed) {
      this.#cell ^= 1;
      writeCount(this.#words, this.#row + ROW_CELLS, this.#cell, position, number);
      if (STEPS) step('log: cell of a cursor written');
    }
    // publish: this reader is done with everything before. pairs with: LogRoster.reach
    store(this.#words, this.#row + ROW_POSITION, position);
  }
}
