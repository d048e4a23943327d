/**
 * What each worker knows of addresses, where the others see it: a table in shared memory. Each worker has a column of its own and
 * writes nowhere else, so nobody waits for anybody; the supervisor clears the column of one that has ended, and what it
 * had is given back.
 *
 *     column 0                    column 1
 *     | slot | slot | slot … |    | slot | slot | slot … |
 *
 *     slot, eight numbers of 64 bits
 *     | hash | connections | away | rooms | connecting | messages | bytes | reserved |
 *
 * A key is in one of the few slots behind its hash. Where these are taken, a worker counts for itself. A reader that looks
 * while a slot changes hands may see the count of another address, for that moment.
 */
import { createHash } from 'node:crypto';
import type { AddressCount, AddressCounts, AddressShare } from '@chat/server';

/** Addresses, and blocks of them, that a worker can share. A power of two. */
const SLOTS_PER_WORKER = 32_768;
const SLOT_NUMBERS = 8;
const NUMBER_BYTES = 8;
const COLUMN_NUMBERS = SLOTS_PER_WORKER * SLOT_NUMBERS;
/** Slots in which a key may be. */
const PROBES = 8;
/** A hash is never that. */
const FREE = 0;
const HASH_BYTES = 6;

const PLACES: Readonly<Record<AddressCount, number>> = {
  connections: 1,
  away: 2,
  rooms: 3,
  connecting: 4,
  messages: 5,
  bytes: 6,
};

/** Bytes of a table with so many columns. */
export function tableBytes(columns: number): number {
  return columns * COLUMN_NUMBERS * NUMBER_BYTES;
}

/** The numbers of a table. @param payload the bytes that all see */
function numbersOf({ buffer, byteOffset, byteLength }: Uint8Array): Float64Array {
  return new Float64Array(buffer, byteOffset, byteLength / NUMBER_BYTES);
}

/** Gives a column back: what was in it counts no more. */
export function clearColumn(payload: Uint8Array, column: number): void {
  numbersOf(payload).fill(0, column * COLUMN_NUMBERS, (column + 1) * COLUMN_NUMBERS);
}

/** The table, as one worker uses it. */
export class AddressTable implements AddressCounts {
  readonly #numbers: Float64Array;
  readonly #first: number;
  /** The slot of each key that this worker counts, and what it counts there. */
  readonly #own = new Map<string, { readonly slot: number; readonly counted: Set<AddressCount> }>();

  /** @param payload the bytes that all see @param column that of this worker, empty */
  constructor(payload: Uint8Array, column: number) {
    this.#numbers = numbersOf(payload);
    this.#first = column * COLUMN_NUMBERS;
  }

  open(what: AddressCount, key: string): AddressShare | undefined {
    const hash = hashOf(key);
    const found = this.#own.get(key) ?? this.#take(hash);
    if (!found) return undefined;
    this.#own.set(key, found);
    found.counted.add(what);
    const at = found.slot + PLACES[what];
    const numbers = this.#numbers;
    return {
      add: (amount) => {
        numbers[at] = numbers[at]! + amount;
      },
      others: () => this.#sum(PLACES[what], hash),
      close: () => {
        numbers[at] = 0;
        found.counted.delete(what);
        if (found.counted.size > 0) return;
        numbers[found.slot] = FREE;
        this.#own.delete(key);
      },
    };
  }

  others(what: AddressCount, key: string): number {
    return this.#sum(PLACES[what], hashOf(key));
  }

  /** A free slot for a key that this worker does not count yet. */
  #take(hash: number): { readonly slot: number; readonly counted: Set<AddressCount> } | undefined {
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = this.#first + slotOf(hash, probe);
      if (this.#numbers[slot] !== FREE) continue;
      this.#numbers.fill(0, slot, slot + SLOT_NUMBERS);
      this.#numbers[slot] = hash;
      return { slot, counted: new Set() };
    }
    return undefined;
  }

  #sum(place: number, hash: number): number {
    let sum = 0;
    for (let column = 0; column < this.#numbers.length; column += COLUMN_NUMBERS) {
      if (column === this.#first) continue;
      for (let probe = 0; probe < PROBES; probe++) {
        const slot = column + slotOf(hash, probe);
        if (this.#numbers[slot] !== hash) continue;
        sum += this.#numbers[slot + place]!;
        break;
      }
    }
    return sum;
  }
}

/** Where a key may be, in its column. */
function slotOf(hash: number, probe: number): number {
  return ((hash + probe) % SLOTS_PER_WORKER) * SLOT_NUMBERS;
}

function hashOf(key: string): number {
  return createHash('sha256').update(key).digest().readUIntBE(0, HASH_BYTES) || 1;
}
