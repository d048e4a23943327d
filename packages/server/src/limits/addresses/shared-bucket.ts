/**
 * A token bucket of an address that comes to several servers of a machine: what is used at the others is charged here as well,
 * a moment later.
 */
import type { AddressShare } from '../../options/address-counts.js';
import { type Rate, TokenBucket } from '../token-bucket.js';

/** The others are looked at so often, at the most. */
const LOOK_MS = 20;

export class SharedBucket extends TokenBucket {
  readonly #share: AddressShare;
  #seen: number;
  #lookedAt: number;

  constructor(rate: Rate, now: number, share: AddressShare) {
    super(rate, now);
    this.#share = share;
    this.#lookedAt = now;
    this.#seen = share.others();
    // When that was, nobody knows: more than the burst is not owed for it.
    super.charge(now, Math.min(this.#seen, rate.burst));
  }

  override charge(now: number, units: number): void {
    this.#share.add(units);
    super.charge(now, units);
  }

  override debtMs(now: number): number {
    this.#look(now);
    return super.debtMs(now);
  }

  override isFull(now: number): boolean {
    this.#look(now);
    return super.isFull(now);
  }

  /** Nothing is charged any more. */
  override close(): void {
    this.#share.close();
  }

  #look(now: number): void {
    if (now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    const others = this.#share.others();
    // Less than before: one of them has ended, or has forgotten the address.
    if (others > this.#seen) super.charge(now, others - this.#seen);
    this.#seen = others;
  }
}

/** A bucket that is shared where it can be. */
export function bucketOf(rate: Rate, now: number, share: AddressShare | undefined): TokenBucket {
  return share ? new SharedBucket(rate, now, share) : new TokenBucket(rate, now);
}
