/**
 * Counts the frames of a WebSocket in the bytes that come from a client (RFC 6455, 5.2), cut anywhere. It looks at
 * headers alone and judges nothing: that is the library's. What it is for is the account of input, on which a frame
 * that carries nothing counts as well.
 */

const OPCODE_MASK = 0x0f;
const FIN = 0x80;
const MASKED = 0x80;
const LENGTH_MASK = 0x7f;
const FIRST_CONTROL_OPCODE = 8;
const MASK_BYTES = 4;
/** The longest header: two bytes, a length of eight, a mask. */
const MAX_HEADER_BYTES = 14;

export class UnitMeter {
  /** Frames that begin in the chunk that was counted last. */
  units = 0;
  /** Those of them that carry nothing of a message: control frames, fragments, empty ones. */
  trifles = 0;
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #have = 0;
  #payloadLeft = 0;

  count(chunk: Uint8Array): void {
    this.units = 0;
    this.trifles = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const passed = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= passed;
        at += passed;
        continue;
      }
      this.#header[this.#have++] = chunk[at++]!;
      if (this.#have >= 2 && this.#have === this.#headerBytes()) this.#unit();
    }
  }

  #unit(): void {
    const [first, second] = [this.#header[0]!, this.#header[1]!];
    const length = this.#length(second & LENGTH_MASK);
    const opcode = first & OPCODE_MASK;
    const isWhole = (first & FIN) !== 0 && opcode !== 0;
    this.units++;
    if (!isWhole || opcode >= FIRST_CONTROL_OPCODE || length === 0) this.trifles++;
    this.#payloadLeft = length;
    this.#have = 0;
  }

  #headerBytes(): number {
    const second = this.#header[1]!;
    return 2 + extendedBytes(second & LENGTH_MASK) + (second & MASKED ? MASK_BYTES : 0);
  }

  #length(short: number): number {
    const bytes = extendedBytes(short);
    let length = bytes === 0 ? short : 0;
    for (let i = 0; i < bytes; i++) length = length * 256 + this.#header[2 + i]!;
    return length;
  }
}

function extendedBytes(short: number): number {
  return short === 127 ? 8 : short === 126 ? 2 : 0;
}
