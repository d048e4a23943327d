/**
 * Appending to a log: under a lock, and the tail last.
 *
 *     take the lock                    killed from here on: the lock names the dead, and the next writer takes it from him
 *     store OLDEST, if room is needed  killed: fewer old entries are kept, nothing else
 *     fill entries and a count cell    killed: nobody looks beyond the tail, the next writer overwrites them
 *     store TAIL                       killed: they are appended, whole and for good
 *     give the lock up
 *
 * So whatever becomes of a writer, readers are never stopped, and other writers go on as soon as its death is proven; one that is merely stopped
 * while it appends holds up the other writers, and nobody else. The lock gives one total order, and each writer's entries
 * are in it in the order of its calls.
 *
 * Room is made in strides, of a thirty-second of the log: OLDEST moves over whole entries ahead of what is overwritten, so it
 * is always the beginning of an entry, and where readers that were overtaken go on. It never passes a reliable reader that is not proven dead.
 */

import { BriefLock } from '../lock/brief-lock.js';
import { fence, load, store } from '../platform/atomics.js';
import { STEPS, step } from '../platform/step.js';
import { PayloadCopy } from '../record/copy.js';
import { HEAD_WORD, RECORD_LENGTH, RECORD_MARK, TAIL_WORD } from '../record/layout.js';
import type { Records } from '../record/records.js';
import { WORD_BYTES } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';
import {
  COUNT_WORD,
  countAt,
  ENTRY_HEADER_BYTES,
  ENTRY_NUMBER_HIGH,
  ENTRY_NUMBER_LOW,
  LOCK_WORD,
  writeCount,
} from './layout.js';
import type { LogRoster } from './roster.js';

/** How often the kernel is asked whether a reliable reader that holds writers up is dead. */
const STRIKE_INTERVAL_MS = 20;

/** Appends to one log. */
export class LogWriter {
  readonly lock: BriefLock;
  readonly #records: Records;
  readonly #roster: LogRoster;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #capacity: number;
  readonly #payload: PayloadCopy;
  /** TAIL, the entries before it and the cell that says so, as this writer last left them. */
  #tail = 0;
  #count = -1;
  #cell = 0;
  /** OLDEST when it was last looked at; it may be further by now. */
  #oldest = 0;
  #struckAt = Number.NEGATIVE_INFINITY;

  constructor(segment: Segment, records: Records, roster: LogRoster) {
    this.#records = records;
    this.#roster = roster;
    this.#words = segment.words;
    this.#base = segment.payloadOffset / WORD_BYTES;
    this.#capacity = records.capacity;
    this.lock = new BriefLock(segment, this.#base + LOCK_WORD);
    this.#payload = new PayloadCopy(segment.words, segment.bytes);
  }

  /**
   * Appends entries, as many as there is room for, shown to readers all at once. They were checked.
   *
   * @returns how many; 0 when there is no room, or when another writer has been in the middle of an append for 5 ms: `lock.wasBusy`.
   * @throws {@link ShmError} `ERR_SHM_CORRUPT`
   */
  appendAll(entries: readonly Uint8Array[]): number {
    if (!this.lock.acquire()) return 0;
    try {
      let position = this.#enter();
      let appended = 0;
      for (const entry of entries) {
        const next = this.#put(entry, position, this.#count + appended + 1);
        if (next === position) break;
        position = next;
        appended++;
      }
      if (appended > 0) this.#publish(position, this.#count + appended);
      return appended;
    } finally {
      this.lock.release();
    }
  }

  /** Appends one entry. Returns its number, or 0 as {@link appendAll} does. */
  append(entry: Uint8Array): number {
    if (!this.lock.acquire()) return 0;
    try {
      const position = this.#enter();
      const next = this.#put(entry, position, this.#count + 1);
      if (next === position) return 0;
      this.#publish(next, this.#count + 1);
      return this.#count;
    } finally {
      this.lock.release();
    }
  }

  /** Makes the remembered state that of the log, and returns its tail. */
  #enter(): number {
    const words = this.#words;
    const tail = load(words, this.#base + TAIL_WORD);
    if (tail === this.#tail && this.#count >= 0) return tail;
    const counted = countAt(words, this.#base + COUNT_WORD, tail);
    if (counted === undefined) throw this.#records.corrupt(`no count cell names its tail ${tail}`);
    this.#tail = tail;
    this.#cell = counted.cell;
    this.#count = counted.count;
    this.#oldest = load(words, this.#base + HEAD_WORD);
    const error = this.#records.checkSpan(tail, this.#oldest);
    if (error === undefined) return tail;
    this.#count = -1;
    throw error;
  }

  /** Writes an entry at `position`; returns where the next one belongs, or `position` when there is no room. */
  #put(entry: Uint8Array, position: number, number: number): number {
    const words = this.#words;
    const records = this.#records;
    const length = entry.length;
    const units = records.units(length);
    const needed = records.needed(position, units);
    const free = this.#capacity - ((position - this.#oldest) | 0);
    if (free < needed && !this.#makeRoom(position, needed)) return position;
    const start = records.begin(position, units);
    const header = records.word(start);
    words[header + RECORD_LENGTH] = length;
    words[header + RECORD_MARK] = start;
    words[header + ENTRY_NUMBER_LOW] = number | 0;
    words[header + ENTRY_NUMBER_HIGH] = Math.floor(number / 2 ** 32);
    this.#payload.copy(entry, (header << 2) + ENTRY_HEADER_BYTES);
    if (STEPS) step('log: entry copied');
    return (start + units) | 0;
  }

  #publish(tail: number, count: number): void {
    const words = this.#words;
    writeCount(words, this.#base + COUNT_WORD, this.#cell ^ 1, tail, count);
    // publish: the entries and the count cell are visible to whoever sees this tail.
    // pairs with: LogCursor, load of TAIL
    store(words, this.#base + TAIL_WORD, tail);
    this.#tail = tail;
    this.#count = count;
    this.#cell ^= 1;
  }

  /** Moves OLDEST so that `needed` units behind `tail` are free. False when a reliable reader is in the way. */
  #makeRoom(tail: number, needed: number): boolean {
    const oldest = load(this.#words, this.#base + HEAD_WORD);
    this.#oldest = oldest;
    const missing = needed - (this.#capacity - ((tail - oldest) | 0));
    if (missing <= 0) return true;
    // What was published before this append; entries of this very batch are not to be given up.
    const kept = (this.#tail - oldest) | 0;
    let reach = this.#roster.reach(oldest, kept);
    if (reach < missing && performance.now() - this.#struckAt >= STRIKE_INTERVAL_MS) {
      this.#roster.giveUp(oldest, missing);
      reach = this.#roster.reach(oldest, kept);
      this.#struckAt = performance.now();
    }
    if (reach < missing) return false;
    const goal = Math.min(missing + this.#capacity / 32, reach);
    let moved = 0;
    while (moved < goal) {
      const units = Math.abs(this.#records.measureAt((oldest + moved) | 0, kept - moved));
      if (units === 0) throw this.#records.corrupt(`there is no entry at ${(oldest + moved) | 0}`);
      if (moved + units > reach) break;
      moved += units;
    }
    if (moved < missing) return false;
    this.#oldest = (oldest + moved) | 0;
    // publish: everything before this is about to be overwritten. Before the overwriting, on weakly ordered CPUs too.
    // pairs with: LogCursor, load of OLDEST after it has copied
    store(this.#words, this.#base + HEAD_WORD, this.#oldest);
    fence();
    return true;
  }
}
