/**
 * Reading a log, at a reader's own pace.
 *
 * Entries are copied out in batches of up to 64 KiB, and only then is it asked whether a writer may have overwritten them meanwhile:
 * copy, fence, load OLDEST. If it has not passed the cursor, all that was copied is whole; else none of it is looked at, and the
 * reader goes on at OLDEST, which is always the beginning of an entry. What it lost it then knows exactly, because entries are numbered.
 *
 * Nobody waits for a *lossy* reader. A *reliable* one shows its position (`row.ts`), and
 * writers do not pass it as long as it is not proven dead. A reader killed at any instruction leaves nothing that anybody waits for, but for
 * its named cursor, if it has one: that stays where it was done, and its successor goes on there.
 *
 * Nothing in shared memory is believed. An impossible entry in a copy that counts as whole poisons the reader: the same
 * error again at each call. (A reader that slept while 2^31 units, 16 GiB, were appended may take any position for its own; the
 * numbers tell that it is not, and it goes on at OLDEST too.)
 */

import { ShmError } from '../errors.js';
import { fence, load } from '../platform/atomics.js';
import { tell } from '../platform/diagnostics.js';
import {
  HEAD_WORD,
  RECORD_LENGTH,
  RECORD_MARK,
  TAIL_WORD,
  UNIT_BYTES,
  UNIT_WORDS_SHIFT,
} from '../record/layout.js';
import type { Records } from '../record/records.js';
import { Counter } from '../segment/counters.js';
import { WORD_BYTES } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';
import {
  COUNT_WORD,
  countAt,
  ENTRY_HEADER_BYTES,
  ENTRY_NUMBER_HIGH,
  ENTRY_NUMBER_LOW,
  joinNumber,
} from './layout.js';
import { ReaderRow } from './row.js';

/**
 * Is given one entry: the bytes from `start` to `end` of `bytes`, which are borrowed until the handler returns, and its number.
 */
export type EntryHandler = (bytes: Uint8Array, start: number, end: number, number: number) => void;

/** Where a reader begins: the oldest entry that is kept, the next one to be appended, or the entry of this number. */
export type LogStart = 'oldest' | 'next' | number;

const BATCH_UNITS: number = 65_536 / UNIT_BYTES;
/** After having been overtaken: little, so as not to be overtaken again. */
const CAREFUL_UNITS: number = 4096 / UNIT_BYTES;
const MAX_ATTEMPTS = 100;

/** The cursor of one reader. */
export class LogCursor {
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #base: number;
  readonly #records: Records;
  readonly #onLost: ((count: number) => void) | undefined;
  readonly #row: ReaderRow;
  /** Where the next entry begins, and the number it should have; 0 is any. */
  #position = 0;
  #expected = 0;
  /** The same for the first entry that is not done with. */
  #doneTo = 0;
  #doneExpected = 0;
  /** Whether entries before the expected one are passed over: until it is found. */
  #seeking = false;
  #lost = 0;
  /** A copy of the entries from `position` on; the next one is at unit `batchAt`. */
  #batch: Uint8Array = new Uint8Array(0);
  #batchWords: Int32Array = new Int32Array(0);
  #batchUnits = 0;
  #batchAt = 0;
  #reading = false;
  #closed = false;
  #poison: ShmError | undefined;

  /** `namedRow`: of a named cursor that is ours. */
  constructor(segment: Segment, records: Records, onLost?: (count: number) => void, namedRow?: number) {
    this.#segment = segment;
    this.#words = segment.words;
    this.#bytes = segment.bytes;
    this.#base = segment.payloadOffset / WORD_BYTES;
    this.#records = records;
    this.#onLost = onLost;
    this.#row = new ReaderRow(segment, namedRow);
  }

  /** Goes to where it is to begin. For a reliable reader to be called while nobody appends. @throws {RangeError} */
  seek(start: LogStart): void {
    const { tail, count } = this.#end();
    if (start === 'next' || start === count + 1) {
      this.#position = tail;
      this.#expected = count + 1;
      this.#settle();
      return;
    }
    if (start !== 'oldest' && (!Number.isSafeInteger(start) || start < 1 || start > count + 1)) {
      throw new RangeError(`start is 'oldest', 'next' or a number from 1 to ${count + 1}, not ${start}`);
    }
    this.#position = load(this.#words, this.#base + HEAD_WORD);
    this.#expected = start === 'oldest' ? 0 : start;
    this.#seeking = start !== 'oldest';
    this.#settle();
  }

  /** Goes on where a named cursor stands; what was overwritten since counts as lost. To be called while nobody appends. */
  resume(): void {
    const words = this.#words;
    const { position, number } = this.#row.stand();
    const oldest = load(words, this.#base + HEAD_WORD);
    const ahead = (position - oldest) | 0;
    const isKept = ahead >= 0 && ahead <= ((load(words, this.#base + TAIL_WORD) - oldest) | 0);
    this.#position = isKept ? position : oldest;
    this.#expected = number;
    this.#doneTo = this.#position;
    this.#doneExpected = number;
  }

  /** Lets writers wait for this reader, as long as `patience` says. To be called while nobody appends, after {@link seek}. */
  becomeReliable(patience: number): void {
    // From the oldest entry on: nobody moves it just now, so its number can be had, and what is lost later be counted.
    if (this.#expected === 0 && !this.#find()) this.#expected = this.last + 1;
    this.#doneTo = this.#position;
    this.#doneExpected = this.#expected;
    this.#row.becomeReliable(patience, this.#doneTo, this.#doneExpected);
  }

  /** Ends a {@link read} under way, and lets writers pass; but a named cursor stays where it is, for the next one who asks for it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#row.close();
  }

  get reliable(): boolean {
    return this.#row.reliable;
  }

  /** Entries lost so far. */
  get lost(): number {
    return this.#lost;
  }

  /** Number of the next entry; 0 when that is the oldest one, whichever it is by then. */
  get next(): number {
    return this.#expected;
  }

  /** Number of the last entry that was appended. */
  get last(): number {
    return this.#end().count;
  }

  /** Whether there is an entry that was not handed out. */
  get available(): boolean {
    return this.#batchAt < this.#batchUnits || load(this.#words, this.#base + TAIL_WORD) !== this.#position;
  }

  /** Hands out at most `limit` entries, and is done with them. See LogReader.read. */
  read(handler: EntryHandler, limit: number): number {
    if (this.#reading) throw new TypeError('read() inside a handler of read()');
    let count = 0;
    this.#reading = true;
    try {
      while (count < limit && !this.#closed && this.#find()) {
        const header = this.#batchAt << UNIT_WORDS_SHIFT;
        const start = (header << 2) + ENTRY_HEADER_BYTES;
        const length = this.#batchWords[header + RECORD_LENGTH] as number;
        handler(this.#batch, start, start + length, this.#expected);
        count++;
        this.#pass(length);
      }
    } finally {
      this.#reading = false;
      if (!this.#closed) {
        this.#segment.counters.add(Counter.received, count);
        this.#settle();
      }
    }
    return count;
  }

  /** Copies the next entry out; undefined when there is none. It comes again after {@link rewind}, unless it was released. */
  take(): { readonly number: number; readonly bytes: Uint8Array } | undefined {
    if (!this.#find()) return undefined;
    const header = this.#batchAt << UNIT_WORDS_SHIFT;
    const start = (header << 2) + ENTRY_HEADER_BYTES;
    const length = this.#batchWords[header + RECORD_LENGTH] as number;
    const number = this.#expected;
    this.#pass(length);
    this.#segment.counters.add(Counter.received);
    return { number, bytes: this.#batch.slice(start, start + length) };
  }

  /** Is done with all that was handed out. Returns whether a writer may wait for that. */
  release(): boolean {
    if (this.#closed || (this.#doneTo === this.#position && this.#doneExpected === this.#expected))
      return false;
    this.#settle();
    return this.#row.reliable;
  }

  /** Takes back what was handed out and not released. */
  rewind(): void {
    this.#position = this.#doneTo;
    this.#expected = this.#doneExpected;
    this.#batchAt = this.#batchUnits;
  }

  /** Makes the next entry the one at `batchAt`, and its number the expected one. False when there is none. */
  #find(): boolean {
    if (this.#poison !== undefined) throw this.#poison;
    while (this.#batchAt < this.#batchUnits || this.#fill()) {
      const words = this.#batchWords;
      const header = this.#batchAt << UNIT_WORDS_SHIFT;
      const length = words[header + RECORD_LENGTH] as number;
      const mark = words[header + RECORD_MARK] as number;
      const units = this.#records.measure(this.#position, length, mark, this.#batchUnits - this.#batchAt);
      // The batch may end in the middle of an entry, or at padding; the next one then begins with it.
      if (units <= 0) {
        this.#batchAt = this.#batchUnits;
        continue;
      }
      const number = joinNumber(
        words[header + ENTRY_NUMBER_LOW] as number,
        words[header + ENTRY_NUMBER_HIGH] as number,
      );
      if (number === this.#expected || !this.#isBefore(number)) return true;
      this.#advance(units);
    }
    return false;
  }

  /** Goes behind the entry at `batchAt`, which has `length` bytes. */
  #pass(length: number): void {
    this.#expected++;
    this.#advance(this.#records.units(length));
  }

  /** Is done with all before the next entry, and tells so. */
  #settle(): void {
    this.#doneTo = this.#position;
    this.#doneExpected = this.#expected;
    if (!this.#closed) this.#row.show(this.#doneTo, this.#doneExpected);
  }

  #advance(units: number): void {
    this.#position = (this.#position + units) | 0;
    this.#batchAt += units;
  }

  /** Deals with an entry that is not the expected one. Returns whether it is to be passed over. */
  #isBefore(number: number): boolean {
    const lost = this.#expected === 0 ? 0 : number - this.#expected;
    if (lost < 0) {
      if (!this.#seeking) {
        this.#poisoned(this.#records.corrupt(`entry ${number} stands where ${this.#expected} was expected`));
      }
      return true;
    }
    this.#seeking = false;
    this.#expected = number;
    if (lost > 0) {
      this.#lost += lost;
      // What is lost does not come again.
      this.#doneTo = this.#position;
      this.#doneExpected = number;
      this.#row.addLost(lost);
      tell('entries-lost', () => ({ name: this.#segment.name, count: lost }));
      this.#onLost?.(lost);
    }
    return false;
  }

  /** Copies the next entries out. False when there are none, or a writer was faster each time. */
  #fill(): boolean {
    const words = this.#words;
    if (this.#row.isEvicted()) {
      this.#poisoned(
        new ShmError(
          'ERR_SHM_EVICTED',
          `a writer of ${this.#segment.name} gave this reader up at entry ${this.#doneExpected}`,
        ),
      );
    }
    let most = BATCH_UNITS;
    let jumped = false;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const tail = load(words, this.#base + TAIL_WORD);
      const oldest = load(words, this.#base + HEAD_WORD);
      const left = (tail - this.#position) | 0;
      if (left === 0) return false;
      if (((this.#position - oldest) | 0) < 0 || left < 0 || left > this.#records.capacity) {
        // Overtaken. The tail is looked at again: it may be older than this OLDEST.
        this.#position = oldest;
        most = CAREFUL_UNITS;
        continue;
      }
      const rest = this.#records.rest(this.#position);
      const from = this.#records.word(this.#position);
      // Not to be believed yet, and good enough to say how much to copy.
      const hint = words[from + RECORD_LENGTH] as number;
      const first = hint >= 0 && hint <= this.#records.maxBytes ? this.#records.units(hint) : 0;
      const units = Math.min(left, rest, Math.max(most, first));
      this.#copy(from << 2, units);
      // The copy may not sink below the look that confirms it.
      fence();
      // pairs with: LogWriter.#makeRoom, store of OLDEST before it overwrites
      if (((this.#position - load(words, this.#base + HEAD_WORD)) | 0) < 0) continue;

      const length = this.#batchWords[RECORD_LENGTH] as number;
      const mark = this.#batchWords[RECORD_MARK] as number;
      const found = this.#records.measure(this.#position, length, mark, left);
      if (found < 0) {
        this.#position = (this.#position - found) | 0;
        attempt--;
        continue;
      }
      if (found > 0 && found <= units) {
        this.#batchUnits = units;
        this.#batchAt = 0;
        return true;
      }
      if (jumped) this.#poisoned(this.#records.neither(this.#position, length, mark, left));
      // Either corrupt, or a position of another age: the numbers at OLDEST will tell.
      jumped = true;
      this.#seeking = false;
      this.#position = oldest;
    }
    return false;
  }

  #copy(from: number, units: number): void {
    this.#batchUnits = 0;
    this.#batchAt = 0;
    if (this.#batch.length < units * UNIT_BYTES) {
      const buffer = new ArrayBuffer(Math.max(units, BATCH_UNITS) * UNIT_BYTES);
      this.#batch = new Uint8Array(buffer);
      this.#batchWords = new Int32Array(buffer);
    }
    this.#batch.set(this.#bytes.subarray(from, from + units * UNIT_BYTES));
  }

  /** The tail, and how many entries there are before it. */
  #end(): { readonly tail: number; readonly count: number } {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const tail = load(this.#words, this.#base + TAIL_WORD);
      const counted = countAt(this.#words, this.#base + COUNT_WORD, tail);
      // The cell of this tail is written again only after the next store of TAIL.
      fence();
      if (load(this.#words, this.#base + TAIL_WORD) !== tail) continue;
      if (counted === undefined)
        this.#poisoned(this.#records.corrupt(`no count cell names its tail ${tail}`));
      return { tail, count: counted.count };
    }
    throw new ShmError(
      'ERR_SHM_OVERTAKEN',
      `writers append to ${this.#segment.name} faster than its end can be found`,
    );
  }

  #poisoned(error: ShmError): never {
    this.#poison = error;
    throw error;
  }
}
