/**
 * Takes the commands of Telnet (RFC 854, 855) out of a stream: `telnet` and terminal programs send them among the
 * text, to negotiate options or when Ctrl-C is pressed. Nothing is negotiated: each option stays as it is without.
 *
 *     FF FB…FE option    an option is offered or asked for
 *     FF FA … FF F0      a subnegotiation
 *     FF EC…F9, FF F0    a command
 *     FF FF              the byte FF itself
 *
 * FF before any other byte is no command, but text of a charset that has such a letter.
 */

/** First byte of every command: "interpret as command". */
export const IAC = 0xff;
const FIRST_COMMAND = 0xec;
const SE = 0xf0;
const SB = 0xfa;
const WILL = 0xfb;
const DO = 0xfd;
/** RFC 860: `telnet` shows nothing more after Ctrl-C until this is answered. */
const TIMING_MARK = 0x06;
/** The answer to a request for a timing mark: everything before it was seen. */
export const TIMING_MARK_ANSWER: Uint8Array = Uint8Array.of(IAC, WILL, TIMING_MARK);
/** A subnegotiation that is longer was none, and must not swallow what follows for ever. */
const MAX_SUBNEGOTIATION_BYTES = 512;

type State = 'text' | 'command' | 'option' | 'subnegotiation' | 'subnegotiation-command';

/** Filters one stream, fed in any cut. */
export class TelnetFilter {
  readonly #keepsFf: boolean;
  #state: State = 'text';
  #verb = 0;
  #subnegotiationBytes = 0;
  #timingMarks = 0;

  /** @param keepsFf whether FF FF is one byte FF of the text, as in a charset that has a letter there */
  constructor(keepsFf: boolean) {
    this.#keepsFf = keepsFf;
  }

  /** Whether a command is cut. */
  get isWithin(): boolean {
    return this.#state !== 'text';
  }

  /** Timing marks that were asked for since the last call. */
  takeTimingMarks(): number {
    const marks = this.#timingMarks;
    this.#timingMarks = 0;
    return marks;
  }

  /** Answers the text of a chunk: an array of its own. */
  filter(chunk: Uint8Array): Uint8Array {
    // One more: the FF that ended the chunk before may turn out to be text.
    const text = new Uint8Array(chunk.length + 1);
    let length = 0;
    for (const byte of chunk) {
      switch (this.#state) {
        case 'text':
          if (byte === IAC) this.#state = 'command';
          else text[length++] = byte;
          break;
        case 'command':
          if (byte >= WILL && byte < IAC) {
            this.#state = 'option';
            this.#verb = byte;
          } else if (byte === SB) {
            this.#state = 'subnegotiation';
            this.#subnegotiationBytes = 0;
          } else {
            this.#state = 'text';
            if (byte < FIRST_COMMAND) {
              text[length++] = IAC;
              text[length++] = byte;
            } else if (byte === IAC && this.#keepsFf) {
              text[length++] = IAC;
            }
          }
          break;
        case 'option':
          if (this.#verb === DO && byte === TIMING_MARK) this.#timingMarks++;
          this.#state = 'text';
          break;
        case 'subnegotiation':
          if (byte === IAC) this.#state = 'subnegotiation-command';
          else if (++this.#subnegotiationBytes > MAX_SUBNEGOTIATION_BYTES) this.#state = 'text';
          break;
        case 'subnegotiation-command':
          this.#state = byte === SE ? 'text' : 'subnegotiation';
          break;
      }
    }
    return text.subarray(0, length);
  }
}
