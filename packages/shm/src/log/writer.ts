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

import { ShmError } from '../errors.js';
import { LockOutcome, LockWord } from '../lock/lock-word.js';
import { fence, load, store } from '../platform/atomics.js';
import { STEPS, step } from '../platform/step.js';
import { checkBytes, checkLength } from '../record/check.js';
import { PayloadCopy } from '../record/copy.js';
import { UNIT_BYTES, UNIT_WORDS_SHIFT } from '../ring/layout.js';
import type { Segment } from '../segment/segment.js';
import {
  COUNT_CELL_WORDS,
  COUNT_HIGH,
  COUNT_LOW,
  COUNT_TAIL,
  COUNT_WORD,
  DATA_WORD,
  ENTRY_HEADER_BYTES,
  ENTRY_LENGTH,
  ENTRY_MARK,
  ENTRY_NUMBER_HIGH,
  ENTRY_NUMBER_LOW,
  entryUnits,
  joinNumber,
  LOCK_WORD,
  maxEntryBytes,
  OLDEST_WORD,
  TAIL_WORD,
} from './layout.js';
import type { LogRoster } from './roster.js';

/** An append is over in microseconds; one that has the lock for longer does not run just now. That it is dead is found out meanwhile. */
const LOCK_PATIENCE_MS = 5;
/** Whoever has to have the lock, and cannot come again later, waits so long for one owner that does not run. */
const LONG_LOCK_PATIENCE_MS = 500;
/** How often the kernel is asked whether a reliable reader that holds writers up is dead. */
const STRIKE_INTERVAL_MS = 20;

/** Appends to one log. */
export class LogWriter {
  readonly #segment: Segment;
  readonly #roster: LogRoster;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #dataWord: number;
  readonly #capacity: number;
  readonly #mask: number;
  readonly #stride: number;
  readonly #maxEntryBytes: number;
  readonly #lock: LockWord;
  readonly #payload: PayloadCopy;
  /** TAIL, the entries before it and the cell that says so, as this writer last left them. */
  #tail = 0;
  #count = -1;
  #cell = 0;
  /** OLDEST when it was last looked at; it may be further by now. */
  #oldest = 0;
  #struckAt = Number.NEGATIVE_INFINITY;
  #lockWasBusy = false;

  constructor(segment: Segment, base: number, capacityBytes: number, roster: LogRoster) {
    this.#segment = segment;
    this.#roster = roster;
    this.#words = segment.words;
    this.#base = base;
    this.#dataWord = base + DATA_WORD;
    this.#capacity = capacityBytes / UNIT_BYTES;
    this.#mask = this.#capacity - 1;
    this.#stride = this.#capacity / 32;
    this.#maxEntryBytes = maxEntryBytes(capacityBytes);
    this.#lock = new LockWord(segment, base + LOCK_WORD);
    this.#payload = new PayloadCopy(segment.words, segment.bytes);
  }

  /**
   * Appends entries, as many as there is room for, shown to readers all at once.
   *
   * @returns how many; 0 when there is no room, or when another writer has been in the middle of an append for 5 ms: see {@link lockWasBusy}.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`, and then none is appended; `ERR_SHM_CORRUPT`
   */
  appendAll(entries: readonly Uint8Array[]): number {
    for (const entry of entries) this.check(entry);
    if (!this.#acquire()) return 0;
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
      this.#lock.release();
    }
  }

  /** Appends one entry. Returns its number, or 0 as {@link appendAll} does. */
  append(entry: Uint8Array): number {
    this.check(entry);
    if (!this.#acquire()) return 0;
    try {
      const position = this.#enter();
      const next = this.#put(entry, position, this.#count + 1);
      if (next === position) return 0;
      this.#publish(next, this.#count + 1);
      return this.#count;
    } finally {
      this.#lock.release();
    }
  }

  /** Whether the last append that did nothing had no lock, rather than no room: then it is worth trying again soon. */
  get lockWasBusy(): boolean {
    return this.#lockWasBusy;
  }

  /**
   * Runs `fn` while nobody appends.
   *
   * @throws {@link ShmError} `ERR_SHM_LOCK_TIMEOUT`, without having run it, when another writer does not come to the end of its append
   */
  exclusively(fn: () => void): void {
    if (!this.#acquire(LONG_LOCK_PATIENCE_MS)) {
      const owner = this.#lock.owner();
      const who = owner === undefined ? 'nobody by now' : `process ${owner.pid}, which is ${owner.liveness}`;
      throw new ShmError(
        'ERR_SHM_LOCK_TIMEOUT',
        `the lock of ${this.#segment.name} was not had within ${LONG_LOCK_PATIENCE_MS} ms; it is held by ${who}`,
      );
    }
    try {
      fn();
    } finally {
      this.#lock.release();
    }
  }

  #acquire(patienceMs: number = LOCK_PATIENCE_MS): boolean {
    if (this.#lock.tryAcquire() !== LockOutcome.Acquired) {
      const outcome = this.#lock.acquireSync(patienceMs);
      // What a dead writer leaves is right as it is: see the head of this file.
      if (outcome !== LockOutcome.Acquired && outcome !== LockOutcome.Recovered) {
        this.#lockWasBusy = true;
        return false;
      }
    }
    this.#lockWasBusy = false;
    return true;
  }

  /** Makes the remembered state that of the log, and returns its tail. */
  #enter(): number {
    const words = this.#words;
    const tail = load(words, this.#base + TAIL_WORD);
    if (tail === this.#tail && this.#count >= 0) return tail;
    const counted = countAt(words, this.#base, tail);
    if (counted === undefined) this.#corrupt(`no count cell names its tail ${tail}`);
    this.#tail = tail;
    this.#cell = counted.cell;
    this.#count = counted.count;
    this.#oldest = load(words, this.#base + OLDEST_WORD);
    const used = (tail - this.#oldest) | 0;
    if (used < 0 || used > this.#capacity) {
      this.#count = -1;
      this.#corrupt(`tail ${tail} and oldest ${this.#oldest} are ${used} apart, in ${this.#capacity} units`);
    }
    return tail;
  }

  /** Writes an entry at `position`; returns where the next one belongs, or `position` when there is no room. */
  #put(entry: Uint8Array, position: number, number: number): number {
    const words = this.#words;
    const length = entry.length;
    const units = entryUnits(length);
    let start = position;
    let at = start & this.#mask;
    const rest = this.#capacity - at;
    const needed = rest < units ? rest + units : units;
    const free = this.#capacity - ((position - this.#oldest) | 0);
    if (free < needed && !this.#makeRoom(position, needed)) return position;
    if (rest < units) {
      const padding = this.#dataWord + (at << UNIT_WORDS_SHIFT);
      words[padding + ENTRY_LENGTH] = rest * UNIT_BYTES;
      words[padding + ENTRY_MARK] = ~start;
      start = (start + rest) | 0;
      at = 0;
    }
    const header = this.#dataWord + (at << UNIT_WORDS_SHIFT);
    words[header + ENTRY_LENGTH] = length;
    words[header + ENTRY_MARK] = start;
    words[header + ENTRY_NUMBER_LOW] = number | 0;
    words[header + ENTRY_NUMBER_HIGH] = Math.floor(number / 2 ** 32);
    this.#payload.copy(entry, (header << 2) + ENTRY_HEADER_BYTES);
    if (STEPS) step('log: entry copied');
    return (start + units) | 0;
  }

  #publish(tail: number, count: number): void {
    const words = this.#words;
    const cell = this.#base + COUNT_WORD + (this.#cell ^ 1) * COUNT_CELL_WORDS;
    words[cell + COUNT_TAIL] = tail;
    words[cell + COUNT_LOW] = count | 0;
    words[cell + COUNT_HIGH] = Math.floor(count / 2 ** 32);
    // publish: the entries and the count cell are visible to whoever sees this tail.
    // pairs with: LogCursor, load of TAIL
    store(words, this.#base + TAIL_WORD, tail);
    this.#tail = tail;
    this.#count = count;
    this.#cell ^= 1;
  }

  /** Moves OLDEST so that `needed` units behind `tail` are free. False when a reliable reader is in the way. */
  #makeRoom(tail: number, needed: number): boolean {
    const oldest = load(this.#words, this.#base + OLDEST_WORD);
    this.#oldest = oldest;
    const missing = needed - (this.#capacity - ((tail - oldest) | 0));
    if (missing <= 0) return true;
    // What was published before this append; entries of this very batch are not to be given up.
    const kept = (this.#tail - oldest) | 0;
    let reach = this.#roster.reach(oldest, kept, false);
    if (reach < missing && performance.now() - this.#struckAt >= STRIKE_INTERVAL_MS) {
      reach = this.#roster.reach(oldest, kept, true);
      this.#struckAt = performance.now();
    }
    if (reach < missing) return false;
    const goal = Math.min(missing + this.#stride, reach);
    let moved = 0;
    while (moved < goal) {
      const units = this.#unitsAt((oldest + moved) | 0, kept - moved);
      if (moved + units > reach) break;
      moved += units;
    }
    if (moved < missing) return false;
    this.#oldest = (oldest + moved) | 0;
    // publish: everything before this is about to be overwritten. Before the overwriting, on weakly ordered CPUs too.
    // pairs with: LogCursor, load of OLDEST after it has copied
    store(this.#words, this.#base + OLDEST_WORD, this.#oldest);
    fence();
    return true;
  }

  /** The size of the entry or padding at `position`, of which there are `left` units up to the tail. */
  #unitsAt(position: number, left: number): number {
    const at = position & this.#mask;
    const header = this.#dataWord + (at << UNIT_WORDS_SHIFT);
    const length = this.#words[header + ENTRY_LENGTH] as number;
    const mark = this.#words[header + ENTRY_MARK] as number;
    const rest = this.#capacity - at;
    if (mark === position && length >= 0) {
      const units = entryUnits(length);
      if (units <= Math.min(left, rest)) return units;
    }
    if (mark === ~position && length === rest * UNIT_BYTES && rest <= left) return rest;
    this.#corrupt(`at ${position} it has neither an entry nor padding: length ${length}, mark ${mark}`);
  }

  /** @throws {TypeError} @throws {@link ShmError} `ERR_SHM_TOO_LARGE` */
  check(entry: Uint8Array): void {
    checkBytes(entry, 'an entry');
    if (entry.length <= this.#maxEntryBytes) return;
    checkLength(entry.length, this.#maxEntryBytes, 'an entry', `maxEntryBytes of ${this.#segment.name}`);
  }

  #corrupt(what: string): never {
    throw new ShmError('ERR_SHM_CORRUPT', `the log ${this.#segment.name} is corrupt: ${what}`);
  }
}

/** How many entries there are before `tail`, and which cell says so; undefined when none does. */
export function countAt(
  words: Int32Array,
  base: number,
  tail: number,
): { readonly count: number; readonly cell: number } | undefined {
  let found: { count: number; cell: number } | undefined;
  for (let cell = 0; cell < 2; cell++) {
    const word = base + COUNT_WORD + cell * COUNT_CELL_WORDS;
    if (words[word + COUNT_TAIL] !== tail) continue;
    const count = joinNumber(words[word + COUNT_LOW] as number, words[word + COUNT_HIGH] as number);
    // A cell of exactly 2^32 units ago may have the same tail: the larger count is the later one.
    if (found === undefined || count > found.count) found = { count, cell };
  }
  return found;
}
