/** A table of counts in the heap, of several servers in one process. */
import type { AddressCount, AddressCounts, AddressShare } from '../../src/options/address-counts.js';

export class SharedCounts {
  readonly #parts: Map<string, number>[] = [];

  /** The part of one more server. */
  part(): AddressCounts & { readonly size: number; clear(): void } {
    const own = new Map<string, number>();
    this.#parts.push(own);
    const others = (what: AddressCount, key: string): number => {
      const all = this.#parts.filter((part) => part !== own);
      return all.reduce((sum, part) => sum + (part.get(`${what} ${key}`) ?? 0), 0);
    };
    return {
      get size() {
        return own.size;
      },
      clear: () => own.clear(),
      others,
      open(what, key): AddressShare {
        const name = `${what} ${key}`;
        return {
          add: (amount) => void own.set(name, (own.get(name) ?? 0) + amount),
          others: () => others(what, key),
          close: () => void own.delete(name),
        };
      },
    };
  }
}
