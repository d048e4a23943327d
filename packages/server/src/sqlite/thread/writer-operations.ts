/** What the thread that writes does when it is called, and by itself in between. */

import { ServerError, ServerErrorCode } from '../../errors.js';
import type { Block } from '../../log/block.js';
import type { RemovalWish } from '../../log/event-log.js';
import type { SentBlock } from '../rows/process-rows.js';
import { type ErrorMessage, storeError, toErrorMessage } from '../store-error.js';
import {
  type OpenedStore,
  StoreWriter,
  type StoreWriterOptions,
  type WrittenBlock,
} from '../store-writer.js';
import { Transferred } from './transferred.js';

/** What became of a group. */
export interface WriteAnswer {
  /** The blocks with their bytes, which come back in any case. */
  readonly blocks: readonly Block[];
  /** Why they are not stored. */
  readonly error: ErrorMessage | undefined;
  /** How long it took in the thread. */
  readonly commitMs: number;
}

/** What was found in the folder, and its newest entries. */
export interface OpenAnswer extends OpenedStore {
  readonly tail: readonly Block[];
  /** See {@link Recovered.floors}. */
  readonly floors: ReadonlyMap<string, number>;
  /** The last block of each process, where several share the log. */
  readonly sent: readonly SentBlock[];
}

/** How much is stored. */
export interface StoredTotals {
  readonly entries: number;
  /** Bytes of all blocks. */
  readonly blockBytes: number;
  /** Bytes of the database and its journal on the disk. */
  readonly fileBytes: number;
}

export interface WriterOperations {
  /** Opens the folder; to be called first. Answers entries up to that many bytes. */
  open(tailBytes: number): Transferred<OpenAnswer>;
  /** The same once more, as it is now. */
  view(tailBytes: number): Transferred<OpenAnswer>;
  /** The block that begins at `first`; without bytes when it was removed. */
  read(first: number): Pick<Block, 'last' | 'bytes'>;
  /** Stores blocks, all or none. */
  write(blocks: readonly WrittenBlock[]): Transferred<WriteAnswer>;
  /** Removes entries; answers how many, when the last one is gone. */
  remove(wish: RemovalWish): Promise<number>;
  makeRoom(argument: undefined): boolean;
  goBeyond(argument: undefined): void;
  totals(argument: undefined): StoredTotals;
  close(argument: undefined): void;
}

/** So often the thread looks whether something can be tidied up. */
const TICK_MS = 250;
/** It does so for this long at a time, then writes come first. */
const TIDY_MS = 10;

export function writerOperations(options: StoreWriterOptions): WriterOperations {
  let writer: StoreWriter | undefined;
  let timer: NodeJS.Timeout | undefined;
  const opened = (): StoreWriter => {
    if (!writer) throw new ServerError(ServerErrorCode.Closed, 'the store is not open');
    return writer;
  };

  /** Removals, retention and space, a little at a time. What goes wrong there shows with the next write as well. */
  function tidy(): void {
    const end = performance.now() + TIDY_MS;
    try {
      while (writer?.keepHouse(Date.now()).worked && performance.now() < end);
    } catch {
      // A full disk, most likely; the next tick tries again.
    }
  }

  function view(tailBytes: number): Transferred<OpenAnswer> {
    const tail = opened().readTail(tailBytes);
    const floors = opened().readFloors(tail[0]?.first);
    return transferBlocks({ ...opened().opened, sent: opened().sent, tail, floors }, tail);
  }

  return {
    open: (tailBytes) => {
      writer = new StoreWriter(options);
      timer = setInterval(tidy, TICK_MS);
      return view(tailBytes);
    },
    view,
    read: (first) => opened().readBlock(first),
    write: (blocks) => {
      const start = performance.now();
      let error: ErrorMessage | undefined;
      try {
        opened().write(blocks);
      } catch (cause) {
        error = toErrorMessage(storeError(cause, options.directory));
      }
      return transferBlocks({ blocks, error, commitMs: performance.now() - start }, blocks);
    },
    remove: async (wish) => {
      if (!opened().beginRemoval(wish)) return 0;
      let removed = 0;
      while (opened().isRemoving) {
        removed += opened().keepHouse(Date.now()).removed;
        // Writes that came meanwhile are next.
        await new Promise((resolve) => setImmediate(resolve));
      }
      return removed;
    },
    makeRoom: () => opened().makeRoom(Date.now()),
    goBeyond: () => opened().goBeyond(),
    totals: () => opened().totals(),
    close: () => {
      clearInterval(timer);
      writer?.close();
      writer = undefined;
    },
  };
}

function transferBlocks<T>(value: T, blocks: readonly Block[]): Transferred<T> {
  return new Transferred(value, [...new Set(blocks.map(({ bytes }) => bytes.buffer as ArrayBuffer))]);
}
