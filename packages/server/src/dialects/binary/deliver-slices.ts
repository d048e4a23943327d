/**
 * Entries of the log for a peer that speaks frames: slices of the log, as they are.
 */
import type { Sender } from '../../connection/sender.js';
import { plainSlice } from '../../log/messages/plain-frames.js';
import type { Membership } from '../../room/room.js';

/** Catch-up behind a cork is collected in memory, so it goes in portions of about this size. */
const CORKED_BYTES = 262_144;

/**
 * Sends what is between the cursor and the end, as far as the socket takes it.
 *
 * @param isPlain whether its client knows no codec 5
 */
export function deliverSlices(sender: Sender, membership: Membership, isPlain: boolean): void {
  if (sender.isBlocked) {
    if (membership.lagged) membership.member.lagged(membership);
    return;
  }
  if (sender.hasAnswers) {
    // Answers and the first portion behind them leave in one write.
    sender.link.cork();
    sender.writeAnswers();
    const goesOn = tryPortion(sender, membership, CORKED_BYTES, isPlain);
    sender.link.uncork();
    sender.look();
    if (!goesOn || sender.isBlocked) return;
  }
  tryPortion(sender, membership, 0, isPlain);
  sender.look();
}

/**
 * Sends slices until the socket holds more than `maxUnsentBytes`: only then will it tell that they are out.
 *
 * @returns false when the reader has fallen behind the log
 */
function tryPortion(
  sender: Sender,
  membership: Membership,
  maxUnsentBytes: number,
  isPlain: boolean,
): boolean {
  const { log } = membership.room;
  let { chunk } = membership;
  for (;;) {
    if (membership.lagged) {
      membership.member.lagged(membership);
      return false;
    }
    if (membership.offset < chunk.used) {
      const slice = log.slice(chunk, membership.offset);
      sender.writeSlice(isPlain && chunk.hasRich ? plainSlice(slice) : slice);
      membership.offset = chunk.used;
      if (sender.link.unsentBytes > maxUnsentBytes) return true;
    }
    if (!chunk.next) return true;
    chunk = chunk.next;
    membership.chunk = chunk;
    membership.offset = 0;
  }
}
