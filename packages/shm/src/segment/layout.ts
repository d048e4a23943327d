/**
 * Where everything is in a segment, in memory order. Numbers only.
 *
 *     byte 0      ┌──────────────────────────────────────────────┐
 *                 │ header: what this file is (written once)     │  words 0..15
 *          64     │ parameters of the kind (written once)        │  words 16..31
 *         256     │ life: retired, closing                       │  words 64..65
 *         384     │ lock word of the segment                     │  word 96
 *         512    │ hint: somebody may sleep for the lock         │  word 128
 *         640    │ how often notify() was called                │  word 160
 *         768    │ hint: somebody may sleep for notify()        │  word 192
 *        4096     ├──────────────────────────────────────────────┤
 *                 │ participant table: slots of 128 bytes        │
 *     payload ──▶ ├──────────────────────────────────────────────┤  next multiple of 4096
 *                 │ the structure of the kind                    │
 *                 └──────────────────────────────────────────────┘  next multiple of the page size
 *
 * Words are int32 in the byte order of the machine. Words that are written by several processes lie 128 bytes from each
 * other, since CPUs fetch cache lines of 64 bytes in pairs. A minor version adds words that were zero before; a major version moves
 * something, and is refused.
 */

/** Bytes of a word. */
export const WORD_BYTES = 4;
/** Distance between words that different processes write at the same time. */
export const LINE_BYTES = 128;
/** {@link LINE_BYTES} in words. */
export const LINE_WORDS: number = LINE_BYTES / WORD_BYTES;
/** Everything large starts at a multiple of this. */
export const SECTION_BYTES = 4096;
/** The largest segment: mmap-io counts in int32, and sections are whole. */
export const MAX_SEGMENT_BYTES: number = 2 ** 31 - SECTION_BYTES;

/** 'CSHM' when read as bytes on a little-endian machine. Written last by the creator. */
export const MAGIC = 0x4d485343;
/** Another major version is refused. */
export const LAYOUT_MAJOR = 2;
/** Another minor version is accepted. */
export const LAYOUT_MINOR = 0;
/** Read back as 0x04030201 by a machine with the other byte order. */
export const ENDIAN_MARK = 0x01020304;

export const MAGIC_WORD = 0;
export const VERSION_WORD = 1;
export const ENDIAN_WORD = 2;
/** Bytes before the participant table. */
export const HEADER_BYTES_WORD = 3;
/** Size of the file. */
export const TOTAL_BYTES_WORD = 4;
export const KIND_WORD = 5;
/** Random, positive: one life of a name. A segment made anew under the same name has another. */
export const INCARNATION_WORD = 6;
/** Number of slots of the participant table. */
export const PARTICIPANT_COUNT_WORD = 7;
/** Byte offset of the structure. */
export const PAYLOAD_OFFSET_WORD = 8;
/** Bytes of the structure, without the padding to whole pages. */
export const PAYLOAD_BYTES_WORD = 9;
/** When it was created: milliseconds since 1970, low and high word. */
export const CREATED_LOW_WORD = 10;
export const CREATED_HIGH_WORD = 11;
/** Who created it. */
export const CREATOR_PID_WORD = 12;

export const PARAMS_WORD = 16;
export const MAX_PARAMS = 16;

/** 1 once the name has been given up: who opens the name now gets another segment. */
export const RETIRED_WORD = 64;
/** Token of the participant that is removing the file, or 0. */
export const CLOSING_WORD = 65;

/** The lock of the segment. */
export const LOCK_WORD = 96;
/** 1 when somebody may sleep until it is free. */
export const LOCK_WAITS_WORD = 128;
/** How often `notify()` was called, modulo 2^32. */
export const NOTIFIED_WORD = 160;
/** 1 when somebody may sleep until the next `notify()`. */
export const NOTIFIED_WAITS_WORD = 192;

/** Bytes before the participant table. */
export const HEADER_BYTES: number = SECTION_BYTES;

export const SLOT_BYTES = 128;
export const SLOT_WORDS: number = SLOT_BYTES / WORD_BYTES;
/** So that a token has room for many lives of each slot. */
export const MAX_PARTICIPANTS = 254;
export const DEFAULT_PARTICIPANTS = 64;

/** The token of who has the slot, or 0. */
export const SLOT_TOKEN = 0;
/** Counts the lives of the slot. It is never set back, so that no token comes twice. */
export const SLOT_GENERATION = 1;
/** The token again, once the words below are written. */
export const SLOT_READY = 2;
/** What the participant is here for; a {@link Role}. */
export const SLOT_ROLE = 3;
/** What follows up to the time is for messages to people. */
export const SLOT_PID = 4;
/** The thread, as the kernel numbers it. */
export const SLOT_TID = 5;
/** Start time of the thread in clock ticks since boot, low and high word. */
export const SLOT_START_LOW = 6;
export const SLOT_START_HIGH = 7;
/** The namespaces in which these numbers were read. */
export const SLOT_NAMESPACE = 8;
export const SLOT_JOINED_LOW = 10;
export const SLOT_JOINED_HIGH = 11;
/** First of 4 words which belong to the kind; 0 when a participant joins. */
export const SLOT_USER = 12;
/** For which things of its segment the participant sleeps, a bit each: see waiting/wait-point.ts. */
export const SLOT_SLEEPS = 16;
/** The number of the bell that wakes it; 0 or less says why there is none: see waiting/bell-file.ts. */
export const SLOT_BELL = 17;
/** Its key at that bell. */
export const SLOT_KEY = 18;
/** First of the words that count what the participant does: see segment/counters.ts. */
export const SLOT_COUNTERS = 20;

/** What a segment holds. */
export const SegmentKind = {
  Raw: 1,
  Latest: 2,
  Mutex: 3,
  Ring: 4,
  Channel: 5,
  Log: 6,
  Server: 7,
  Queue: 8,
} as const;
/** What a segment holds. */
export type SegmentKind = (typeof SegmentKind)[keyof typeof SegmentKind];

/** The name of a kind, for messages; numbers that this version does not know are named as such. */
export function kindName(kind: number): string {
  for (const [name, value] of Object.entries(SegmentKind)) if (value === kind) return name.toLowerCase();
  return `unknown kind ${kind}`;
}

/** Rounds up to a multiple of `unit`, a power of two. */
export function alignUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

/** Byte offset of the structure of a segment with `participants` slots. */
export function payloadOffset(participants: number): number {
  return alignUp(HEADER_BYTES + participants * SLOT_BYTES, SECTION_BYTES);
}

/** Word index of the first word of a participant slot. */
export function slotWord(slot: number): number {
  return (HEADER_BYTES + slot * SLOT_BYTES) / WORD_BYTES;
}
