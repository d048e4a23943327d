/**
 * The readers of a log as its writers see them: who must not be overtaken, and for how long.
 *
 * A reader stands in a row (see `layout.ts`). One in a participant slot ends with the participant, however it ends; that of a named cursor
 * stays. A reliable reader enters itself while it holds the lock of the log; a writer looks, and gives up those proven dead and those
 * that were too slow for their own taste, while it holds it: so nobody is overtaken while it enters, and nobody alive is given up unasked.
 */
import { load, store } from '../platform/atomics.js';
import { tell } from '../platform/diagnostics.js';
import { SLOT_USER, slotWord, WORD_BYTES } from '../segment/layout.js';
import type { Segment } from '../segment/segment.js';
import {
  NAMED_CURSORS,
  namedRow,
  READS_EVICTED,
  READS_LOSSILY,
  READS_RELIABLY,
  ROW_NAME_BYTES,
  ROW_PATIENCE,
  ROW_POSITION,
  ROW_READS,
} from './layout.js';

/** All readers of one log. */
export class LogRoster {
  readonly #segment: Segment;
  readonly #words: Int32Array;
  /** Since when this writer has seen a reader in its way, at which position. */
  readonly #inTheWay = new Map<number, { readonly position: number; readonly since: number }>();

  constructor(segment: Segment) {
    this.#segment = segment;
    this.#words = segment.words;
  }

  /** How many units after `oldest` the reliable reader is that is furthest behind; `most` if there is none. The caller holds the lock. */
  reach(oldest: number, most: number): number {
    let reach = most;
    for (const { row } of this.#reliable()) {
      reach = Math.min(reach, (load(this.#words, row + ROW_POSITION) - oldest) | 0);
    }
    return reach;
  }

  /** Gives up the readers in the way of a writer who needs `missing` units after `oldest`: the dead, and those out of patience. */
  giveUp(oldest: number, missing: number): void {
    const words = this.#words;
    const now = performance.now();
    for (const { row, token } of this.#reliable()) {
      if (token !== 0 && this.#segment.participants.isDead(token)) {
        store(words, row + ROW_READS, 0);
        continue;
      }
      const patience = load(words, row + ROW_PATIENCE);
      const position = load(words, row + ROW_POSITION);
      if (patience === 0 || ((position - oldest) | 0) >= missing) continue;
      const seen = this.#inTheWay.get(row);
      if (seen?.position !== position) this.#inTheWay.set(row, { position, since: now });
      else if (now - seen.since >= Math.abs(patience)) {
        this.#inTheWay.delete(row);
        // publish: nobody waits for it any more. Before anything is overwritten. pairs with: LogCursor.#fill
        store(words, row + ROW_READS, patience > 0 ? READS_LOSSILY : READS_EVICTED);
        tell('reader-given-up', () => ({ name: this.#segment.name }));
      }
    }
  }

  /** The rows of those who must not be overtaken; the token is 0 where death does not matter. */
  #reliable(): { readonly row: number; readonly token: number }[] {
    const words = this.#words;
    const { participants, payloadOffset, params } = this.#segment;
    const found: { row: number; token: number }[] = [];
    for (let slot = 0; slot < participants.count; slot++) {
      const row = slotWord(slot) + SLOT_USER;
      if (load(words, row + ROW_READS) !== READS_RELIABLY) continue;
      const token = participants.tokenAt(slot);
      if (token !== 0) found.push({ row, token });
    }
    for (let index = 0; index < NAMED_CURSORS; index++) {
      const row = payloadOffset / WORD_BYTES + namedRow(index, params[0] ?? 0);
      const isThere =
        load(words, row + ROW_NAME_BYTES) !== 0 && load(words, row + ROW_READS) === READS_RELIABLY;
      if (isThere) found.push({ row, token: 0 });
    }
    return found;
  }
}
