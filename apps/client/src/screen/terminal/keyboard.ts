/**
 * Keys from the bytes of a terminal. Node's decoder names them. Pasted text becomes one value here, with
 * all its line ends and control characters, so that no part of it is taken for a key.
 */
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';
import { printable } from '@chat/protocol/lines';
import type { SteadyClock } from '../../clock.js';

/** A key, or a text that was pasted. */
export type Key =
  | {
      readonly type: 'key';
      /** Name with modifiers before it: `ctrl+n`, `alt+1`, `shift+tab`, `pageup`, or the character itself. */
      readonly chord: string;
      /** Text that the key writes; empty if nothing. */
      readonly text: string;
    }
  | { readonly type: 'paste'; readonly text: string };

/** A key in the words of Node. */
export interface Keypress {
  readonly sequence?: string | undefined;
  readonly name?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
  readonly shift?: boolean;
}

/** More is not a message any more; the rest is dropped. */
const MAX_PASTE_LENGTH = 1_048_576;
/** A paste of which nothing came for so long has lost its end mark, and is over. */
const PASTE_SILENCE_MS = 1000;
/** Ctrl-C that comes so long after what was pasted is a key that somebody pressed. */
const KEY_PAUSE_MS = 100;
/** The end mark, which the decoder does not see behind an unfinished sequence in the text. */
const PASTE_END = '\u001B[201~';
const CTRL_C = '\u0003';

/** Makes keys of keypresses. */
export class KeyReader {
  readonly #onKey: (key: Key) => void;
  readonly #clock: SteadyClock;
  #paste: string | undefined;
  /** The last of what was pasted, also where it was too much to be kept. */
  #tail = '';
  #heardAt = 0;
  #silence: unknown;

  constructor(onKey: (key: Key) => void, clock: SteadyClock) {
    this.#onKey = onKey;
    this.#clock = clock;
  }

  press(text: string | undefined, keypress: Keypress): void {
    const { name, sequence } = keypress;
    if (name === 'paste-start') {
      this.#paste ??= '';
      this.#hear();
    } else if (name === 'paste-end') {
      this.#endPaste();
    } else if (this.#paste !== undefined) {
      const isKey = sequence === CTRL_C && this.#clock.monotonic() - this.#heardAt >= KEY_PAUSE_MS;
      if (isKey) this.#endPaste();
      else this.#take(text ?? sequence ?? '');
    } else {
      this.#onKey({ type: 'key', chord: chordOf(text, keypress), text: writtenBy(text, keypress) });
    }
  }

  /** Hands out what was pasted, whether or not its end came. */
  close(): void {
    this.#endPaste();
  }

  #take(text: string): void {
    this.#hear();
    if (this.#paste!.length < MAX_PASTE_LENGTH) this.#paste += text;
    this.#tail = (this.#tail + text).slice(-PASTE_END.length);
    if (this.#tail !== PASTE_END) return;
    if (this.#paste!.endsWith(PASTE_END)) this.#paste = this.#paste!.slice(0, -PASTE_END.length);
    this.#endPaste();
  }

  #hear(): void {
    this.#heardAt = this.#clock.monotonic();
    this.#silence ??= this.#clock.setTimeout(() => this.#expire(), PASTE_SILENCE_MS);
  }

  #expire(): void {
    this.#silence = undefined;
    const left = this.#heardAt + PASTE_SILENCE_MS - this.#clock.monotonic();
    if (left > 0) this.#silence = this.#clock.setTimeout(() => this.#expire(), left);
    else this.#endPaste();
  }

  #endPaste(): void {
    const text = this.#paste;
    this.#paste = undefined;
    this.#tail = '';
    if (this.#silence !== undefined) this.#clock.clearTimeout(this.#silence);
    this.#silence = undefined;
    if (text) this.#onKey({ type: 'paste', text });
  }
}

function writtenBy(text: string | undefined, { ctrl, meta, name }: Keypress): string {
  if (text === undefined || ctrl || meta || name === 'return' || name === 'enter' || name === 'tab')
    return '';
  return printable(text) === text ? text : '';
}

function chordOf(text: string | undefined, { name, ctrl, meta, shift, sequence }: Keypress): string {
  const base = name ?? text ?? sequence ?? '';
  // A capital letter is a letter, not a letter with shift.
  const isLetter = base.length === 1;
  return `${ctrl ? 'ctrl+' : ''}${meta && name !== 'escape' ? 'alt+' : ''}${shift && !isLetter ? 'shift+' : ''}${base}`;
}

/** Reads keys of `input`, which is switched to raw mode. @returns a function that ends it */
export function readKeys(input: ReadStream, onKey: (key: Key) => void, clock: SteadyClock): () => void {
  const reader = new KeyReader(onKey, clock);
  const press = (text: string | undefined, keypress: Keypress) => reader.press(text, keypress);
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.on('keypress', press);
  input.resume();
  return () => {
    input.off('keypress', press);
    reader.close();
    input.pause();
    input.setRawMode(false);
  };
}
