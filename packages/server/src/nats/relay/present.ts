/** Which processes take part in a chat, for one who reads its blocks and applies none of them. */
import { readBlock } from '../../log/block.js';
import { claimFields } from '../../log/claims.js';
import { CLAIM, ClaimKind } from '../../log/entry.js';
import { BLOCK_HEADER_BYTES } from '../../log/shared/block-header.js';

export class Present {
  readonly #processes: Set<number>;

  /** @param known those of a snapshot */
  constructor(known: Iterable<number>) {
    this.#processes = new Set(known);
  }

  /** Those that have come and have not gone, as far as was read. */
  get processes(): readonly number[] {
    return [...this.#processes];
  }

  /** Takes the next block of the stream. */
  take(origin: number, block: Uint8Array): void {
    for (const { type, kind, body } of readBlock(block.subarray(BLOCK_HEADER_BYTES), 0)) {
      if (type !== CLAIM) continue;
      if (kind === ClaimKind.ProcessCame) this.#processes.add(origin);
      if (kind !== ClaimKind.ProcessGone) continue;
      this.#processes.delete(claimFields(ClaimKind.ProcessGone, body).process);
    }
  }
}
