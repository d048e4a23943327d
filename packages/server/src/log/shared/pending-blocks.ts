/**
 * Drafts on their way through a log that is more than the heap: copied into blocks, and remembered as the entries that
 * they will be once the blocks come back.
 */
import { type Block, BlockWriter } from '../block.js';
import type { Draft, LogEntry } from '../entry.js';

const NOTHING = new Uint8Array(0);

/** The part of an entry that is filled in when its block comes back. */
type PendingEntry = { -readonly [K in keyof LogEntry]: LogEntry[K] };

/** A block, and its entries. */
export class PendingBlock {
  readonly block: Block;
  readonly #entries: readonly PendingEntry[];
  /** Where the body of each entry lies in the block, and its length. */
  readonly #bodies: readonly number[];

  constructor(block: Block, entries: readonly PendingEntry[], bodies: readonly number[]) {
    this.block = block;
    this.#entries = entries;
    this.#bodies = bodies;
  }

  /** The entries, whose bodies are not to be read. */
  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /**
   * The entries with their bodies, which are views of `bytes`.
   *
   * @param first position of the first one, where it was not known before
   */
  fill(bytes: Uint8Array, first?: number): readonly LogEntry[] {
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (first !== undefined) entry.seq = first + i;
      const start = this.#bodies[2 * i]!;
      entry.body = bytes.subarray(start, start + this.#bodies[2 * i + 1]!);
    }
    return this.#entries;
  }
}

export class PendingBlocks {
  readonly #writer: BlockWriter = new BlockWriter();
  #entries: PendingEntry[] = [];
  #bodies: number[] = [];
  #closed: PendingBlock[] = [];
  /** Bytes of all blocks that were not taken yet. */
  bytes = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0 && this.#closed.length === 0;
  }

  /** Copies a draft, which is to have the position `seq`; where that is not known yet, its number among all drafts. */
  add(draft: Draft, seq: number): void {
    if (!this.#writer.hasSpaceFor(draft)) this.#closeBlock();
    const before = this.#writer.bytes;
    const body = this.#writer.add(draft, seq);
    this.bytes += this.#writer.bytes - before;
    this.#bodies.push(body, draft.body.length);
    const { room, type, codec, kind, sender, name, at, publishId, origin } = draft;
    this.#entries.push({
      room,
      type,
      codec,
      kind,
      sender,
      name,
      body: NOTHING,
      at,
      publishId,
      origin,
      seq,
    });
  }

  /** Takes the oldest blocks, with about `maxBytes`, one at least. */
  take(maxBytes: number): PendingBlock[] {
    this.#closeBlock();
    const taken: PendingBlock[] = [];
    for (let left = maxBytes; this.#closed.length > 0 && left > 0; ) {
      const pending = this.#closed.shift()!;
      left -= pending.block.bytes.length;
      this.bytes -= pending.block.bytes.length;
      taken.push(pending);
    }
    return taken;
  }

  #closeBlock(): void {
    const block = this.#writer.take();
    if (!block) return;
    this.#closed.push(new PendingBlock(block, this.#entries, this.#bodies));
    this.#entries = [];
    this.#bodies = [];
  }
}
