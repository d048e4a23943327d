/**
 * Appends what has to come into the log, now or later: that a member has left, or is gone, banned or renamed.
 *
 * A log that is full refuses such a draft like any other. What it says has happened all the same, so the draft waits here,
 * and is appended again until the log takes it. Until then the others see what the log says: the member is still there.
 */
import type { TimerWheel } from '../time/timer-wheel.js';
import type { Draft, Origin } from './entry.js';
import type { EventLog } from './event-log.js';

/** So often a log that refuses is asked again. */
const RETRY_MS = 1000;

export class SteadyAppender {
  readonly #log: EventLog;
  readonly #wheel: TimerWheel;
  /** In the order in which they were to be appended. */
  #waiting: Draft[] = [];
  #isTimed = false;

  constructor(log: EventLog, wheel: TimerWheel) {
    this.#log = log;
    this.#wheel = wheel;
  }

  /** Drafts that the log has not taken yet. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Appends `draft`, whose bytes stay as they are. Its origin is not told of refusals. */
  append(draft: Draft): void {
    // One that waits is not overtaken by one of the same member.
    if (this.#waiting.length > 0) this.#wait(draft);
    else this.#append(draft);
  }

  /** Tries again. To be called when the log takes entries again. */
  retry(): void {
    const drafts = this.#waiting;
    this.#waiting = [];
    for (const draft of drafts) this.#append(draft);
  }

  #append(draft: Draft): void {
    const origin: Origin = {
      appended: (entry, outcome) => draft.origin?.appended(entry, outcome),
      refused: () => this.#wait(draft),
    };
    this.#log.append({ ...draft, origin });
  }

  #wait(draft: Draft): void {
    this.#waiting.push(draft);
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#wheel.repeat(RETRY_MS, () => {
      if ((this.#log.condition?.state ?? 'open') === 'open') this.retry();
      this.#isTimed = this.#waiting.length > 0;
      return this.#isTimed ? RETRY_MS : undefined;
    });
  }
}
