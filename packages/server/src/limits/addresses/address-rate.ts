/**
 * How fast one address may connect. A connection costs more than its place: a handshake, a name, and a coming and
 * going that all members of a room are told. See `addressBlocks` for what counts as one address.
 */

import type { AddressShare } from '../../options/address-counts.js';
import type { Rate, TokenBucket } from '../token-bucket.js';
import { addressBlocks } from './address-blocks.js';
import { bucketOf } from './shared-bucket.js';

export class AddressRate {
  readonly #rate: Rate;
  readonly #shareOf: (key: string) => AddressShare | undefined;
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param shareOf finds out what other servers of the machine know of an address */
  constructor(rate: Rate, shareOf: (key: string) => AddressShare | undefined = () => undefined) {
    this.#shareOf = shareOf;
    this.#rate = rate;
  }

  /** Charges a connection; false, and not charged, when the address has had as many as it may for now. */
  tryCharge(address: string, now: number): boolean {
    if (this.#rate.perSecond === Number.POSITIVE_INFINITY) return true;
    const buckets = addressBlocks(address).map(({ key, factor }) => this.#bucket(key, factor, now));
    if (buckets.some((bucket) => bucket.debtMs(now) > 0)) return false;
    for (const bucket of buckets) bucket.charge(now, 1);
    return true;
  }

  /** Forgets addresses that have not connected for long. To be called now and then. */
  expire(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (!bucket.isFull(now)) continue;
      bucket.close();
      this.#buckets.delete(key);
    }
  }

  /** Addresses, and blocks of them, that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  #bucket(key: string, factor: number, now: number): TokenBucket {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = bucketOf(timesRate(this.#rate, factor), now, this.#shareOf(key));
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }
}

/** So many times `rate`, looked at each time. */
export function timesRate(rate: Rate, factor: number): Rate {
  if (factor === 1) return rate;
  return {
    get perSecond() {
      return rate.perSecond * factor;
    },
    get burst() {
      return rate.burst * factor;
    },
  };
}
