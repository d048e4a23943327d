/**
 * Something that can be waited for in a segment, as shared memory knows it: who sleeps for it, and who is to be rung for.
 *
 * One word of the segment, the *hint*, says that somebody may sleep for this, and who if it is one; in the slot of each participant the word SLEEPS says for
 * which of the things of its segment it does, one bit each. A publisher that finds the hint clear, as it does unless somebody went to
 * sleep since, does nothing more: that is the whole price of waiting on the busy path.
 *
 *     sleeper                                  publisher
 *     store SLEEPS = its bits                  store what is waited for
 *     hint 0 ──▶ I, else ──▶ SEVERAL           load hint: set?
 *     load: is it there already?               swap hint for 0
 *     sleep                                    each slot that it meant: if its bit is set, swap SLEEPS for 0 and ring
 *
 * All are sequentially consistent, so one of the two sees the other (Dekker): either the sleeper finds what was published at its last
 * look, or the publisher finds the hint. The swap makes it one ring per sleep, however many publish. The hint is cleared before the slots
 * are looked at, so whoever goes to sleep meanwhile sets it again. SLEEPS belongs to one sleeper: one that is killed leaves
 * nothing that is wrong for longer than its slot. Whoever finds another's hint, or loses the swap to it, makes it SEVERAL: so the one hint
 * that is taken means everybody whose arming came before.
 *
 * A thread that blocks instead sleeps at the futex of its own SLEEPS, for as long as that word holds its bits: so it does not fall asleep
 * after the swap, and is woken by the publisher after it.
 */
import { compareExchange, exchange, load, store } from '../platform/atomics.js';
import { SLOT_BELL, SLOT_KEY, SLOT_SLEEPS, slotWord } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';

/** What a participant may sleep for. What a bit above the first two means is up to the kind of the segment. */
export const WaitBit = { Lock: 1, Notified: 2, Readable: 4, Writable: 8 } as const;
/** Beside them: its thread is blocked at the futex of its SLEEPS, and hears no bell. */
export const BLOCKED_BIT: number = 1 << 30;

/** What a hint says of who sleeps: nobody, several, or the one in the slot that is its value less {@link ONE}. */
const NOBODY = 0;
const SEVERAL = 1;
const ONE = 2;

/** A sleeper that was found: where to ring. */
export interface Sleeper {
  readonly slot: number;
  /** The number of its bell, and its key there. */
  readonly bell: number;
  readonly key: number;
  /** Whether its thread is blocked: then its futex is to be woken, and no bell rung. */
  readonly isBlocked: boolean;
}

/** One thing to wait for, as one participant sees it. */
export class WaitPoint {
  /** Which bit of SLEEPS. */
  readonly bit: number;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #hintWord: number;

  constructor(segment: Segment, hintWord: number, bit: number) {
    this.bit = bit;
    this.#segment = segment;
    this.#words = segment.words;
    this.#hintWord = hintWord;
  }

  /** Whether somebody may sleep for it: to be asked after publishing. */
  get mayHaveSleepers(): boolean {
    return load(this.#words, this.#hintWord) !== NOBODY;
  }

  /** Whether what {@link arm} says still stands for a participant that sleeps for `bits`. */
  isArmed(bits: number): boolean {
    if (load(this.#words, this.#sleepsWord) !== bits) return false;
    // The hint of another does not stand for us: whoever took ours may have been killed before it rang.
    const hint = load(this.#words, this.#hintWord);
    return hint === SEVERAL || hint === this.#segment.participant.slot + ONE;
  }

  /** Says that we sleep, for `bits` in all. The last look is to follow. */
  arm(bits: number): void {
    // publish: "I sleep", before the last look. pairs with: takeSleepers, after the publisher's own store
    store(this.#words, this.#sleepsWord, bits);
    // publish: "somebody sleeps", after who it is. pairs with: mayHaveSleepers
    const mine = this.#segment.participant.slot + ONE;
    const seen = compareExchange(this.#words, this.#hintWord, NOBODY, mine);
    if (seen !== NOBODY && seen !== mine) store(this.#words, this.#hintWord, SEVERAL);
  }

  /** Says that we sleep for no more than `bits`. */
  disarm(bits: number): void {
    if ((load(this.#words, this.#sleepsWord) & ~bits) !== 0) store(this.#words, this.#sleepsWord, bits);
  }

  /**
   * Takes those who sleep for it: from now on they count as awake and are the caller's to ring for. With `most`, so many of them, going round
   * from the slot behind our own; the hint stays set for the rest.
   */
  takeSleepers(most: number = Number.POSITIVE_INFINITY): Sleeper[] {
    const words = this.#words;
    const all = this.#segment.participants.count;
    const one = exchange(words, this.#hintWord, NOBODY) - ONE;
    const isOne = one >= 0 && one < all;
    const first = isOne ? one : this.#segment.participant.slot + 1;
    const count = isOne ? 1 : all;
    const found: Sleeper[] = [];
    for (let i = 0; i < count; i++) {
      const slot = (first + i) % all;
      const base = slotWord(slot);
      for (;;) {
        const sleeps = load(words, base + SLOT_SLEEPS);
        if ((sleeps & this.bit) === 0) break;
        if (found.length >= most) {
          store(words, this.#hintWord, SEVERAL);
          return found;
        }
        if (compareExchange(words, base + SLOT_SLEEPS, sleeps, 0) !== sleeps) continue;
        const isBlocked = (sleeps & BLOCKED_BIT) !== 0;
        found.push({
          slot,
          bell: load(words, base + SLOT_BELL),
          key: load(words, base + SLOT_KEY),
          isBlocked,
        });
        break;
      }
    }
    return found;
  }

  get #sleepsWord(): number {
    return slotWord(this.#segment.participant.slot) + SLOT_SLEEPS;
  }
}
