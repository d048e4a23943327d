/**
 * Some entries of a room as the bytes that members of the line dialect are sent.
 *
 * All of them see the same bytes, but for what they caused themselves. So entries are rendered once, and it is kept
 * where the lines of each sender begin and end: one who spoke gets the same bytes with its own cut out.
 */
import type { Chunk } from '../../log/byte-log.js';
import type { LineCharset } from '../../options/line-charset.js';

/** Bytes of lines, and where each run of lines of one sender ends. */
interface Text {
  readonly bytes: Buffer;
  readonly ends: Float64Array;
}

export class Piece {
  readonly chunk: Chunk;
  readonly from: number;
  /** Offset behind the last entry. */
  readonly to: number;
  readonly entries: number;
  readonly #text: Text;
  readonly #senders: Float64Array;
  /** Which runs each sender has; made for a piece that many read. */
  #runs: Map<number, number[]> | undefined;
  #encoded: Text | undefined;
  #readers = 0;

  /** @param senders of the runs, one for each of `ends` */
  constructor(
    chunk: Chunk,
    span: { readonly from: number; readonly to: number; readonly entries: number },
    bytes: Buffer,
    ends: Float64Array,
    senders: Float64Array,
  ) {
    this.chunk = chunk;
    this.from = span.from;
    this.to = span.to;
    this.entries = span.entries;
    this.#text = { bytes, ends };
    this.#senders = senders;
  }

  /** Size of all lines in UTF-8. */
  get bytes(): number {
    return this.#text.bytes.length;
  }

  /**
   * What `reader` is sent. Borrowed: others are sent the same bytes.
   *
   * @param charset of the reader; undefined for UTF-8
   */
  bytesFor(reader: number, charset: LineCharset | undefined): Buffer {
    const text = charset ? this.#encodedIn(charset) : this.#text;
    const own = this.#runsOf(reader);
    return own === undefined ? text.bytes : without(text, own);
  }

  #runsOf(sender: number): readonly number[] | undefined {
    const senders = this.#senders;
    if (senders.length === 1) return senders[0] === sender ? FIRST_RUN : undefined;
    // In a rush of newcomers each begins at its own place: a piece that one member reads is looked through.
    if (++this.#readers <= FEW_READERS) return runsIn(senders, sender);
    if (!this.#runs) {
      this.#runs = new Map();
      for (let i = 0; i < senders.length; i++) {
        const runs = this.#runs.get(senders[i]!);
        if (runs) runs.push(i);
        else this.#runs.set(senders[i]!, [i]);
      }
    }
    return this.#runs.get(sender);
  }

  /** There is one charset besides UTF-8, so one more text is kept at the most. */
  #encodedIn(charset: LineCharset): Text {
    if (this.#encoded) return this.#encoded;
    const { bytes, ends } = this.#text;
    const parts = Array.from(ends, (end, i) => charset.encode(bytes.toString('utf8', ends[i - 1] ?? 0, end)));
    let length = 0;
    const encodedEnds = Float64Array.from(parts, (part) => {
      length += part.length;
      return length;
    });
    this.#encoded = { bytes: Buffer.concat(parts), ends: encodedEnds };
    return this.#encoded;
  }
}

/** So many readers of a piece do not pay for an index of it. */
const FEW_READERS = 8;
const FIRST_RUN: readonly number[] = [0];
const NOTHING: Buffer = Buffer.alloc(0);

function runsIn(senders: Float64Array, sender: number): readonly number[] | undefined {
  let runs: number[] | undefined;
  for (let i = senders.indexOf(sender); i !== -1; i = senders.indexOf(sender, i + 1)) {
    runs ??= [];
    runs.push(i);
  }
  return runs;
}

function without({ bytes, ends }: Text, runs: readonly number[]): Buffer {
  if (runs.length === ends.length) return NOTHING;
  const rest = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  let from = 0;
  for (const run of runs) {
    length += bytes.copy(rest, length, from, run === 0 ? 0 : ends[run - 1]!);
    from = ends[run]!;
  }
  length += bytes.copy(rest, length, from);
  return rest.subarray(0, length);
}
