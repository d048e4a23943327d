/**
 * Splits what a client of the line dialect sends into lines, whatever it ends them with.
 *
 * LF ends a line, and so do CR, CR LF, NUL and CR NUL: the C programs that send a string with its NUL, the Enter
 * of a terminal in raw mode and that of Telnet. Telnet's commands are taken out before. A line that is too long
 * is reported and skipped to its end, in bounded memory; the next one is read as if nothing had been.
 */

import { decodeUtf8 } from '../bytes/utf8.js';
import { ProtocolError, ProtocolErrorCode } from '../errors.js';
import { DEFAULT_MAX_LINE_BYTES } from '../limits.js';
import { IAC, TelnetFilter } from './telnet.js';

// The class exists in Node and in every browser; the compiler knows it only together with the DOM.
declare const TextDecoder: new (
  label: string,
  options: { readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const EMPTY = new Uint8Array(0);
const MIN_HELD_BYTES = 64;
/** Behind every chunk. */
const NOWHERE = 0x3fff_ffff;

/** Options of {@link LineDecoder}. */
export interface LineDecoderOptions {
  /** Longest line in bytes, its end not counted. @defaultValue 16384 */
  readonly maxLineBytes?: number;
  /**
   * Whether the byte FF is a letter of the charset that is read. It begins a command of Telnet then only in a stream
   * that begins with one. @defaultValue false
   */
  readonly ffIsText?: boolean;
}

/**
 * Splits a stream into lines, fed in any cut. Holds at most `maxLineBytes` bytes of an unfinished line, in an array of
 * at most twice the size.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { LineDecoder } from '@chat/protocol/lines';
 *
 * const decoder = new LineDecoder();
 * decoder.push(new TextEncoder().encode('USERNAME: ada\r\nhel'));
 * assert.equal(decoder.next(), 'USERNAME: ada');
 * assert.equal(decoder.next(), undefined);
 * decoder.push(new TextEncoder().encode('lo\0'));
 * assert.equal(decoder.next(), 'hello');
 * ```
 */
export class LineDecoder {
  readonly #maxLineBytes: number;
  readonly #ffIsText: boolean;
  /** Whether FF begins a command; undefined until the first byte tells. */
  #isTelnet: boolean | undefined;
  #telnet: TelnetFilter | undefined;
  /** The beginning of a line that was cut: `#heldBytes` of the array are valid. */
  #held: Uint8Array = EMPTY;
  #heldBytes = 0;
  #chunk: Uint8Array = EMPTY;
  #start = 0;
  /** Where the next end of each kind lies in the chunk; not before `#start` once looked for. */
  #nextLf = NOWHERE;
  #nextCr = NOWHERE;
  #nextNul = NOWHERE;
  /** LF or NUL behind this CR belongs to it. */
  #isAfterCr = false;
  /** The line that is being read is too long, and was reported. */
  #isSkipping = false;

  /** @throws RangeError when `maxLineBytes` is not a positive integer; TypeError for another option */
  constructor({
    maxLineBytes = DEFAULT_MAX_LINE_BYTES,
    ffIsText = false,
    ...others
  }: LineDecoderOptions = {}) {
    for (const name in others) {
      throw new TypeError(`unknown option "${name}"; there is maxLineBytes, ffIsText`);
    }
    this.#maxLineBytes = maxLineBytes;
    if (!Number.isSafeInteger(this.#maxLineBytes) || this.#maxLineBytes < 1) {
      throw new RangeError(`maxLineBytes must be a positive integer, got ${this.#maxLineBytes}`);
    }
    this.#ffIsText = ffIsText;
    this.#isTelnet = this.#ffIsText ? undefined : true;
  }

  /** Bytes that wait to be read as lines. */
  get pendingBytes(): number {
    return this.#heldBytes + this.#chunk.length - this.#start;
  }

  /** Whether the stream stops within a line, one that is skipped included. All whole lines must have been read. */
  get isWithinLine(): boolean {
    return this.pendingBytes > 0 || this.#isSkipping;
  }

  /** Whether nothing was kept: a new decoder would read what follows in the same way. */
  get isFresh(): boolean {
    return !this.isWithinLine && !this.#isAfterCr && this.#telnet === undefined && !this.#ffIsText;
  }

  /** Timing marks of Telnet that were asked for since the last call; see `TIMING_MARK_ANSWER`. */
  takeTimingMarks(): number {
    return this.#telnet?.takeTimingMarks() ?? 0;
  }

  /** Adds bytes, cut anywhere. All whole lines of the chunk before must have been read. */
  push(chunk: Uint8Array): void {
    this.#holdRest();
    if (chunk.length === 0) return;
    this.#isTelnet ??= chunk[0] === IAC;
    let text = chunk;
    if (this.#isTelnet && (this.#telnet?.isWithin || chunk.includes(IAC))) {
      this.#telnet ??= new TelnetFilter(this.#ffIsText);
      text = this.#telnet.filter(chunk);
      if (text.length === 0) return;
    }
    this.#chunk = text;
    this.#start = 0;
    this.#nextLf = -1;
    this.#nextCr = -1;
    this.#nextNul = -1;
    if (this.#isAfterCr) {
      this.#isAfterCr = false;
      if (text[0] === LF || text[0] === NUL) this.#start = 1;
    }
  }

  /**
   * Moves on to the next line.
   *
   * @returns the line without its end, or `undefined` while there is none; bytes that are not UTF-8 as U+FFFD
   * @throws ProtocolError `ERR_PROTOCOL_LINE_TOO_LONG`, once for such a line; the next call goes on behind it
   */
  next(): string | undefined {
    return decode(this.nextBytes());
  }

  /**
   * Reads on at the end of the stream, or where the sender ends its lines by silence: the last line need not be ended.
   *
   * @returns the next line, or `undefined` when nothing is left
   * @throws ProtocolError as {@link LineDecoder.next}
   */
  flush(): string | undefined {
    return decode(this.flushBytes());
  }

  /** As {@link LineDecoder.next}, undecoded. Stays valid for as long as the chunk that was pushed does. */
  nextBytes(): Uint8Array | undefined {
    for (;;) {
      const end = this.#findEnd();
      if (this.#isSkipping) {
        if (end === NOWHERE) {
          this.#dropChunk();
          return undefined;
        }
        this.#isSkipping = false;
        this.#passEnd(end);
        continue;
      }
      const to = end === NOWHERE ? this.#chunk.length : end;
      const bytes = this.#heldBytes + to - this.#start;
      if (bytes > this.#maxLineBytes) {
        this.#held = EMPTY;
        this.#heldBytes = 0;
        this.#isSkipping = end === NOWHERE;
        if (end === NOWHERE) this.#dropChunk();
        else this.#passEnd(end);
        throw new ProtocolError(
          ProtocolErrorCode.LineTooLong,
          `line of ${bytes} bytes or more exceeds maxLineBytes ${this.#maxLineBytes}`,
        );
      }
      if (end === NOWHERE) {
        this.#holdRest();
        return undefined;
      }
      const line = this.#take(end);
      this.#passEnd(end);
      return line;
    }
  }

  /** As {@link LineDecoder.flush}, undecoded. */
  flushBytes(): Uint8Array | undefined {
    const line = this.nextBytes();
    if (line) return line;
    this.#isSkipping = false;
    return this.#heldBytes === 0 ? undefined : this.#take(this.#start);
  }

  /** Offset of the next line end; each kind is looked for once up to where it is found. */
  #findEnd(): number {
    const chunk = this.#chunk;
    const start = this.#start;
    if (start >= chunk.length) return NOWHERE;
    if (this.#nextLf < start) this.#nextLf = find(chunk, LF, start);
    if (this.#nextCr < start) this.#nextCr = find(chunk, CR, start);
    if (this.#nextNul < start) this.#nextNul = find(chunk, NUL, start);
    return Math.min(this.#nextLf, this.#nextCr, this.#nextNul);
  }

  #passEnd(end: number): void {
    const chunk = this.#chunk;
    let start = end + 1;
    if (chunk[end] === CR) {
      if (start === chunk.length) this.#isAfterCr = true;
      else if (chunk[start] === LF || chunk[start] === NUL) start++;
    }
    this.#start = start;
    if (start === chunk.length) this.#dropChunk();
  }

  #take(end: number): Uint8Array {
    const line = this.#chunk.subarray(this.#start, end);
    if (this.#heldBytes === 0) return line;
    this.#hold(line);
    const whole = this.#held.subarray(0, this.#heldBytes);
    this.#held = EMPTY;
    this.#heldBytes = 0;
    return whole;
  }

  #holdRest(): void {
    if (this.#start < this.#chunk.length) this.#hold(this.#chunk.subarray(this.#start));
    this.#dropChunk();
  }

  #dropChunk(): void {
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
}

function find(chunk: Uint8Array, byte: number, from: number): number {
  const at = chunk.indexOf(byte, from);
  return at === -1 ? NOWHERE : at;
}

function decode(line: Uint8Array | undefined): string | undefined {
  if (line === undefined) return undefined;
  try {
    return decodeUtf8(line);
  } catch (error) {
    if (!ProtocolError.is(error)) throw error;
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(line);
  }
}
