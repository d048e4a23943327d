/**
 * What a ring has beside records (see record/layout.ts). Offsets are words from the beginning of the ring.
 *
 *     word 0    │ tail                              │  written by the writer
 *         32    │ head                              │  written by the reader
 *         64    │ writer: token of who writes, or 0 │  in a channel unused
 *         96    │ reader: token of who reads, or 0  │  in a channel unused
 */
import { LINE_WORDS } from '../segment/layout.js';

export const WRITER_WORD: number = 2 * LINE_WORDS;
export const READER_WORD: number = 3 * LINE_WORDS;
/** Length and mark. */
export const MESSAGE_HEADER_BYTES = 8;
