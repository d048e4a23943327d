/**
 * The bytes that all histories hold, and whose they are.
 *
 * A log reports each change of its size here as it happens, so the total is what is held and cannot drift. Logs belong
 * to holders: rooms to the address that made them. When a bound is exceeded, the holder of most gives up the oldest of
 * its largest log; a room that merely grows does not pay for one that has filled the memory and sits still.
 */

/** A log that can give something up. */
export interface Shedding {
  readonly bytes: number;
  /** Drops its oldest part and answers the bytes that were freed; 0 when nothing may go. */
  shed(keepsNewest: boolean): number;
}

/** The logs of one holder. */
export class LogShare {
  readonly #budget: LogBudget;
  readonly holder: string;
  /** Those that hold something. */
  readonly logs: Set<Shedding> = new Set();
  /** Rooms and inboxes that report here. */
  users = 0;
  bytes = 0;

  constructor(budget: LogBudget, holder: string) {
    this.#budget = budget;
    this.holder = holder;
  }

  /** Told by a log whose size has changed. */
  add(log: Shedding, deltaBytes: number): void {
    this.bytes += deltaBytes;
    this.#budget.bytes += deltaBytes;
    if (log.bytes === 0) this.logs.delete(log);
    else if (log.bytes === deltaBytes) this.logs.add(log);
  }
}

/** With this part of the bound more is given up than must be, so that the largest is not looked for at each entry. */
const SLACK_PART = 64;
/** What the largest holder gives up before it is asked again who is largest. */
const SHED_PART = 8;

export class LogBudget {
  /** Bytes that all logs hold. */
  bytes = 0;
  readonly #shares = new Map<string, LogShare>();

  /** The share of a holder, for one more log; to be given back with {@link LogBudget.close}. */
  open(holder: string): LogShare {
    let share = this.#shares.get(holder);
    if (!share) {
      share = new LogShare(this, holder);
      this.#shares.set(holder, share);
    }
    share.users++;
    return share;
  }

  /** A log of the holder is gone, and has let go of its bytes. */
  close(share: LogShare): void {
    if (--share.users === 0) this.#shares.delete(share.holder);
  }

  /**
   * Has the largest give up until the total is within `maxBytes`, as far as there is something to give up.
   *
   * @param growing keeps its newest part, which somebody is about to read
   */
  keepWithin(maxBytes: number, growing: Shedding): void {
    if (this.bytes > maxBytes) this.shrinkTo(maxBytes - maxBytes / SLACK_PART, growing);
  }

  /** Has the largest give up until `targetBytes` are left; answers the bytes that were freed. */
  shrinkTo(targetBytes: number, growing?: Shedding): number {
    const before = this.bytes;
    const exhausted = new Set<Shedding>();
    while (this.bytes > targetBytes) {
      const share = largest(this.#shares.values(), ({ logs, bytes }) =>
        isSpent(logs, exhausted) ? 0 : bytes,
      );
      if (!share) break;
      const quota = Math.max(targetBytes, this.bytes - share.bytes / SHED_PART);
      while (this.bytes > quota) {
        const log = largest(share.logs, (candidate) => (exhausted.has(candidate) ? 0 : candidate.bytes));
        if (!log) break;
        if (log.shed(log === growing) === 0) exhausted.add(log);
      }
    }
    return before - this.bytes;
  }
}

function isSpent(logs: ReadonlySet<Shedding>, exhausted: ReadonlySet<Shedding>): boolean {
  if (exhausted.size === 0) return false;
  for (const log of logs) if (!exhausted.has(log)) return false;
  return true;
}

/** The item of which there is most; `undefined` when there is nothing of any. */
function largest<T>(items: Iterable<T>, sizeOf: (item: T) => number): T | undefined {
  let found: T | undefined;
  let most = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (size <= most) continue;
    most = size;
    found = item;
  }
  return found;
}
