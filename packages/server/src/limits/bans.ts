/**
 * Bans, each for a while: of names, of addresses (IPv6 by /64, as everywhere), and of ranges of addresses.
 */
import { looks } from '../names/names.js';
import type { SteadyClock } from '../time/clock.js';
import { type AddressLimit, addressKey } from './addresses/address-limit.js';
import { AddressRanges, isRange } from './addresses/address-ranges.js';
import type { RefusalLog } from './refusal-log.js';

export class Bans {
  readonly #limit: AddressLimit;
  readonly #refusals: RefusalLog;
  /** Monotonic time at which each ban ends, by each look of the name: who looks like a banned one is banned as well. */
  readonly #names = new Map<string, number>();
  /** The same by key of the address. */
  readonly #addresses = new Map<string, number>();
  /** The same by the range as it was given. */
  readonly #ranges = new Map<string, { readonly until: number; readonly range: AddressRanges }>();

  /** @param limit knows the addresses behind which many stand: these are not banned for what one of them did */
  constructor(limit: AddressLimit, refusals: RefusalLog) {
    this.#limit = limit;
    this.#refusals = refusals;
  }

  /** Bans a name until `until`, a monotonic time. */
  addName(name: string, until: number): void {
    for (const look of looks(name)) this.#names.set(look, until);
  }

  /** Bans an address until `until`; false for what is none, such as that of a Unix socket, and for an exempt one. */
  addAddress(address: string, until: number): boolean {
    const key = this.#limit.isExempt(address) ? undefined : addressKey(address);
    if (key !== undefined) this.#addresses.set(key, until);
    return key !== undefined;
  }

  /** Bans a range such as `192.0.2.0/24` until `until`; false for what is none. Exempt addresses in it are not banned. */
  addRange(range: string, until: number): boolean {
    try {
      this.#ranges.set(range, { until, range: new AddressRanges([range], 'a ban') });
      return true;
    } catch {
      return false;
    }
  }

  /** Whether an address is in a range that is banned. */
  isInRange(address: string, now: number): boolean {
    return this.#rangeEnd(address) > now;
  }

  #rangeEnd(address: string): number {
    if (this.#ranges.size === 0 || this.#limit.isExempt(address)) return 0;
    const ends = [...this.#ranges.values()]
      .filter(({ range }) => range.has(address))
      .map(({ until }) => until);
    return Math.max(0, ...ends);
  }

  /** Takes over what the log says of these bans, by their `banKeys`: until when by the clock, or that they are over. */
  changed(bans: ReadonlyMap<string, number>, keys: Iterable<string>, clock: SteadyClock): void {
    for (const key of keys) {
      const [kind, what] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
      const until = bans.get(key);
      if (kind === 'range') {
        if (until === undefined) this.#ranges.delete(what);
        else this.addRange(what, clock.monotonic() + (until - clock.now()));
        continue;
      }
      const held = kind === 'look' ? this.#names : this.#addresses;
      if (until === undefined) held.delete(what);
      else held.set(what, clock.monotonic() + (until - clock.now()));
    }
  }

  /** Ends the bans of a name or an address; false when there was none. */
  remove(nameOrAddress: string): boolean {
    if (isRange(nameOrAddress)) return this.#ranges.delete(nameOrAddress);
    let named = false;
    for (const look of looks(nameOrAddress)) named = this.#names.delete(look) || named;
    return this.#addresses.delete(addressKey(nameOrAddress) ?? '') || named;
  }

  /** For how long a name, or an address, is still banned; 0 when it is not. */
  remainingMs(name: string | undefined, address: string, now: number): number {
    if (this.#names.size + this.#addresses.size + this.#ranges.size === 0) return 0;
    const isNamed = name !== undefined && this.#names.size > 0;
    const byName = isNamed ? Math.max(...looks(name).map((look) => this.#names.get(look) ?? 0)) : 0;
    const byAddress = this.#addresses.get(addressKey(address) ?? '') ?? 0;
    return Math.max(0, Math.max(byName, byAddress, this.#rangeEnd(address)) - now);
  }

  /** The same for somebody who wants in: the operator is told that a banned one came. */
  refusedMs(name: string | undefined, address: string, now: number): number {
    const bannedMs = this.remainingMs(name, address, now);
    if (bannedMs > 0) this.#refusals.refused('bans', address, 'banned, and came again; unban() ends it');
    return bannedMs;
  }

  /** Forgets bans that are over. To be called now and then. */
  expire(now: number): void {
    for (const bans of [this.#names, this.#addresses]) {
      for (const [key, until] of bans) if (until <= now) bans.delete(key);
    }
    for (const [key, { until }] of this.#ranges) if (until <= now) this.#ranges.delete(key);
  }
}
