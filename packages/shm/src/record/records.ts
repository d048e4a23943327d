/**
 * The one codec of records: where they begin, what they take, and whether what lies there can be one. See `layout.ts` for the picture.
 *
 * Nothing in shared memory is believed: lengths and marks are passed in by the caller, who read each of them once, and are
 * held against the bounds of the area. Whether a record may be looked at yet, and how it is published, is up to the structure.
 */
import { ShmError } from '../errors.js';
import {
  DATA_WORD,
  maxRecordBytes,
  RECORD_LENGTH,
  RECORD_MARK,
  UNIT_BYTES,
  UNIT_WORDS_SHIFT,
} from './layout.js';

/** Where records are in memory. */
export interface RecordArea {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  /** First word of the area. */
  readonly base: number;
  readonly capacityBytes: number;
  /** For messages of errors, for example `ring of orders`. */
  readonly name: string;
}

/** The records of one area. */
export class Records {
  /** In units. */
  readonly capacity: number;
  readonly maxBytes: number;
  readonly headerBytes: number;
  readonly #words: Int32Array;
  readonly #dataWord: number;
  readonly #mask: number;
  readonly #name: string;

  /** `headerBytes`: length, mark and the words of the structure's own, a multiple of 8. */
  constructor({ words, base, capacityBytes, name }: RecordArea, headerBytes: number) {
    this.capacity = capacityBytes / UNIT_BYTES;
    this.maxBytes = maxRecordBytes(capacityBytes);
    this.headerBytes = headerBytes;
    this.#words = words;
    this.#dataWord = base + DATA_WORD;
    this.#mask = this.capacity - 1;
    this.#name = name;
  }

  /** Units of a record of `length` bytes. */
  units(length: number): number {
    return (length + this.headerBytes + UNIT_BYTES - 1) >>> 3;
  }

  /** The first word of what lies at `position`. */
  word(position: number): number {
    return this.#dataWord + ((position & this.#mask) << UNIT_WORDS_SHIFT);
  }

  /** Units from `position` to the end of the area. */
  rest(position: number): number {
    return this.capacity - (position & this.#mask);
  }

  /** Units that a record of `units` takes at `position`, with the padding before it. */
  needed(position: number, units: number): number {
    const rest = this.rest(position);
    return rest < units ? rest + units : units;
  }

  /** Writes padding if a record of `units` does not fit at `position`; returns where it begins. */
  begin(position: number, units: number): number {
    const rest = this.rest(position);
    if (rest >= units) return position;
    const padding = this.word(position);
    this.#words[padding + RECORD_LENGTH] = rest * UNIT_BYTES;
    this.#words[padding + RECORD_MARK] = ~position;
    return (position + rest) | 0;
  }

  /**
   * What lies at `position` and says that it has this length and mark, with `left` units published from there on.
   *
   * @returns the units of a record; the negative units of padding; or 0 when it can be neither.
   */
  measure(position: number, length: number, mark: number, left: number): number {
    const rest = this.rest(position);
    if (mark === position) {
      const units = this.units(length);
      return length >= 0 && length <= this.maxBytes && units <= left && units <= rest ? units : 0;
    }
    return mark === ~position && length === rest * UNIT_BYTES && rest <= left ? -rest : 0;
  }

  /** What lies at `position` in shared memory, as {@link measure}. */
  measureAt(position: number, left: number): number {
    const word = this.word(position);
    const words = this.#words;
    return this.measure(
      position,
      words[word + RECORD_LENGTH] as number,
      words[word + RECORD_MARK] as number,
      left,
    );
  }

  /** The error of what is neither record nor padding. */
  neither(position: number, length: number, mark: number, left: number): ShmError {
    return this.corrupt(
      `at ${position} it has neither a record nor padding: length ${length}, mark ${mark}, with ${left * UNIT_BYTES} bytes published and at most ${this.maxBytes} allowed`,
    );
  }

  /** The error of two positions that cannot be so far apart; undefined when they can. */
  checkSpan(tail: number, head: number): ShmError | undefined {
    const used = (tail - head) | 0;
    if (used >= 0 && used <= this.capacity) return undefined;
    return this.corrupt(`tail ${tail} and head ${head} are ${used} apart, in ${this.capacity} units`);
  }

  corrupt(what: string): ShmError {
    return new ShmError('ERR_SHM_CORRUPT', `the ${this.#name} is corrupt: ${what}`);
  }
}
