/**
 * How many connections one address may hold. IPv6 counts by /64, since a household or a machine has a whole
 * /64 to choose addresses from; IPv4 in IPv6 form counts as IPv4.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { type AddressRanges, plainAddress } from './address-ranges.js';

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

  /** Counts a connection; false, and not counted, when the address holds as many as it may. */
  tryEnter(address: string): boolean {
    const key = this.#key(address);
    const count = this.#counts.get(key) ?? 0;
    if (count >= (key === EXEMPT ? this.#maxExempt() : this.#maxPerAddress())) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  /** Takes back one {@link AddressLimit.tryEnter} that answered true. */
  leave(address: string): void {
    const key = this.#key(address);
    const count = this.#counts.get(key);
    if (count === undefined) return;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }

  #key(address: string): string {
    return (this.isExempt(address) ? undefined : addressKey(address)) ?? EXEMPT;
  }

  /** Whether many may stand behind the address, so that it says nothing about any of them. */
  isExempt(address: string): boolean {
    return this.#exempt.some((ranges) => ranges.has(address));
  }
}

/** Stands for all that is exempt, and for Unix sockets, which have no address. */
const EXEMPT = 'exempt';

/** What counts as one address: IPv4 by itself, IPv6 by /64. `undefined` for what is none, as of a Unix socket. */
export function addressKey(address: string): string | undefined {
  const plain = plainAddress(address);
  if (isIPv4(plain)) return plain;
  return isIPv6(plain) ? prefix64(plain) : undefined;
}

/** The first four groups of an IPv6 address, written out. */
function prefix64(address: string): string {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    while (groups.length + behind.length < 8) groups.push('0');
    groups.push(...behind);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
