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

/** Options of {@link LineDecoder}. */
export interface LineDecoderOptions {
  /** Longest line in bytes, its end not counted. @defaultValue 16384 */
  readonly maxLineBytes?: number;
}

/**
 * Splits a stream into lines at `\n` or `\r\n`, fed in any cut. Holds at most `maxLineBytes` bytes. Poisoned
 * after an error, as a frame decoder is.
 */
export class LineDecoder {
  readonly #maxLineBytes: number;
  #held: Uint8Array = new Uint8Array(0);
  #chunk: Uint8Array = new Uint8Array(0);
  #start = 0;
  #error: ProtocolError | undefined;

  constructor(options: LineDecoderOptions = {}) {
    this.#maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
    if (!Number.isInteger(this.#maxLineBytes) || this.#maxLineBytes < 1) {
      throw new RangeError(`maxLineBytes must be a positive integer, got ${this.#maxLineBytes}`);
    }
  }

  /** Bytes of an incomplete line that wait for the rest. */
  get pendingBytes(): number {
    return this.#held.length + this.#chunk.length - this.#start;
  }

  /** Adds bytes, cut anywhere. All whole lines of the chunk before must have been read. */
  push(chunk: Uint8Array): void {
    if (this.#error) throw this.#error;
    this.#holdRest();
    this.#chunk = chunk;
    this.#start = 0;
  }

  /**
   * @returns the next whole line without its end, or `undefined` while there is none
   * @throws ProtocolError `ERR_PROTOCOL_LINE_TOO_LONG`, `ERR_PROTOCOL_INVALID_UTF8`
   */
  next(): string | undefined {
    if (this.#error) throw this.#error;
    const newline = this.#chunk.indexOf(NEWLINE, this.#start);
    const end = newline === -1 ? this.#chunk.length : newline;
    const bytes = this.#held.length + end - this.#start;
    // One byte more than the limit may be the carriage return of a line that fits.
    if (bytes > this.#maxLineBytes + 1) throw this.#tooLong(bytes);
    if (newline === -1) {
      this.#holdRest();
      return undefined;
    }
    return this.#line(newline);
  }

  /** The last line of a stream that ended without a line end, or `undefined` when nothing is left. */
  flush(): string | undefined {
    if (this.#error) throw this.#error;
    if (this.pendingBytes === 0) return undefined;
    return this.#line(this.#chunk.length);
  }

  #line(end: number): string {
    let line = this.#chunk.subarray(this.#start, end);
    if (this.#held.length > 0) {
      line = concat(this.#held, line);
      this.#held = new Uint8Array(0);
    }
    this.#start = Math.min(end + 1, this.#chunk.length);
    if (line[line.length - 1] === CARRIAGE_RETURN) line = line.subarray(0, -1);
    if (line.length > this.#maxLineBytes) throw this.#tooLong(line.length);
    try {
      return decodeUtf8(line);
    } catch (error) {
      this.#error = error as ProtocolError;
      throw error;
    }
  }

  #holdRest(): void {
    if (this.#start < this.#chunk.length) {
      this.#held = concat(this.#held, this.#chunk.subarray(this.#start));
    }
    this.#chunk = new Uint8Array(0);
    this.#start = 0;
  }

  #tooLong(bytes: number): ProtocolError {
    this.#error = new ProtocolError(
      ProtocolErrorCode.LineTooLong,
      `line of ${bytes} bytes or more exceeds maxLineBytes ${this.#maxLineBytes}`,
    );
    return this.#error;
  }
}

/** Reads the first line of a client: the wanted name. */
export function parseUserNameLine(line: string): string {
  return line.replace(/^USERNAME:/i, '').trim();
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

/** Replaces what a terminal would obey instead of show. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD');
}

function concat(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right.slice();
  const joined = new Uint8Array(left.length + right.length);
  joined.set(left);
  joined.set(right, left.length);
  return joined;
}
