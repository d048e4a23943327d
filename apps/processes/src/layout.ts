/**
 * What the segment of the two processes holds: who they are talking as, flags, messages. Numbers only; words are int32.
 *
 *     word 0      ┌────────────────────────────────────────────┐
 *                 │ mark · messages per side · bytes of each   │  written once, by the process that made the segment
 *          16     │ flags of side a                            │
 *          32     │ flags of side b                            │
 *          64     ├────────────────────────────────────────────┤
 *                 │ messages of a: 64 slots                    │  number n lies in slot n mod 64
 *                 ├────────────────────────────────────────────┤
 *                 │ messages of b: 64 slots                    │
 *                 └────────────────────────────────────────────┘
 *
 *     slot        length in bytes │ number of the message it answers │ whether it answers one │ text
 *
 * All of it is read and written under the mutex of the segment. Numbers begin at 1, go round after 2^32, and are compared by their
 * difference.
 */

export const MARK_WORD = 0;
export const SLOTS_WORD = 1;
export const SLOT_BYTES_WORD = 2;
/** 'TALK' in memory: the segment is laid out as above. */
export const MARK = 0x4b4c4154;

/** First word of the flags of a side. */
export const FLAGS_WORD: Readonly<Record<'a' | 'b', number>> = { a: 16, b: 32 };
/** Number of this side's last message. Stored last: until then the message does not exist. */
export const WRITTEN = 0;
/** Number of the other side's last message that was taken out to be read. */
export const OPENED = 1;
/** Number of the other side's last message that was read to the end. */
export const DONE = 2;
/** Token of the participant that is this side, or 0: it names one life of one handle, and never comes twice. */
export const HOLDER = 3;
/** Process id of the last one that was this side, and whether it left with a goodbye. */
export const LAST_PID = 4;
export const FAREWELL = 5;

/** A power of two, so that slots follow each other where numbers go round. */
export const SLOTS = 64;
export const MAX_TEXT_BYTES = 1000;
export const SLOT_HEADER_WORDS = 3;
export const SLOT_BYTES: number = SLOT_HEADER_WORDS * 4 + MAX_TEXT_BYTES;
const FIRST_SLOT_BYTES = 256;

export const TOTAL_BYTES: number = FIRST_SLOT_BYTES + 2 * SLOTS * SLOT_BYTES;

/** Byte at which message `number` of a side begins. */
export function slotOffset(side: 'a' | 'b', number: number): number {
  return FIRST_SLOT_BYTES + ((side === 'a' ? 0 : SLOTS) + (number & (SLOTS - 1))) * SLOT_BYTES;
}

/** How far `later` is ahead of `earlier`. */
export function ahead(later: number, earlier: number): number {
  return (later - earlier) | 0;
}
