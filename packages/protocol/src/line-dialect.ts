/**
 * The dialect of `nc` and of socket programs written in an afternoon: UTF-8 lines.
 *
 * In: the first line is the user name, with or without `USERNAME:` before it; later lines are messages, and
 * `/quit` leaves. Out: `name: text`, `*** name has joined the chat` and the like. A line that goes out never
 * has a control character from somebody else: text is split at its line ends, each part under the sender's
 * name, so neither a line nor a terminal sequence can be smuggled in.
 */
import { ProtocolError, ProtocolErrorCode } from './errors.js';
import { DEFAULT_MAX_LINE_BYTES } from './limits.js';
import { decodeUtf8 } from './utf8.js';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const EMPTY = new Uint8Array(0);
const MIN_HELD_BYTES = 64;

/** Options of {@link LineDecoder}. */
export interface LineDecoderOptions {
  /** Longest line in bytes, its end not counted. @defaultValue 16384 */
  readonly maxLineBytes?: number;
}

/**
 * Splits a stream into lines at `\n` or `\r\n`, fed in any cut. Holds little more than `maxLineBytes` bytes of an
 * unfinished line, in an array of at most twice the size. Poisoned after an error, as a frame decoder is.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { LineDecoder } from '@chat/protocol';
 *
 * const decoder = new LineDecoder();
 * decoder.push(new TextEncoder().encode('USERNAME: ada\r\nhel'));
 * assert.equal(decoder.next(), 'USERNAME: ada');
 * assert.equal(decoder.next(), undefined);
 * decoder.push(new TextEncoder().encode('lo\n'));
 * assert.equal(decoder.next(), 'hello');
 * ```
 */
export class LineDecoder {
  readonly #maxLineBytes: number;
  /** The beginning of a line that was cut: `#heldBytes` of the array are valid. */
  #held: Uint8Array = EMPTY;
  #heldBytes = 0;
  #chunk: Uint8Array = EMPTY;
  #start = 0;
  #error: ProtocolError | undefined;

  /** @throws RangeError when `maxLineBytes` is not a positive integer; TypeError for another option */
  constructor({ maxLineBytes = DEFAULT_MAX_LINE_BYTES, ...others }: LineDecoderOptions = {}) {
    for (const name in others) throw new TypeError(`unknown option "${name}"; there is maxLineBytes`);
    this.#maxLineBytes = maxLineBytes;
    if (!Number.isSafeInteger(this.#maxLineBytes) || this.#maxLineBytes < 1) {
      throw new RangeError(`maxLineBytes must be a positive integer, got ${this.#maxLineBytes}`);
    }
  }

  /** Bytes of an incomplete line that wait for the rest. */
  get pendingBytes(): number {
    return this.#heldBytes + this.#chunk.length - this.#start;
  }

  /**
   * Adds bytes, cut anywhere. All whole lines of the chunk before must have been read.
   *
   * @throws ProtocolError the error that poisoned the decoder
   */
  push(chunk: Uint8Array): void {
    if (this.#error) throw this.#error;
    this.#holdRest();
    this.#chunk = chunk;
    this.#start = 0;
  }

  /**
   * Moves on to the next line.
   *
   * @returns the line without its end, or `undefined` while there is none
   * @throws ProtocolError `ERR_PROTOCOL_LINE_TOO_LONG`, `ERR_PROTOCOL_INVALID_UTF8`; the decoder is poisoned
   *   then
   */
  next(): string | undefined {
    if (this.#error) throw this.#error;
    const newline = this.#chunk.indexOf(NEWLINE, this.#start);
    const end = newline === -1 ? this.#chunk.length : newline;
    const bytes = this.#heldBytes + end - this.#start;
    // One byte more than the limit may be the carriage return of a line that fits.
    if (bytes > this.#maxLineBytes + 1) throw this.#tooLong(bytes);
    if (newline === -1) {
      this.#holdRest();
      return undefined;
    }
    return this.#line(newline);
  }

  /**
   * Reads on at the end of the stream, where the last line need not be ended.
   *
   * @returns the next line, or `undefined` when nothing is left
   * @throws ProtocolError as {@link LineDecoder.next}
   */
  flush(): string | undefined {
    const line = this.next();
    if (line !== undefined || this.#heldBytes === 0) return line;
    return this.#line(this.#chunk.length);
  }

  #line(end: number): string {
    let line = this.#chunk.subarray(this.#start, end);
    this.#start = Math.min(end + 1, this.#chunk.length);
    if (this.#heldBytes > 0) {
      this.#hold(line);
      line = this.#held.subarray(0, this.#heldBytes);
      this.#held = EMPTY;
      this.#heldBytes = 0;
    }
    if (line[line.length - 1] === CARRIAGE_RETURN) line = line.subarray(0, -1);
    if (line.length > this.#maxLineBytes) throw this.#tooLong(line.length);
    try {
      return decodeUtf8(line);
    } catch (error) {
      if (ProtocolError.is(error)) this.#error = error;
      throw error;
    }
  }

  #holdRest(): void {
    if (this.#start < this.#chunk.length) this.#hold(this.#chunk.subarray(this.#start));
    this.#chunk = EMPTY;
    this.#start = 0;
  }

  /** Grows to the double, so that a line which comes byte by byte is not copied once for each byte. */
  #hold(bytes: Uint8Array): void {
    const needed = this.#heldBytes + bytes.length;
    if (this.#held.length < needed) {
      const grown = new Uint8Array(Math.max(2 * needed, MIN_HELD_BYTES));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #tooLong(bytes: number): ProtocolError {
    this.#held = EMPTY;
    this.#heldBytes = 0;
    this.#chunk = EMPTY;
    this.#start = 0;
    this.#error = new ProtocolError(
      ProtocolErrorCode.LineTooLong,
      `line of ${bytes} bytes or more exceeds maxLineBytes ${this.#maxLineBytes}`,
    );
    return this.#error;
  }
}

/**
 * Reads the first line of a client: the wanted name, which may stand behind `USERNAME:` in any case. A byte
 * order mark, which some programs send first, and spaces around the name do not count.
 *
 * @returns the name, not checked yet: see `userNameProblem`
 */
export function parseUserNameLine(line: string): string {
  return line
    .replace(/^\uFEFF/, '')
    .replace(/^USERNAME:/i, '')
    .trim();
}

// Line ends of any kind (CR, LF, VT, FF, NEL, LS, PS).
const LINE_ENDS = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/u;
// Controls but the tab, and the overrides that reorder a line of somebody else.
const UNPRINTABLE = /[\u0000-\u0008\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/gu;

/**
 * Formats a message, one line for each line of its text, each ended by `\n`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { formatMessageLines } from '@chat/protocol';
 *
 * assert.equal(formatMessageLines('ada', 'hi\nbob: me too'), 'ada: hi\nada: bob: me too\n');
 * ```
 */
export function formatMessageLines(name: string, text: string): string {
  let lines = '';
  for (const line of text.split(LINE_ENDS)) lines += `${name}: ${printable(line)}\n`;
  return lines;
}

/** Formats a notice of the server: `*** text`. */
export function formatNoticeLine(text: string): string {
  return `*** ${printable(text.replace(new RegExp(LINE_ENDS, 'gu'), ' '))}\n`;
}

/**
 * Replaces what a terminal would obey instead of show by U+FFFD: controls and overrides of the direction. Line ends
 * and the tab stay; who shows one line splits the text first.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD');
}
