/**
 * A token bucket with an overdraft.
 *
 * Within the burst a sender is not held up. In the overdraft, as deep as the burst is wide, what it sends is
 * still taken but nothing more is read from it until the debt is paid: that is back-pressure, and a sender
 * which keeps to its window of unacknowledged messages never gets further. Beyond the overdraft it is refused.
 */

/** How much may be used. */
export interface Rate {
  /** Units that come back each second; `Infinity` lifts the limit. */
  readonly perSecond: number;
  /** Units that may be used at once. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #updatedAt: number;

  /** @param rate shared by many buckets; looked at each time, so that it can be changed for all of them */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#updatedAt = now;
  }

  /** Charges so many units; false, and not charged, beyond the overdraft. */
  tryCharge(now: number, units = 1): boolean {
    if (this.#rate.perSecond === Number.POSITIVE_INFINITY) return true;
    this.#refill(now);
    if (this.#tokens <= -this.#rate.burst) return false;
    this.#tokens -= units;
    return true;
  }

  /** Charges what has been done already, however deep the debt becomes. */
  charge(now: number, units: number): void {
    if (this.#rate.perSecond === Number.POSITIVE_INFINITY) return;
    this.#refill(now);
    this.#tokens -= units;
  }

  /** Milliseconds until the overdraft is paid back; 0 when there is none. */
  debtMs(now: number): number {
    if (this.#tokens >= 0) return 0;
    this.#refill(now);
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / this.#rate.perSecond);
  }

  /** No more is charged. */
  close(): void {}

  /** Whether at most this part of the burst is used. */
  isLight(now: number, part: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#rate.burst * (1 - part);
  }

  /** Whether nothing of the burst is used. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#rate.burst;
  }

  #refill(now: number): void {
    const { perSecond, burst } = this.#rate;
    const elapsed = Math.max(0, now - this.#updatedAt);
    // 0 × Infinity is NaN.
    const back = perSecond === Number.POSITIVE_INFINITY ? perSecond : (elapsed * perSecond) / 1000;
    this.#tokens = Math.min(burst, this.#tokens + back);
    this.#updatedAt = now;
  }
}

/** A rate that is asked for each time, since limits may change. */
export function rateOf(perSecond: () => number, burst: () => number): Rate {
  return {
    get perSecond() {
      return perSecond();
    },
    get burst() {
      return burst();
    },
  };
}
