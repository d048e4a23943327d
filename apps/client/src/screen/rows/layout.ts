/**
 * Divides a screen of a given size: one row for the title, one each for status and input, and the rest for
 * the messages, with the list of rooms and members beside them if it fits.
 */
import type { PaneSize } from './message-pane.js';

/** Size of the terminal, in cells. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** The places on the screen. */
export interface Layout {
  readonly columns: number;
  /** Title, status and input take one row each. */
  readonly pane: PaneSize;
  /** Columns of the list of rooms and members, its border not counted; 0 when there is no room for it. */
  readonly sideColumns: number;
}

const CHROME_ROWS = 3;
const SIDE_COLUMNS = 22;
const WIDE_SIDE_COLUMNS = 28;
const MIN_COLUMNS_FOR_SIDE = 72;
const MIN_COLUMNS_FOR_WIDE_SIDE = 120;
const BORDER_COLUMNS = 2;
/** A screen that is smaller is laid out as if it had this size, and the terminal cuts it. */
const MIN_COLUMNS = 20;
const MIN_ROWS = 6;

export function layoutFor({ columns: wanted, rows: wantedRows }: ScreenSize): Layout {
  const columns = Math.max(MIN_COLUMNS, wanted);
  const rows = Math.max(MIN_ROWS, wantedRows) - CHROME_ROWS;
  const sideColumns =
    columns >= MIN_COLUMNS_FOR_WIDE_SIDE
      ? WIDE_SIDE_COLUMNS
      : columns >= MIN_COLUMNS_FOR_SIDE
        ? SIDE_COLUMNS
        : 0;
  const side = sideColumns === 0 ? 0 : sideColumns + BORDER_COLUMNS;
  return { columns, pane: { columns: columns - side, rows }, sideColumns };
}
