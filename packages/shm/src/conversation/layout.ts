/**
 * What the segment of a conversation holds: for each of the two sides its flags, and the messages that it wrote last.
 *
 *     byte 0      ┌────────────────────────────────────────────┐
 *                 │ flags of side a                            │  128 bytes
 *          128    │ flags of side b                            │  128 bytes
 *          256    ├────────────────────────────────────────────┤
 *                 │ messages of a: `capacity` slots            │  number n lies in slot n mod capacity
 *                 ├────────────────────────────────────────────┤
 *                 │ messages of b: `capacity` slots            │
 *                 └────────────────────────────────────────────┘
 *
 *     slot        length in bytes │ number of the message it answers, or 0 │ text │ up to a multiple of 8
 *
 * Words are int32. Messages of a side are numbered from 1. A side writes its own flags and messages, and the other side's
 * WAITS when it wakes it.
 */

/** Distance between the flags of the two sides, in words. */
export const SIDE_WORDS = 32;

/** Number of this side's last message. Stored after the message itself: until then it does not exist. */
export const WRITTEN = 0;
/** Number of the other side's last message that was taken out to be read. */
export const OPENED = 1;
/** Number of the other side's last message that was read to the end. Its slot may be used again. */
export const DONE = 2;
/** Token of the participant that is this side, or 0. */
export const HOLDER = 3;
/** Token of the last one that left this side with a goodbye. */
export const FAREWELL = 4;
/** Whether this side sleeps and is to be rung for: see doorbell.ts. */
export const WAITS = 5;

/** Byte offset of the first slot. */
export const SLOTS_OFFSET: number = 2 * SIDE_WORDS * 4;
/** Bytes of a slot before its text. */
export const SLOT_HEADER_BYTES = 8;

/** Bytes of one slot. */
export function slotBytes(maxMessageBytes: number): number {
  return SLOT_HEADER_BYTES + Math.ceil(maxMessageBytes / 8) * 8;
}

/** Bytes of the whole. */
export function conversationBytes(maxMessageBytes: number, capacity: number): number {
  return SLOTS_OFFSET + 2 * capacity * slotBytes(maxMessageBytes);
}
