/**
 * How many of something one address may hold: connections, sessions, rooms. See `addressBlocks` for what counts as
 * one address.
 */

import type { AddressCount, AddressCounts, AddressShare } from '../../options/address-counts.js';
import { type AddressBlock, addressBlocks, addressKey } from './address-blocks.js';
import type { AddressRanges } from './address-ranges.js';

export { addressKey };

/** Where other servers of the machine count the same. */
export interface SharedLimit {
  readonly counts: AddressCounts;
  readonly what: AddressCount;
}

export class AddressLimit {
  readonly #maxPerAddress: () => number;
  readonly #exempt: readonly AddressRanges[];
  readonly #maxExempt: () => number;
  readonly #counts = new Map<string, number>();
  readonly #shared: SharedLimit | undefined;
  readonly #shares = new Map<string, AddressShare>();

  /**
   * @param maxPerAddress asked each time, since it may change
   * @param exempt what is not limited by that
   * @param maxExempt the bound for these and for Unix sockets, all together
   * @param shared counts what other servers of the machine have as well
   */
  constructor(
    maxPerAddress: () => number,
    exempt: readonly AddressRanges[],
    maxExempt: () => number = () => Number.POSITIVE_INFINITY,
    shared?: SharedLimit,
  ) {
    this.#shared = shared;
    this.#maxExempt = maxExempt;
    this.#maxPerAddress = maxPerAddress;
    this.#exempt = exempt;
  }

  /** Counts one more; false, and not counted, when the address holds as many as it may. */
  tryEnter(address: string): boolean {
    // First said, then looked at: of two servers that do it at once, one sees the other at least.
    this.enter(address);
    if (this.#isWithin(address, 0)) return true;
    this.leave(address);
    return false;
  }

  /** Whether the address may hold one more. */
  hasRoom(address: string): boolean {
    return this.#isWithin(address, 1);
  }

  /** Whether so many more are within the limit. */
  #isWithin(address: string, more: number): boolean {
    return this.#blocks(address).every(({ key, factor }) => {
      const max = key === EXEMPT ? this.#maxExempt() : this.#maxPerAddress() * factor;
      return (
        max === Number.POSITIVE_INFINITY || (this.#counts.get(key) ?? 0) + this.#othersOf(key) + more <= max
      );
    });
  }

  /** Counts one more, whatever the address may hold. */
  enter(address: string): void {
    for (const { key } of this.#blocks(address)) this.#set(key, (this.#counts.get(key) ?? 0) + 1, 1);
  }

  /** Takes back one {@link AddressLimit.tryEnter} that answered true. */
  leave(address: string): void {
    const blocks = this.#blocks(address);
    if (!this.#counts.has(blocks[0]!.key)) return;
    for (const { key } of blocks) {
      this.#set(key, (this.#counts.get(key) ?? 0) - 1, -1);
    }
  }

  #set(key: string, count: number, change: number): void {
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    if (!this.#shared) return;
    const known = this.#shares.get(key);
    if (count <= 0) {
      known?.close();
      this.#shares.delete(key);
      return;
    }
    const share = known ?? this.#shared.counts.open(this.#shared.what, key);
    if (!share) return;
    // There may have been no place for it so far.
    share.add(known ? change : count);
    this.#shares.set(key, share);
  }

  /** What other servers of the machine have. */
  #othersOf(key: string): number {
    if (!this.#shared) return 0;
    const share = this.#shares.get(key);
    return share ? share.others() : this.#shared.counts.others(this.#shared.what, key);
  }

  /** All that are counted. */
  get total(): number {
    let sum = 0;
    for (const [key, count] of this.#counts) if (!key.includes('/')) sum += count;
    return sum;
  }

  #blocks(address: string): readonly AddressBlock[] {
    const blocks = this.isExempt(address) ? [] : addressBlocks(address);
    return blocks.length > 0 ? blocks : EXEMPT_BLOCKS;
  }

  /** Whether many may stand behind the address, so that it says nothing about any of them. */
  isExempt(address: string): boolean {
    return this.#exempt.some((ranges) => ranges.has(address));
  }
}

/** Stands for all that is exempt, and for Unix sockets, which have no address. */
const EXEMPT = 'exempt';
const EXEMPT_BLOCKS: readonly AddressBlock[] = [{ key: EXEMPT, factor: 1 }];
