/** An answer of a thread whose buffers go over to the caller instead of being copied. */
import type { TransferListItem } from 'node:worker_threads';

export class Transferred<T> {
  readonly value: T;
  readonly transfer: readonly TransferListItem[];

  constructor(value: T, transfer: readonly TransferListItem[]) {
    this.value = value;
    this.transfer = transfer;
  }
}
