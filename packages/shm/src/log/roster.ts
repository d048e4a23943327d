/**
 * The readers of a log as its writers see them: who sleeps, and who must not be overtaken.
 *
 * Both stand in the participant slots, so they end with the participant, however it ends. A reliable reader enters itself while it
 * holds the lock of the log; a writer looks, and strikes out those proven dead, while it holds it: so nobody is overtaken while he
 * enters, and nobody alive is struck out.
 */
import { compareExchange, load, store } from '../platform/atomics.js';
import { PARTICIPANT_COUNT_WORD, slotWord } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';
import { READS_RELIABLY, SLOT_POSITION, SLOT_READS, SLOT_SLEEPS } from './layout.js';

/** All participants of one log. */
export class LogRoster {
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #count: number;

  constructor(segment: Segment) {
    this.#segment = segment;
    this.#words = segment.words;
    this.#count = load(this.#words, PARTICIPANT_COUNT_WORD);
  }

  /** The tokens of those who sleep, who from now on count as awake: they are the caller's to ring for. */
  takeSleepers(): number[] {
    const sleepers: number[] = [];
    for (let slot = 0; slot < this.#count; slot++) {
      const base = slotWord(slot);
      if (load(this.#words, base + SLOT_SLEEPS) !== 1) continue;
      const token = this.#segment.participants.tokenAt(slot);
      if (token !== 0 && compareExchange(this.#words, base + SLOT_SLEEPS, 1, 0) === 1) sleepers.push(token);
    }
    return sleepers;
  }

  /**
   * How many units after `oldest` the reliable reader is that is furthest behind; `most` if there is none. The caller holds the lock.
   * With `strikeDead`, those proven dead are struck out first.
   */
  reach(oldest: number, most: number, strikeDead: boolean): number {
    const words = this.#words;
    let reach = most;
    for (let slot = 0; slot < this.#count; slot++) {
      const base = slotWord(slot);
      if (load(words, base + SLOT_READS) !== READS_RELIABLY) continue;
      const token = this.#segment.participants.tokenAt(slot);
      if (token === 0) continue;
      if (strikeDead && this.#segment.participants.isDead(token)) {
        store(words, base + SLOT_READS, 0);
        continue;
      }
      reach = Math.min(reach, (load(words, base + SLOT_POSITION) - oldest) | 0);
    }
    return reach;
  }
}
