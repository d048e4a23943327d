/** The columns of the table of addresses: which worker has which, as the supervisor gives them out and takes them back. */
import type { SharedSegment } from '@chat/shm';
import { clearColumn, tableBytes } from './address-table.js';

/** Columns beside those of the workers that there are to be: one that is about to go has its own still. */
const SPARE_COLUMNS = 2;

export class AddressColumns {
  readonly #segment: SharedSegment;
  readonly #bytes: number;
  /** The worker that has each. */
  readonly #holders: (number | undefined)[];

  /**
   * @param open makes the memory
   * @throws ShmError where there is none
   */
  constructor(workers: number, open: (payloadBytes: number) => SharedSegment) {
    this.#holders = new Array<number | undefined>(workers + SPARE_COLUMNS).fill(undefined);
    this.#bytes = tableBytes(this.#holders.length);
    this.#segment = open(this.#bytes);
  }

  /** A column for a worker; `undefined` where none is free. */
  take(
    worker: number,
  ): { readonly name: string; readonly bytes: number; readonly column: number } | undefined {
    const column = this.#holders.indexOf(undefined);
    if (column < 0) return undefined;
    this.#holders[column] = worker;
    return { name: this.#segment.name, bytes: this.#bytes, column };
  }

  /** A worker has ended. */
  ended(worker: number): void {
    const column = this.#holders.indexOf(worker);
    if (column < 0) return;
    clearColumn(this.#segment.payload, column);
    this.#holders[column] = undefined;
  }

  close(): void {
    this.#segment.unlink();
    this.#segment.close();
  }
}
