/**
 * Keys from the bytes of a terminal. Node's decoder names them; here what is pasted becomes one value, whatever line
 * ends or control characters are in it, so that no part of it is taken for a key.
 */
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';
import { printable } from '@chat/protocol';

/** A key, or a text that was pasted. */
export type Key =
  | {
      readonly type: 'key';
      /** Name with modifiers before it: `ctrl+n`, `alt+1`, `shift+tab`, `pageup`, or the character itself. */
      readonly chord: string;
      /** What the key writes; empty if nothing. */
      readonly text: string;
    }
  | { readonly type: 'paste'; readonly text: string };

/** What Node says of a key. */
export interface Keypress {
  readonly sequence?: string | undefined;
  readonly name?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
  readonly shift?: boolean;
}

/** More is not a message any more; the rest is dropped. */
const MAX_PASTE_LENGTH = 1_048_576;

/** Makes keys of keypresses. */
export class KeyReader {
  readonly #onKey: (key: Key) => void;
  #paste: string | undefined;

  constructor(onKey: (key: Key) => void) {
    this.#onKey = onKey;
  }

  press(text: string | undefined, keypress: Keypress): void {
    const { name, sequence } = keypress;
    if (name === 'paste-start') {
      this.#paste = '';
    } else if (name === 'paste-end') {
      if (this.#paste) this.#onKey({ type: 'paste', text: this.#paste });
      this.#paste = undefined;
    } else if (this.#paste !== undefined) {
      if (this.#paste.length < MAX_PASTE_LENGTH) this.#paste += text ?? sequence ?? '';
    } else {
      this.#onKey({ type: 'key', chord: chordOf(text, keypress), text: writtenBy(text, keypress) });
    }
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
export function readKeys(input: ReadStream, onKey: (key: Key) => void): () => void {
  const reader = new KeyReader(onKey);
  const press = (text: string | undefined, keypress: Keypress) => reader.press(text, keypress);
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.on('keypress', press);
  input.resume();
  return () => {
    input.off('keypress', press);
    input.pause();
    input.setRawMode(false);
  };
}
