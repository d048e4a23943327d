/**
 * Where everything is in the payload of a latest value. Numbers only.
 *
 *     byte 0    │ version: int32, counts the writes      │  written by the writer, read by all
 *        128    │ writer: token of who may write, or 0   │
 *        256    │ hint: 1 when somebody may sleep for the next value │
 *        384    │ cell 0: length in bytes, 4 unused, data │
 *               │ cell 1                                 │  each a multiple of 128 bytes
 *               │ …                                      │
 *
 * Version `v` lies in cell `v mod cells`; `cells` is a power of two. Before the first write the version is 0, and cell 0 has the
 * length -1.
 */
import { alignUp, LINE_BYTES, LINE_WORDS } from '../segment/layout.js';

/** Words of the payload. */
export const VERSION_WORD = 0;
export const WRITER_WORD: number = LINE_WORDS;
export const WAITS_WORD: number = 2 * LINE_WORDS;
/** Byte of the payload. */
export const FIRST_CELL_BYTES: number = 3 * LINE_BYTES;

/** Word of a cell. */
export const CELL_LENGTH_WORD = 0;
/** Byte of a cell at which the value begins: 8, so that values are aligned like a Float64. */
export const CELL_DATA_BYTES = 8;
/** Length of what was never written. */
export const NO_VALUE = -1;

/** Bytes of a cell. */
export function cellBytes(maxValueBytes: number): number {
  return alignUp(CELL_DATA_BYTES + maxValueBytes, LINE_BYTES);
}

/** Bytes of the whole structure. */
export function latestPayloadBytes(maxValueBytes: number, cells: number): number {
  return FIRST_CELL_BYTES + cells * cellBytes(maxValueBytes);
}
