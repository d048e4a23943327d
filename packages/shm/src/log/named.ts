/**
 * Named cursors: places in a log that outlive their readers.
 *
 * A row behind the data keeps a name, a position and the number of the entry there. One reader at a time has it; when that one closes or
 * dies, the next one to ask for the name goes on where it was done. All rows change under the lock of the log.
 *
 *     killed before NAME_BYTES is stored    the row is free
 *     killed after it                       the cursor is there, and writers wait for it as it was asked
 */
import { ShmError } from '../errors.js';
import { load, store } from '../platform/atomics.js';
import { WORD_BYTES } from '../segment/layout.js';
import { claimRole, type ParticipantInfo, type ParticipantTable } from '../segment/participants.js';
import type { Segment } from '../segment/segment.js';
import {
  countAt,
  MAX_CURSOR_NAME_BYTES,
  NAMED_CURSORS,
  namedRow,
  READS_EVICTED,
  READS_RELIABLY,
  ROW_CELLS,
  ROW_HOLDER,
  ROW_NAME,
  ROW_NAME_BYTES,
  ROW_POSITION,
  ROW_READS,
} from './layout.js';

/** A named cursor as others see it. */
export interface NamedCursorInfo {
  readonly name: string;
  /** The number of the first entry that it is not done with; 0 when that is the oldest one, whichever it is. */
  readonly next: number;
  /** Whether writers wait for it. */
  readonly reliable: boolean;
  /** Who reads with it; undefined when nobody does, may be dead. */
  readonly holder: ParticipantInfo | undefined;
}

/** The named cursors of one log. */
export class NamedCursors {
  readonly #segment: Segment;
  readonly #words: Int32Array;

  constructor(segment: Segment) {
    this.#segment = segment;
    this.#words = segment.words;
  }

  /**
   * Takes the cursor of this name, or a free row for it. The caller holds the lock of the log, and shows a new one by {@link publish}.
   *
   * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while a reader that is not proven dead has it; `ERR_SHM_CURSORS_FULL`
   */
  claim(name: string): { readonly row: number; readonly isNew: boolean } {
    const { participant, participants } = this.#segment;
    const found = this.#find(name);
    const row = found ?? this.#rows().find((one) => this.#isFree(one));
    if (row === undefined) {
      const names = this.list().map((one) => one.name);
      throw new ShmError(
        'ERR_SHM_CURSORS_FULL',
        `all ${NAMED_CURSORS} named cursors are taken: ${names.join(', ')}`,
      );
    }
    claimRole(this.#words, row + ROW_HOLDER, participant, participants, `reader with the cursor ${name}`);
    if (found === undefined) store(this.#words, row + ROW_NAME_BYTES, 0);
    return { row, isNew: found === undefined };
  }

  /** Gives a new row its name: from now on it is there. */
  publish(row: number, name: string): void {
    const bytes = cursorName(name);
    this.#nameBytes(row).set(bytes);
    // publish: the whole row is visible to whoever sees its name. pairs with: LogRoster, #find
    store(this.#words, row + ROW_NAME_BYTES, bytes.length);
  }

  /** Forgets a cursor. The caller holds the lock. False when there is none. @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` */
  remove(name: string): boolean {
    const row = this.#find(name);
    if (row === undefined) return false;
    const { participant, participants } = this.#segment;
    claimRole(this.#words, row + ROW_HOLDER, participant, participants, `reader with the cursor ${name}`);
    store(this.#words, row + ROW_NAME_BYTES, 0);
    store(this.#words, row + ROW_HOLDER, 0);
    return true;
  }

  /** All that there are. */
  list(): NamedCursorInfo[] {
    return this.#rows().flatMap(
      (row) => describeRow(this.#words, this.#segment.bytes, row, this.#segment.participants) ?? [],
    );
  }

  #rows(): number[] {
    const { payloadOffset, params } = this.#segment;
    const base = payloadOffset / WORD_BYTES;
    return Array.from({ length: NAMED_CURSORS }, (_, index) => base + namedRow(index, params[0] ?? 0));
  }

  /** One that was evicted is free once its reader has seen it. */
  #isFree(row: number): boolean {
    return (
      !isThere(this.#words, row) && this.#segment.participants.isDead(load(this.#words, row + ROW_HOLDER))
    );
  }

  #find(name: string): number | undefined {
    const bytes = Buffer.from(cursorName(name));
    return this.#rows().find(
      (row) =>
        isThere(this.#words, row) &&
        bytes.equals(this.#nameBytes(row).subarray(0, load(this.#words, row + ROW_NAME_BYTES))),
    );
  }

  #nameBytes(row: number): Uint8Array {
    return this.#segment.bytes.subarray(
      (row + ROW_NAME) * WORD_BYTES,
      (row + ROW_NAME) * WORD_BYTES + MAX_CURSOR_NAME_BYTES,
    );
  }
}

/** Describes the named cursor in the row at `row` of words and their bytes; undefined when there is none. */
export function describeRow(
  words: Int32Array,
  bytes: Uint8Array,
  row: number,
  participants: ParticipantTable,
): NamedCursorInfo | undefined {
  if (!isThere(words, row)) return undefined;
  const name = (row + ROW_NAME) * WORD_BYTES;
  return {
    name: new TextDecoder().decode(bytes.slice(name, name + load(words, row + ROW_NAME_BYTES))),
    next: countAt(words, row + ROW_CELLS, load(words, row + ROW_POSITION))?.count ?? 0,
    reliable: load(words, row + ROW_READS) === READS_RELIABLY,
    holder: participants.describe(load(words, row + ROW_HOLDER)),
  };
}

function isThere(words: Int32Array, row: number): boolean {
  const length = load(words, row + ROW_NAME_BYTES);
  return length > 0 && length <= MAX_CURSOR_NAME_BYTES && load(words, row + ROW_READS) !== READS_EVICTED;
}

function cursorName(name: string): Uint8Array {
  const bytes = typeof name === 'string' ? new TextEncoder().encode(name) : new Uint8Array();
  if (bytes.length >= 1 && bytes.length <= MAX_CURSOR_NAME_BYTES) return bytes;
  throw new RangeError(
    `the name of a cursor is a string of 1 to ${MAX_CURSOR_NAME_BYTES} bytes, not ${JSON.stringify(name)}`,
  );
}
