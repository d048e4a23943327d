/**
 * How fast one address may connect. A connection costs more than its place: a handshake, a name, and a coming and
 * going that all members of a room are told. IPv6 counts by /64.
 */
import { addressKey } from './address-limit.js';
import { type Rate, TokenBucket } from './token-bucket.js';

export class AddressRate {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Charges a connection; false, and not charged, when the address has had as many as it may for now. */
  tryCharge(address: string, now: number): boolean {
    const key = addressKey(address);
    if (key === undefined || this.#rate.perSecond === Number.POSITIVE_INFINITY) return true;
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = new TokenBucket(this.#rate, now);
      this.#buckets.set(key, bucket);
    }
    return bucket.debtMs(now) === 0 && bucket.tryCharge(now);
  }

  /** Forgets addresses that have not connected for long. To be called now and then. */
  expire(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key);
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }
}
