/**
 * A terminal of lines: printed text stands above the line that is being typed, which is never garbled.
 *
 * Node's readline edits the input. To print, it clears the rows of the prompt and writes the text in their
 * place. Then it draws the prompt again, with the text typed so far and the cursor where it was.
 */
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';

/** Options of {@link LineScreen}. */
export interface LineScreenOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** Completions of a line, for the Tab key. */
  readonly complete: (line: string) => readonly string[];
}

const HISTORY_LINES = 500;

/** A field that readline keeps of its last drawing, beside its documented interface. */
interface DrawnInterface extends Interface {
  prevRows?: number;
}

export class LineScreen {
  readonly #output: WriteStream;
  readonly #lines: DrawnInterface;
  #onLine: ((line: string) => void) | undefined;
  #onEnd: (() => void) | undefined;
  #prompting = false;
  /** Whether the input is a secret: it is neither shown nor kept in the history. */
  #isSecret = false;
  #submittedRows = 0;
  #closed = false;

  constructor({ input, output, complete }: LineScreenOptions) {
    this.#output = output;
    this.#lines = createInterface({
      input,
      output: this.#seen(),
      terminal: true,
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
      completer: (line: string) => [complete(line), line],
    });
    // Before readline sees the key, since it forgets the line then.
    input.prependListener('keypress', (_text, key: { readonly name?: string } | undefined) => {
      if (key?.name === 'return' || key?.name === 'enter') this.#submittedRows = this.#rowsOfInput();
    });
    this.#lines.on('history', (history) => {
      if (this.#isSecret) history.shift();
    });
    this.#lines.on('line', (line) => this.#onLine?.(line));
    this.#lines.on('SIGINT', () => this.#interrupt());
    this.#lines.on('close', () => {
      this.#closed = true;
      this.#prompting = false;
      this.#onEnd?.();
    });
  }

  /** Asks a question. @returns undefined when the user left instead */
  ask(question: string): Promise<string | undefined> {
    return this.#ask(question);
  }

  /** The same for a password: what is typed is not shown, and Up does not bring it back. */
  async askSecret(question: string): Promise<string | undefined> {
    if (this.#closed) return undefined;
    this.#output.write(question);
    this.#isSecret = true;
    try {
      return await this.#ask(question);
    } finally {
      this.#isSecret = false;
      this.#output.write('\n');
    }
  }

  /** The terminal as readline writes to it: it shows every key, but for those of a secret. */
  #seen(): WriteStream {
    const write = (...chunk: Parameters<WriteStream['write']>): boolean =>
      this.#isSecret || this.#output.write(...chunk);
    return new Proxy(this.#output, {
      get: (output, name) => {
        if (name === 'write') return write;
        const value: unknown = Reflect.get(output, name, output);
        return typeof value === 'function' ? value.bind(output) : value;
      },
    });
  }

  #ask(question: string): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const done = (answer: string | undefined) => {
        this.#onLine = undefined;
        this.#onEnd = undefined;
        this.#prompting = false;
        resolve(answer);
      };
      this.#onLine = (line) => done(line.trim());
      this.#onEnd = () => done(undefined);
      this.setPrompt(question);
      this.#prompting = true;
      this.#lines.prompt();
    });
  }

  /** Reads lines until the user leaves or `close` is called. */
  read(onLine: (line: string) => void): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onLine = (line) => {
        onLine(line);
        if (!this.#closed) this.#lines.prompt();
      };
      this.#onEnd = resolve;
      this.#prompting = true;
      this.#lines.prompt();
    });
  }

  setPrompt(prompt: string): void {
    this.#lines.setPrompt(prompt);
    if (this.#prompting) this.#redraw(() => {});
  }

  /** Prints lines above the one that is being typed. */
  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    if (this.#prompting) this.#redraw(() => this.#output.write(text));
    else this.#output.write(text);
  }

  /** Takes back the line that was just submitted: it will be shown in another form. */
  eraseSubmitted(): void {
    moveCursor(this.#output, 0, -this.#submittedRows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
  }

  close(): void {
    if (this.#closed) return;
    if (this.#prompting) this.#redraw(() => {});
    this.#prompting = false;
    this.#lines.close();
  }

  #redraw(write: () => void): void {
    const { rows } = this.#lines.getCursorPos();
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    write();
    // Else readline would look for its old prompt further up, in what was just written.
    this.#lines.prevRows = 0;
    this.#lines.prompt(true);
  }

  /** Rows from the prompt's first to the one below the input's last. */
  #rowsOfInput(): number {
    const lines = this.#lines as { cursor: number; line: string } & Interface;
    const { cursor } = lines;
    lines.cursor = lines.line.length;
    const { rows } = lines.getCursorPos();
    lines.cursor = cursor;
    return rows + 1;
  }

  /** Ctrl-C empties the line; on an empty one it leaves. */
  #interrupt(): void {
    if (this.#lines.line === '') {
      this.#lines.close();
      return;
    }
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
  }
}
