/**
 * The lines of a client of the line dialect, in UTF-8, whatever it ends its lines with and whichever charset it
 * writes.
 *
 * There are programs that send a name and messages without any end, each in one piece. So a first line that stays
 * unended for a while counts as one, and from then on every line of that connection. A terminal that sends each key
 * by itself looks the same but for one thing: its line begins with one character alone, and waits for its end.
 */
import { isUtf8 } from 'node:buffer';
import { LineDecoder } from '@chat/protocol/lines';
import type { LineCharset } from '../../options/line-charset.js';
import { type Clock, MAX_TIMER_MS } from '../../time/clock.js';

/** How the lines of a client end. */
type Ends = 'unknown' | 'by-line-end' | 'by-silence';

/** How a {@link LineReader} reads. */
export interface LineReaderOptions {
  readonly maxLineBytes: number;
  readonly lineIdleMs: number;
  readonly clock: Clock;
  readonly charset: LineCharset;
}

/** The owner of a {@link LineReader}. */
export interface LineReaderOwner {
  /** There is a line to be read that was ended by silence. */
  onSilence(): void;
}

export class LineReader {
  readonly #options: LineReaderOptions;
  readonly #owner: LineReaderOwner;
  /** Undefined while nothing is kept: an idle session has none. */
  #decoder: LineDecoder | undefined;
  #ends: Ends = 'unknown';
  /** The line that is being read began with one character alone. */
  #isTyped = false;
  #isSilent = false;
  #hasEnded = false;
  #cancel: (() => void) | undefined;
  #isForeign = false;
  #wasUtf8 = true;

  constructor(options: LineReaderOptions, owner: LineReaderOwner) {
    const { lineIdleMs } = options;
    this.#options = options;
    this.#owner = owner;
    if (lineIdleMs === 0 || lineIdleMs > MAX_TIMER_MS) this.#ends = 'by-line-end';
  }

  /** Whether the client has shown that it writes, and so reads, another charset than UTF-8. */
  get isForeign(): boolean {
    return this.#isForeign;
  }

  /** Whether the line that was read last came in UTF-8, or in the charset that is set for others. */
  get wasReadable(): boolean {
    return this.#wasUtf8 || this.#isForeign;
  }

  /** Whether there is an unfinished line. */
  get isWithinLine(): boolean {
    return this.#decoder?.isWithinLine ?? false;
  }

  /** Whether the client will send nothing more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The client will send nothing more: what is unended is its last line. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Timing marks of Telnet that want an answer. */
  takeTimingMarks(): number {
    return this.#decoder?.takeTimingMarks() ?? 0;
  }

  /** Adds what arrived. */
  push(chunk: Uint8Array): void {
    this.stop();
    if (this.#ends === 'unknown' && !this.isWithinLine) this.#isTyped = isOneCharacter(chunk);
    const { maxLineBytes, charset } = this.#options;
    this.#decoder ??= new LineDecoder({ maxLineBytes, ffIsText: charset.ffIsText });
    this.#decoder.push(chunk);
  }

  /**
   * The next line in UTF-8, without its end.
   *
   * @returns undefined when there is none yet
   * @throws ProtocolError `ERR_PROTOCOL_LINE_TOO_LONG`; the next call goes on behind it
   */
  next(): Uint8Array | undefined {
    const decoder = this.#decoder;
    if (!decoder) return undefined;
    let line = decoder.nextBytes();
    if (line) {
      if (this.#ends === 'unknown') this.#ends = 'by-line-end';
    } else if (this.#hasEnded || this.#isSilent) {
      line = decoder.flushBytes();
      if (this.#isSilent && this.#ends === 'unknown') this.#ends = 'by-silence';
      this.#isSilent = false;
    } else if (decoder.isFresh) {
      this.#decoder = undefined;
    } else if (this.#ends !== 'by-line-end') {
      this.#awaitSilence();
    }
    return line && this.#inUtf8(line);
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#isSilent = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #awaitSilence(): void {
    if (this.#cancel || !this.isWithinLine) return;
    if (this.#ends === 'unknown' && this.#isTyped) return;
    const { clock, lineIdleMs } = this.#options;
    this.#cancel = clock.after(lineIdleMs, () => {
      this.#cancel = undefined;
      this.#isSilent = true;
      this.#owner.onSilence();
    });
  }

  #inUtf8(line: Uint8Array): Uint8Array {
    this.#wasUtf8 = isUtf8(line);
    if (this.#wasUtf8) return line;
    const { charset } = this.#options;
    if (!charset.isUtf8) this.#isForeign = true;
    return Buffer.from(charset.decode(line));
  }
}

/** Whether these bytes are one key: a control, a letter, or one of the longer characters of UTF-8. */
function isOneCharacter(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  const length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return bytes.length <= length;
}
