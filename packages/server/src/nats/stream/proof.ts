/**
 * Whether two servers have read the same stream. A stream that was shortened, as by a loss of power, grows again: then
 * other blocks stand where some servers have read already, and each would go on with a past of its own.
 *
 * So every message says how far its sender had read when it sent it, and a sum of all that it had read up to there. A
 * reader that comes to another sum knows that they have read two streams; one that finds a message before what its
 * sender had read knows that the stream was shortened. The sum begins with the epoch, so another stream differs from its
 * first message on.
 */

/** The header that says so: `seq.sum`. */
export const READ_HEADER = 'Chat-Read';
/** A sender that is behind by more cannot be checked. */
const KEPT_SUMS = 65_536;
/** The first bytes of a block tell whose it is and its number: nobody sends another one under these. */
const SUMMED_BYTES = 16;
// FNV-1a, 32 bits.
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class StreamProof {
  readonly #sums = new Uint32Array(KEPT_SUMS);
  readonly #first: number;
  #seq: number;
  #sum: number;

  /** @param known what an earlier reader knew at a message of this epoch */
  constructor(epoch: string, known: { readonly seq: number; readonly sum?: number | undefined }) {
    this.#first = known.seq;
    this.#seq = known.seq;
    this.#sum = known.sum ?? summed(FNV_OFFSET, Buffer.from(epoch));
    this.#sums[this.#seq % KEPT_SUMS] = this.#sum;
  }

  /** Sum of all up to the message that came last. */
  get sum(): number {
    return this.#sum;
  }

  /** What a message says that is sent now. */
  get stamp(): string {
    return `${this.#seq}.${this.#sum}`;
  }

  /**
   * Takes the next message.
   *
   * @param stamp what it says of its sender; a sender of an older version says nothing
   * @returns what is wrong with the stream
   */
  take(seq: number, bytes: Uint8Array, stamp: string | undefined): string | undefined {
    const problem = stamp ? this.#problem(seq, stamp) : undefined;
    if (problem !== undefined) return problem;
    this.#seq = seq;
    this.#sum = summed(this.#sum, bytes.subarray(0, SUMMED_BYTES));
    this.#sums[seq % KEPT_SUMS] = this.#sum;
    return undefined;
  }

  #problem(seq: number, stamp: string): string | undefined {
    const [read, sum] = stamp.split('.').map(Number) as [number, number];
    if (read >= seq) return `was shortened: block ${seq} is from a server that had read up to ${read}`;
    if (read < this.#first || this.#seq - read >= KEPT_SUMS) return undefined;
    if (this.#sums[read % KEPT_SUMS] === sum) return undefined;
    return `was shortened: block ${seq} is from a server that has read something else up to ${read}`;
  }
}

/** Tells a message from every other one of the stream. */
export function signatureOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, SUMMED_BYTES)).toString('hex');
}

function summed(sum: number, bytes: Uint8Array): number {
  let next = sum;
  for (const byte of bytes) next = Math.imul(next ^ byte, FNV_PRIME);
  return next >>> 0;
}
