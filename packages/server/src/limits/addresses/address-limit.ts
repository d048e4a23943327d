/**
 * How many of something one address may hold: connections, sessions, rooms. See `addressBlocks` for what counts as
 * one address.
 */
import { type AddressBlock, addressBlocks, addressKey } from './address-blocks.js';
import type { AddressRanges } from './address-ranges.js';

export { addressKey };

export class AddressLimit {
  readonly #maxPerAddress: () => number;
  readonly #exempt: readonly AddressRanges[];
  readonly #maxExempt: () => number;
  readonly #counts = new Map<string, number>();

  /**
   * @param maxPerAddress asked each time, since it may change
   * @param exempt what is not limited by that
   * @param maxExempt the bound for these and for Unix sockets, all together
   */
  constructor(
    maxPerAddress: () => number,
    exempt: readonly AddressRanges[],
    maxExempt: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.#maxExempt = maxExempt;
    this.#maxPerAddress = maxPerAddress;
    this.#exempt = exempt;
  }

  /** Counts one more; false, and not counted, when the address holds as many as it may. */
  tryEnter(address: string): boolean {
    if (!this.hasRoom(address)) return false;
    this.enter(address);
    return true;
  }

  /** Whether the address may hold one more. */
  hasRoom(address: string): boolean {
    return this.#blocks(address).every(({ key, factor }) => {
      const max = key === EXEMPT ? this.#maxExempt() : this.#maxPerAddress() * factor;
      return (this.#counts.get(key) ?? 0) < max;
    });
  }

  /** Counts one more, whatever the address may hold. */
  enter(address: string): void {
    for (const { key } of this.#blocks(address)) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Takes back one {@link AddressLimit.tryEnter} that answered true. */
  leave(address: string): void {
    const blocks = this.#blocks(address);
    if (!this.#counts.has(blocks[0]!.key)) return;
    for (const { key } of blocks) {
      const count = this.#counts.get(key) ?? 0;
      if (count > 1) this.#counts.set(key, count - 1);
      else this.#counts.delete(key);
    }
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
