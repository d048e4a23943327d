/**
 * The frame in the terminal: painted by the theme, and written where it differs from what is there.
 */

import { RowWriter } from '../terminal/row-writer.js';
import type { Frame } from './frame.js';
import type { Theme } from './theme.js';

const CLEAR = '\u001B[2J\u001B[H';

export class ScreenView {
  readonly #write: (text: string) => void;
  readonly #theme: Theme;
  #writer: RowWriter;

  /** @param write - to the terminal */
  constructor(write: (text: string) => void, theme: Theme) {
    this.#write = write;
    this.#theme = theme;
    this.#writer = new RowWriter(write);
  }

  /** Draws `frame`. Rows that are on the screen already are not written again. */
  draw({ rows, cursor }: Frame): void {
    this.#writer.draw(
      rows.map((row) => this.#theme.paint(row)),
      cursor,
    );
  }

  /** Clears the screen, and forgets what was on it: the next frame is written whole. */
  clear(): void {
    this.#write(CLEAR);
    this.#writer = new RowWriter(this.#write);
  }
}
