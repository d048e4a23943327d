/**
 * A token bucket with an overdraft.
 *
 * Within the burst a sender is not held up. In the overdraft, as deep as the burst is wide, what it sends is
 * still taken but nothing more is read from it until the debt is paid: that is back-pressure, and a sender
 * which keeps to its window of unacknowledged messages never gets further. Beyond the overdraft it is refused.
 */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #updatedAt: number;

  /**
   * @param perSecond units that come back each second; `Infinity` lifts the limit
   * @param burst units that may be used at once
   */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#updatedAt = now;
  }

  /** Charges one unit; false, and not charged, beyond the overdraft. */
  tryCharge(now: number): boolean {
    if (this.#perMs === Number.POSITIVE_INFINITY) return true;
    this.#refill(now);
    if (this.#tokens <= -this.#burst) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until the overdraft is paid back; 0 when there is none. */
  debtMs(now: number): number {
    if (this.#tokens >= 0) return 0;
    this.#refill(now);
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs);
  }

  /** Whether nothing of the burst is used. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#burst;
  }

  #refill(now: number): void {
    const elapsed = Math.max(0, now - this.#updatedAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsed * this.#perMs);
    this.#updatedAt = now;
  }
}
