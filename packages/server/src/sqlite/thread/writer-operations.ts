/** What the thread that writes does when it is called. */

import { ServerError, ServerErrorCode } from '../../errors.js';
import type { Block } from '../../log/block.js';
import { type OpenedStore, StoreWriter, type StoreWriterOptions } from '../store-writer.js';
import { Transferred } from './transferred.js';

export interface WriterOperations {
  /** Opens the folder; to be called first. */
  open(argument: undefined): OpenedStore;
  /** Stores blocks, all or none, and gives their bytes back. */
  write(blocks: readonly Block[]): Transferred<readonly Block[]>;
  goBeyond(argument: undefined): void;
  close(argument: undefined): void;
}

export function writerOperations(options: StoreWriterOptions): WriterOperations {
  let writer: StoreWriter | undefined;
  const opened = (): StoreWriter => {
    if (!writer) throw new ServerError(ServerErrorCode.Closed, 'the store is not open');
    return writer;
  };
  return {
    open: () => {
      writer = new StoreWriter(options);
      return writer.opened;
    },
    write: (blocks) => {
      opened().write(blocks);
      return new Transferred(
        blocks,
        blocks.map(({ bytes }) => bytes.buffer as ArrayBuffer),
      );
    },
    goBeyond: () => opened().goBeyond(),
    close: () => {
      writer?.close();
      writer = undefined;
    },
  };
}
