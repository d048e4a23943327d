/**
 * Draws the attention of a user who may look elsewhere to what speaks of them: by the bell of the terminal, or by a
 * notification of the desktop (OSC 9), which a terminal that knows none ignores.
 */
import type { Message } from '@chat/client';
import { mentionsIn } from '@chat/client/timeline';
import { printable } from '@chat/protocol/lines';

/** The ways to do it; `off` is none. */
export const NOTIFY_WAYS = ['bell', 'desktop', 'off'] as const;
export type NotifyWay = (typeof NOTIFY_WAYS)[number];

/** Something that was said, in a room or to this user alone. */
type Said = Pick<Message, 'sender' | 'value' | 'own' | 'history'>;

/** A flood rings no more often. */
const MIN_INTERVAL_MS = 2000;
const MAX_CHARACTERS = 160;
const BELL = '\u0007';
const NOTIFY = '\u001B]9;';

export class Bell {
  readonly #way: NotifyWay;
  readonly #now: () => number;
  readonly #write: (text: string) => void;
  #rungAt = -Infinity;

  /** @param now milliseconds of a clock that does not go back */
  constructor(way: NotifyWay, now: () => number, write: (text: string) => void) {
    this.#way = way;
    this.#now = now;
    this.#write = write;
  }

  /**
   * Rings where somebody else speaks of the user now, or to the user alone.
   *
   * @param me - own name
   */
  hear({ sender, value, own, history }: Said, me: string, isDirect: boolean): void {
    if (this.#way === 'off' || own || history) return;
    if (!isDirect && mentionsIn(value, me).length === 0) return;
    const now = this.#now();
    if (now - this.#rungAt < MIN_INTERVAL_MS) return;
    this.#rungAt = now;
    this.#write(this.#way === 'bell' ? BELL : NOTIFY + words(sender.name, value) + BELL);
  }
}

/** One line without controls. It begins with a word: some terminals take numbers there for other orders. */
function words(name: string, text: string): string {
  const line = printable(`chat: ${name}: ${text.slice(0, MAX_CHARACTERS)}`.replace(/\s+/gu, ' '));
  return [...line].slice(0, MAX_CHARACTERS).join('');
}
