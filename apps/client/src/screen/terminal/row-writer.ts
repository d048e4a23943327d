/**
 * Writes frames of text to a terminal: the rows that differ from what is there, each at its place, in one
 * write.
 *
 * Rows are addressed by number, so nothing adds up when a terminal counts the cells of a character in another
 * way than this program: such a row is a little off by itself, and the others stay.
 */

// The terminal shows what stands between them at once, or ignores them.
const BEGIN_UPDATE = '\u001B[?2026h';
const END_UPDATE = '\u001B[?2026l';
const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
const ERASE_ROW = '\u001B[2K';

/** Cells from the top left, from 0. */
export interface CursorPosition {
  readonly column: number;
  readonly row: number;
}

export class RowWriter {
  readonly #write: (text: string) => void;
  #rows: readonly string[] = [];
  #cursor: CursorPosition = { column: 0, row: 0 };

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /**
   * Makes the terminal show `rows`, with the cursor where it belongs. Writes nothing when it does already.
   */
  draw(rows: readonly string[], cursor: CursorPosition): void {
    let changes = '';
    for (let row = 0; row < Math.max(rows.length, this.#rows.length); row++) {
      const text = rows[row] ?? '';
      // Erased before, not behind: a full row leaves the cursor on its last cell.
      if (text !== this.#rows[row]) changes += `${moveTo({ column: 0, row })}${ERASE_ROW}${text}`;
    }
    const { column, row } = this.#cursor;
    if (changes === '' && column === cursor.column && row === cursor.row) return;
    this.#rows = rows;
    this.#cursor = cursor;
    this.#write(`${BEGIN_UPDATE}${HIDE_CURSOR}${changes}${moveTo(cursor)}${SHOW_CURSOR}${END_UPDATE}`);
  }
}

function moveTo({ column, row }: CursorPosition): string {
  return `\u001B[${row + 1};${column + 1}H`;
}
