/**
 * Log lines that strangers can cause, as often as they like: refusals, and failures of hooks.
 *
 * The first of a kind is one line at once. The others of that minute are counted, and told as one line with the
 * count at its end. A kind is an option and an address, or a place in the code; many addresses share one line.
 */

import type { Logger } from '../options/logger.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import { addressKey } from './addresses/address-limit.js';

/** Time in which one kind makes one line, and a second one with the count. */
export const REPEAT_MS = 60_000;
/** Kinds that are told apart at a time; the others of an option share one. */
const MAX_KINDS = 256;

type Say = (more: { readonly suppressed?: number }, end: string) => void;

export class RefusalLog {
  readonly #logger: Logger;
  readonly #wheel: TimerWheel;
  /** Lines that were suppressed in this minute, by kind. */
  readonly #kinds = new Map<string, { suppressed: number }>();

  constructor(logger: Logger, wheel: TimerWheel) {
    this.#logger = logger;
    this.#wheel = wheel;
  }

  /**
   * Tells that an option refused somebody.
   *
   * @param option the name of the option that an operator would change
   * @param address where it came from; empty for a Unix socket
   * @param message what was refused, and what an operator may do
   */
  refused(option: string, address: string, message: string, fields: object = {}): void {
    this.#tell(option, addressKey(address) ?? 'unix', (more, end) =>
      this.#logger.warn({ option, address, ...fields, ...more }, message + end),
    );
  }

  /** Tells that something of the program failed for a stranger. */
  failed(err: unknown, message: string, fields: object = {}): void {
    this.#tell(message, placeOf(err), (more, end) =>
      this.#logger.error({ err, ...fields, ...more }, message + end),
    );
  }

  #tell(group: string, item: string, say: Say): void {
    let kind = `${group}\n${item}`;
    if (!this.#kinds.has(kind) && this.#kinds.size >= MAX_KINDS) kind = group;
    const known = this.#kinds.get(kind);
    if (known) {
      known.suppressed++;
      return;
    }
    const entry = { suppressed: 0 };
    this.#kinds.set(kind, entry);
    this.#wheel.repeat(REPEAT_MS, () => {
      if (entry.suppressed === 0) {
        this.#kinds.delete(kind);
        return undefined;
      }
      const { suppressed } = entry;
      entry.suppressed = 0;
      say({ suppressed }, `; ${suppressed} more within ${REPEAT_MS / 1000} s`);
      return REPEAT_MS;
    });
    say({}, '');
  }
}

/** The line of code that threw: its messages may repeat what a stranger sent. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return /\n\s+at (.*)/.exec(stack)?.[1] ?? '';
}
