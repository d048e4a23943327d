/**
 * The frame in the terminal: the only file that knows the library which draws.
 *
 * Ink writes the rows that changed, within one synchronized update. Each row is one text, since the layout has decided
 * everything already.
 */
import { Box, type Instance, render, Text, useCursor } from 'ink';
import { createElement, memo, type ReactNode } from 'react';
import type { WriteStream } from 'node:tty';
import type { ReadStream } from 'node:tty';
import type { Frame } from './frame.js';
import type { Theme } from './theme.js';

/** Options of {@link ScreenView}. */
export interface ScreenViewOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly theme: Theme;
}

const MAX_FRAMES_PER_SECOND = 60;
const CLEAR = '\u001B[2J\u001B[H';

const PaintedRow = memo(({ text }: { readonly text: string }): ReactNode =>
  createElement(Text, { wrap: 'truncate' }, text === '' ? ' ' : text),
);

function Screen({ rows, column, row }: { readonly rows: readonly string[]; readonly column: number; readonly row: number }): ReactNode {
  const { setCursorPosition } = useCursor();
  setCursorPosition({ x: column, y: row });
  return createElement(
    Box,
    { flexDirection: 'column' },
    rows.map((text, index) => createElement(PaintedRow, { key: index, text })),
  );
}

export class ScreenView {
  readonly #options: ScreenViewOptions;
  #instance: Instance | undefined;

  constructor(options: ScreenViewOptions) {
    this.#options = options;
  }

  /** Draws `frame`; what is on the screen already is not written again. */
  draw({ rows, cursor }: Frame): void {
    const { theme, input, output } = this.#options;
    const node = createElement(Screen, {
      rows: rows.map((row) => theme.paint(row)),
      column: cursor.column,
      row: cursor.row,
    });
    if (this.#instance) {
      this.#instance.rerender(node);
      return;
    }
    this.#instance = render(node, {
      stdin: input,
      stdout: output,
      exitOnCtrlC: false,
      patchConsole: false,
      incrementalRendering: true,
      maxFps: MAX_FRAMES_PER_SECOND,
    });
  }

  /** Forgets what is on the screen: the next frame is drawn whole. */
  clear(): void {
    this.close();
    this.#options.output.write(CLEAR);
  }

  close(): void {
    this.#instance?.unmount();
    this.#instance = undefined;
  }
}
