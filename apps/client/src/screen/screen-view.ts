/**
 * The frame in the terminal: the only file that knows the library which composes it.
 *
 * Ink makes the text of a frame, each row of which is one element that is made anew only when it changed. It hands
 * over whole frames (`debug`), which `RowWriter` compares and writes: see docs/decisions/full-screen-with-ink.md.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { Box, type Instance, render, Text } from 'ink';
import { createElement, memo, type ReactNode } from 'react';
import type { Frame } from './frame.js';
import { type CursorPosition, RowWriter } from './row-writer.js';
import type { Theme } from './theme.js';

/** Options of {@link ScreenView}. */
export interface ScreenViewOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly theme: Theme;
}

const CLEAR = '\u001B[2J\u001B[H';

const PaintedRow = memo(
  ({ text }: { readonly text: string }): ReactNode => createElement(Text, { wrap: 'truncate' }, text),
);

function paintedRow(text: string): ReactNode {
  return createElement(PaintedRow, { text });
}

function Screen({ rows }: { readonly rows: readonly string[] }): ReactNode {
  return createElement(Box, { flexDirection: 'column' }, ...rows.map(paintedRow));
}

export class ScreenView {
  readonly #options: ScreenViewOptions;
  readonly #surface: WriteStream;
  #writer: RowWriter;
  #cursor: CursorPosition = { column: 0, row: 0 };
  #awaitedRows = 0;
  #instance: Instance | undefined;

  constructor(options: ScreenViewOptions) {
    this.#options = options;
    this.#writer = this.#makeWriter();
    this.#surface = surfaceOf(options.output, (text) => this.#take(text));
  }

  /** Draws `frame`; what is on the screen already is not written again. */
  draw({ rows, cursor }: Frame): void {
    const { theme, input } = this.#options;
    const node = createElement(Screen, { rows: rows.map((row) => theme.paint(row)) });
    this.#cursor = cursor;
    this.#awaitedRows = rows.length;
    if (this.#instance) this.#instance.rerender(node);
    else {
      this.#instance = render(node, {
        stdin: input,
        stdout: this.#surface,
        debug: true,
        exitOnCtrlC: false,
        patchConsole: false,
      });
    }
    this.#awaitedRows = 0;
  }

  /** Forgets what is on the screen: the next frame is written whole. */
  clear(): void {
    this.close();
    this.#options.output.write(CLEAR);
    this.#writer = this.#makeWriter();
  }

  close(): void {
    this.#instance?.unmount();
    this.#instance = undefined;
  }

  /** Takes a frame. What is not one, as the sequences that Ink writes at its beginning and end, is not for the screen. */
  #take(text: string): void {
    const rows = text.split('\n');
    if (rows.length === this.#awaitedRows) this.#writer.draw(rows, this.#cursor);
  }

  #makeWriter(): RowWriter {
    const { output } = this.#options;
    return new RowWriter((text) => output.write(text));
  }
}

/** The terminal as Ink sees it: frames go to `onFrame`, and resizing is not its business. */
function surfaceOf(output: WriteStream, onFrame: (text: string) => void): WriteStream {
  const surface = Object.create(output) as WriteStream;
  return Object.defineProperties(surface, {
    write: {
      value: (text: string, done?: () => void): boolean => {
        if (text !== '') onFrame(text);
        done?.();
        return true;
      },
    },
    on: { value: () => surface },
    off: { value: () => surface },
  });
}
