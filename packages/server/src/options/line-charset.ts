/**
 * A charset from before UTF-8, both ways, for clients that know nothing else: `windows-1255` and the like.
 *
 * The platform decodes (the Encoding Standard's `TextDecoder`); its tables are turned round for encoding: each
 * byte, and each pair of bytes where one byte is not a character. Any other character becomes a question mark.
 */
const QUESTION_MARK = 0x3f;
const REPLACEMENT = '\uFFFD';
const ASCII_BYTES = 0x80;
const FIRST_TRAIL = 0x30;
const LAST_TRAIL = 0xfe;
const LF = 0x0a;
const FF = 0xff;
const SPACE = 0x20;
const TILDE = 0x7e;
/**
 * What separates lines and words, and what begins another alphabet where bytes depend on those before them. The
 * other controls are not shown, whatever a charset makes of them.
 */
const KEPT_CONTROLS: readonly number[] = [0x00, 0x09, 0x0a, 0x0d, 0x0e, 0x0f, 0x1b];
/**
 * 80–9F of windows-1252 by the Encoding Standard. Some versions of Node decode them as Latin-1, where they are
 * controls; the five that are controls in the standard as well stay so.
 */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ';
const C1 = /[\u0080-\u009F]/g;

export class LineCharset {
  readonly name: string;
  /** Whether the byte FF is a letter, and so need not be a command of Telnet. */
  readonly ffIsText: boolean;
  readonly #decoder: InstanceType<typeof TextDecoder>;
  /** Bytes of each code point that is not ASCII; of a pair, the first is the higher one. */
  readonly #bytes = new Map<number, number>();

  /** @throws RangeError when there is no such charset, or its text may have a line feed that is none */
  constructor(label: string) {
    try {
      this.#decoder = new TextDecoder(label, { ignoreBOM: true });
    } catch (cause) {
      throw new RangeError(`the charset ${label} is not known`, { cause });
    }
    this.name = this.#decoder.encoding;
    for (let byte = 0; byte < ASCII_BYTES; byte++) {
      const isShown = (byte >= SPACE && byte <= TILDE) || KEPT_CONTROLS.includes(byte);
      if (isShown && this.#decoder.decode(Uint8Array.of(byte)) !== String.fromCharCode(byte)) {
        throw new RangeError(`the charset ${this.name} does not contain ASCII as it is`);
      }
    }
    if (!this.isUtf8) this.#turnRound();
    this.ffIsText = !this.isUtf8 && this.decode(Uint8Array.of(FF)) !== REPLACEMENT;
  }

  /** Whether nothing is to be done. */
  get isUtf8(): boolean {
    return this.name === 'utf-8';
  }

  decode(bytes: Uint8Array): string {
    const text = this.#decoder.decode(bytes);
    if (this.name !== 'windows-1252') return text;
    return text.replace(C1, (control) => WINDOWS_1252[control.charCodeAt(0) - ASCII_BYTES]!);
  }

  encode(text: string): Buffer {
    // Composed: the tables have the letter with its accent, not the two by themselves.
    const composed = text.normalize('NFC');
    const bytes = Buffer.allocUnsafe(2 * composed.length);
    let length = 0;
    for (const character of composed) {
      const point = character.codePointAt(0)!;
      const found = point < ASCII_BYTES ? point : (this.#bytes.get(point) ?? QUESTION_MARK);
      if (found > FF) bytes[length++] = found >>> 8;
      bytes[length++] = found;
    }
    return bytes.subarray(0, length);
  }

  #turnRound(): void {
    for (let lead = ASCII_BYTES; lead <= FF; lead++) {
      const character = this.decode(Uint8Array.of(lead));
      if (character === REPLACEMENT) this.#turnPairsRound(lead);
      else this.#add(character, lead);
    }
  }

  /** Decodes all pairs that begin with `lead` at once: a pair a line. */
  #turnPairsRound(lead: number): void {
    const pairs = new Uint8Array(3 * (LAST_TRAIL - FIRST_TRAIL + 1));
    for (let i = 0; i < pairs.length; i += 3) pairs.set([lead, FIRST_TRAIL + i / 3, LF], i);
    const characters = this.#decoder.decode(pairs).split('\n');
    for (const [i, character] of characters.entries()) this.#add(character, (lead << 8) | (FIRST_TRAIL + i));
  }

  #add(character: string, bytes: number): void {
    const [first, ...more] = character;
    if (first === undefined || first === REPLACEMENT || more.length > 0) return;
    const point = first.codePointAt(0)!;
    // Where there are two ways to write it, the first one is the common one.
    if (point >= ASCII_BYTES && !this.#bytes.has(point)) this.#bytes.set(point, bytes);
  }
}
