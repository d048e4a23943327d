/**
 * How far the user of a session has read, on its way into the log: what is read within a while is one claim, however much
 * it is. The first goes at once, so that the user's other sessions know it at once.
 */
import { claim } from '../../log/claims.js';
import { ClaimKind } from '../../log/entry.js';
import { MAX_READ_ROOMS } from '../../log/state/users/read-positions.js';
import type { TimerEntry } from '../../time/timer-wheel.js';
import type { SessionContext } from '../context.js';

/** What it needs of the server. */
export type ReadMarksContext = Pick<SessionContext, 'options' | 'log' | 'reads' | 'wheel'>;

export class ReadMarks {
  readonly #context: ReadMarksContext;
  readonly #sender: number;
  readonly #account: string;
  /** What the log does not know yet, by place. */
  readonly #pending = new Map<string, number>();
  #timer: TimerEntry | undefined;

  /** @param sender number of the session */
  constructor(context: ReadMarksContext, sender: number, account: string) {
    this.#context = context;
    this.#sender = sender;
    this.#account = account;
  }

  /** Everything up to `seq` is read there. */
  note(place: string, seq: number): void {
    const { seq: known = 0 } = this.#context.reads.find(this.#account, place) ?? {};
    if (seq <= Math.max(known, this.#pending.get(place) ?? 0)) return;
    this.#pending.set(place, seq);
    if (!this.#timer) this.#tell();
    // No more are kept of it: a claim has a size.
    else if (this.#pending.size >= MAX_READ_ROOMS) this.#append();
  }

  /** Says now what has not been said yet, and waits for nothing more. */
  flush(): void {
    if (this.#timer) this.#context.wheel.cancel(this.#timer);
    this.#timer = undefined;
    this.#append();
  }

  #tell(): void {
    this.#timer = undefined;
    if (!this.#append()) return;
    this.#timer = this.#context.wheel.schedule(this.#context.options.readPositionMs, () => this.#tell());
  }

  #append(): boolean {
    if (this.#pending.size === 0) return false;
    const { log, options } = this.#context;
    const reads = [...this.#pending];
    this.#pending.clear();
    // A log that refuses it has lost nothing that was said: it is read again, further, before long.
    log.append(claim(ClaimKind.ReadUpTo, { sender: this.#sender, at: options.clock.now() }, { reads }));
    return true;
  }
}
