/**
 * How far the log went, kept beside the database.
 *
 * SQLite reads a damaged or shortened journal as far as it is whole and says nothing about the rest. This file is what
 * the database is held against when it is opened: one line, written over in place after each commit, so it needs no
 * space that is not there already. It is written after the commit: it may be behind the database, never ahead of it,
 * unless the database has lost something.
 */
import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from './crc32.js';

/** What is known of the last process that had the folder open. */
export interface TailRecord {
  readonly epoch: string;
  /** Position of the newest entry that was stored. */
  readonly position: number;
  readonly durability: 'process' | 'disk';
  /** `open`: it ended in the middle. `closed`: it ended well. `beyond`: it gave out positions that were never stored. */
  readonly state: 'open' | 'closed' | 'beyond';
  /** Which start of the machine that was. */
  readonly bootId: string;
}

const NAME = 'chat-tail-1';
/** Less than a sector: the line is on the disk whole, or is the one before. */
const LINE_BYTES = 256;

export class TailFile {
  readonly #file: number;
  readonly #line: Buffer = Buffer.alloc(LINE_BYTES);

  /** Opens the file, and makes it if it is not there. */
  constructor(path: string) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** What was written last; `undefined` when the file is new, `'unreadable'` when it is damaged. */
  read(): TailRecord | 'unreadable' | undefined {
    const bytes = readSync(this.#file, this.#line, 0, LINE_BYTES, 0);
    if (bytes === 0) return undefined;
    const fields = this.#line.toString('latin1', 0, bytes).trimEnd().split(' ');
    const [name, epoch, position, durability, state, bootId, crc] = fields;
    const line = fields.slice(0, -1).join(' ');
    if (fields.length !== 7 || name !== NAME || crc !== checksum(line)) return 'unreadable';
    return {
      epoch: epoch!,
      position: Number(position),
      durability: durability as TailRecord['durability'],
      state: state as TailRecord['state'],
      bootId: bootId!,
    };
  }

  write({ epoch, position, durability, state, bootId }: TailRecord): void {
    const line = `${NAME} ${epoch} ${position} ${durability} ${state} ${bootId}`;
    this.#line.fill(0x20);
    this.#line.write(`${line} ${checksum(line)}`, 'latin1');
    this.#line[LINE_BYTES - 1] = 0x0a;
    writeSync(this.#file, this.#line, 0, LINE_BYTES, 0);
  }

  /** Has the line survive the loss of power. */
  sync(): void {
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function checksum(line: string): string {
  return crc32(line).toString(16).padStart(8, '0');
}
