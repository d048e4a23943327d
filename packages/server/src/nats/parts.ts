/**
 * Blocks that are larger than what NATS takes as a message travel in parts. A part says whose it is, which try it belongs
 * to, and its place; a part that is missing makes its try void, and the block is sent again as another one. All readers
 * read the same parts in the same order, so all of them have the block at the position of its last part.
 */

/** Where a part belongs, as it stands in the header of its message: `sender.try.index.count`. */
export const PART_HEADER = 'Chat-Part';
/** Room for that header and its frame in a message. */
const HEADER_BYTES = 256;

export interface Part {
  /** `undefined` for a block that is one message. */
  readonly place: string | undefined;
  readonly bytes: Uint8Array;
}

/** @param maxBytes of a message, as the NATS server says */
export function partsOf(block: Uint8Array, maxBytes: number, sender: string, attempt: number): Part[] {
  if (block.length <= maxBytes) return [{ place: undefined, bytes: block }];
  const size = maxBytes - HEADER_BYTES;
  const count = Math.ceil(block.length / size);
  return Array.from({ length: count }, (_, index) => ({
    place: [sender, attempt, index, count].join('.'),
    bytes: block.subarray(index * size, (index + 1) * size),
  }));
}

/** A block of which parts have come, and others have not. */
export interface BegunBlock {
  readonly sender: string;
  readonly attempt: string;
  readonly parts: readonly Uint8Array[];
}

/** Puts blocks together. */
export class PartReader {
  /** What has come so far of the try that each sender is at. */
  readonly #begun = new Map<string, { readonly attempt: string; readonly parts: Uint8Array[] }>();

  /** @param begun what an earlier reader had */
  constructor(begun: readonly BegunBlock[] = []) {
    for (const { sender, attempt, parts } of begun) this.#begun.set(sender, { attempt, parts: [...parts] });
  }

  /** What has come of blocks whose other parts have not. */
  get begun(): BegunBlock[] {
    return Array.from(this.#begun, ([sender, { attempt, parts }]) => ({
      sender,
      attempt,
      parts: [...parts],
    }));
  }

  /** The block that this part ends. */
  take(place: string | undefined, bytes: Uint8Array): Uint8Array | undefined {
    if (place === undefined) return bytes;
    const [sender = '', attempt = '', index, count] = place.split('.');
    if (index === '0') this.#begun.set(sender, { attempt, parts: [] });
    const begun = this.#begun.get(sender);
    if (begun?.attempt !== attempt || begun.parts.length !== Number(index)) return undefined;
    begun.parts.push(Uint8Array.from(bytes));
    if (begun.parts.length < Number(count)) return undefined;
    this.#begun.delete(sender);
    return Buffer.concat(begun.parts);
  }
}
