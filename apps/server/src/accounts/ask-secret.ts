/** A secret from somebody at a terminal, without showing it; or from a pipe, its first line. */
import type { Readable, Writable } from 'node:stream';

/** Where a secret is asked for. */
export interface SecretStreams {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };
  /** For the question; what a program reads stays clean. */
  readonly output: Writable;
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const BACKSPACE: ReadonlySet<string> = new Set(['\b', '\u007F']);

/** Reads the lines of one input, one secret after the other. */
export class SecretReader {
  readonly #streams: SecretStreams;
  #rest = '';
  #hasEnded = false;

  #isWatched = false;
  #onMore: () => void = () => {};

  constructor(streams: SecretStreams) {
    this.#streams = streams;
  }

  /** Whether somebody may be asked twice, to be sure. */
  get isTerminal(): boolean {
    return this.#streams.input.isTTY === true;
  }

  /** @returns undefined when there is none: the input has ended, or Ctrl-C was pressed */
  async ask(question: string): Promise<string | undefined> {
    const { input, output } = this.#streams;
    this.#watch();
    if (!this.isTerminal) return this.#line();
    output.write(question);
    input.setRawMode?.(true);
    try {
      return await this.#typed();
    } finally {
      input.setRawMode?.(false);
      input.pause();
      output.write('\n');
    }
  }

  /** From the first question on, since the end may come with the last piece. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const { input } = this.#streams;
    const onEnd = (): void => {
      this.#hasEnded = true;
      this.#onMore();
    };
    input.setEncoding('utf8');
    input.on('data', (chunk: string) => {
      this.#rest += chunk;
      this.#onMore();
    });
    input.once('end', onEnd).once('close', onEnd).pause();
  }

  /** A pipe has its line already, or ends. */
  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\n');
      if (end !== -1 || this.#hasEnded) {
        const line = end === -1 ? this.#rest : this.#rest.slice(0, end);
        this.#rest = end === -1 ? '' : this.#rest.slice(end + 1);
        return line === '' && end === -1 ? undefined : line.replace(/\r$/, '');
      }
      await this.#more();
    }
  }

  /** Key by key, since the terminal does not edit the line. */
  async #typed(): Promise<string | undefined> {
    let typed: string[] = [];
    for (;;) {
      const keys = [...this.#rest];
      this.#rest = '';
      for (const [i, key] of keys.entries()) {
        if (key === '\r' || key === '\n' || (key === CTRL_D && typed.length > 0)) {
          this.#rest = keys.slice(i + 1).join('');
          return typed.join('');
        }
        if (key === CTRL_C || key === CTRL_D) return undefined;
        if (key === CTRL_U) typed = [];
        else if (BACKSPACE.has(key)) typed.pop();
        else if (key >= ' ') typed.push(key);
      }
      if (this.#hasEnded) return undefined;
      await this.#more();
    }
  }

  /** Waits for more of the input, or its end; nothing is read meanwhile that nobody asked for. */
  #more(): Promise<void> {
    const { input } = this.#streams;
    return new Promise((resolve) => {
      this.#onMore = () => {
        input.pause();
        resolve();
      };
      input.resume();
    });
  }
}
