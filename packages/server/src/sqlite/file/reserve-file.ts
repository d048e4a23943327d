/**
 * Space that is kept for a full disk. SQLite needs some even to remove entries, so retention could not make room by
 * itself: this file is given up for it, and made again when there is space.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const STEP_BYTES = 1_048_576;

export class ReserveFile {
  readonly #path: string;
  readonly #bytes: number;

  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#bytes = bytes;
  }

  /** Makes the file if it is not there. Answers whether it is there now. */
  fill(): boolean {
    if (this.#bytes === 0 || statSync(this.#path, { throwIfNoEntry: false })?.size === this.#bytes)
      return true;
    try {
      const file = openSync(this.#path, 'w', 0o600);
      try {
        // Zeros that are written take space; a file that is only made longer does not.
        const zeros = Buffer.alloc(Math.min(STEP_BYTES, this.#bytes));
        for (let at = 0; at < this.#bytes; ) {
          at += writeSync(file, zeros, 0, Math.min(zeros.length, this.#bytes - at), at);
        }
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      return true;
    } catch {
      this.giveUp();
      return false;
    }
  }

  /** Whether there is so much space that making the file would leave as much again. */
  hasSpace(): boolean {
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    return bavail * bsize >= this.#bytes * 2;
  }

  /** Answers whether there was something to give up. */
  giveUp(): boolean {
    const isThere = existsSync(this.#path);
    rmSync(this.#path, { force: true });
    return isThere;
  }
}
