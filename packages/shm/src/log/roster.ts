/**
 * The readers of a log as its writers see them: who must not be overtaken.
 *
 * It stands in the participant slots, so it ends with the participant, however it ends. A reliable reader enters itself while it
 * holds the lock of the log; a writer looks, and strikes out those proven dead, while it holds it: so nobody is overtaken while he
 * enters, and nobody alive is struck out.
 */
import { load, store } from '../platform/atomics.js';
import { slotWord } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';
import { READS_RELIABLY, SLOT_POSITION, SLOT_READS } from './layout.js';

/** All participants of one log. */
export class LogRoster {
  readonly #segment: Segment;
  readonly #words: Int32Array;

  constructor(segment: Segment) {
    this.#segment = segment;
    this.#words = segment.words;
  }

  /**
   * How many units after `oldest` the reliable reader is that is furthest behind; `most` if there is none. The caller holds the lock.
   * With `strikeDead`, those proven dead are struck out first.
   */
  reach(oldest: number, most: number, strikeDead: boolean): number {
    const words = this.#words;
    let reach = most;
    for (let slot = 0; slot < this.#segment.participants.count; slot++) {
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
