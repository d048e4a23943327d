/**
 * The store of a log that several processes share: one process has it, through which all blocks go. It stores them in groups
 * and hands them on, so that nobody is shown what is not stored.
 *
 * It works in the thread that calls it, and blocks it: the process has nothing else to do. How blocks come here and where
 * they go on to is the business of the caller.
 */

import type { ServerError } from '../../errors.js';
import type { BlockEntry } from '../../log/block.js';
import { BLOCK_ENTRIES, BlockWriter, filterBlock, surveyBlock } from '../../log/block.js';
import { claim } from '../../log/claims.js';
import { ClaimKind, SIGNAL } from '../../log/entry.js';
import {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  decodeHeader,
  encodeBlock,
} from '../../log/shared/block-header.js';
import { type BlockSnapshot, SNAPSHOT_VERSION } from '../../log/shared/block-transport.js';
import { CommitTimes } from '../commit-times.js';
import type { Loss } from '../file/store-file.js';
import type { StoreStats } from '../sqlite-log.js';
import { resolveOptions, type SqliteLogOptions } from '../sqlite-options.js';
import { SqliteStore } from '../sqlite-store.js';
import { fromErrorMessage } from '../store-error.js';
import type { WrittenBlock } from '../store-writer.js';
import { type OpenAnswer, type WriterOperations, writerOperations } from '../thread/writer-operations.js';

/** Options of {@link openBlockStore}. */
export type BlockStoreOptions = Omit<SqliteLogOptions, 'onStoreFailure' | 'maxPendingBytes'>;

/** A block that is stored, and may be shown. */
export interface StreamedBlock {
  /** Its position in the stream. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** What became of a group of blocks: all of them are stored, or none. */
export type GroupOutcome =
  | { readonly error: undefined; readonly blocks: readonly StreamedBlock[] }
  | { readonly error: ServerError; readonly refused: readonly BlockHeader[] };

/** A process that is the store itself. */
const NOBODY = 0;

/**
 * Opens the store in a folder for a log that several processes share.
 *
 * @throws ServerError as `openSqliteLog` does
 */
export function openBlockStore(options: BlockStoreOptions): BlockStore {
  const settings = resolveOptions(options);
  const { directory, durability, retention, reserveBytes, tailBytes, search } = settings;
  const operations = writerOperations({ directory, durability, retention, reserveBytes, isShared: true });
  const { value } = operations.open(0);
  return new BlockStore(operations, value, { directory, durability, tailBytes, search });
}

/** A store of blocks. Made by {@link openBlockStore}. */
export class BlockStore {
  readonly epoch: string;
  /** Why the epoch before this one ended, if this start began a new one. */
  readonly loss: Loss | undefined;
  /** Name of the SQLite library that is used. */
  readonly driver: string;
  readonly durability: 'process' | 'disk';
  /** What is stored, for those who ask. */
  readonly store: SqliteStore;
  readonly #operations: WriterOperations;
  readonly #tailBytes: number;
  /** The number of the last block of each process. */
  readonly #numbers: Map<number, number>;
  readonly #commitTimes: CommitTimes = new CommitTimes();
  /** Position of the block that was handed on last. */
  #position: number;
  #storedPosition: number;

  /** @internal */
  constructor(
    operations: WriterOperations,
    { epoch, loss, driver, position, sent }: OpenAnswer,
    settings: {
      readonly directory: string;
      readonly durability: 'process' | 'disk';
      readonly tailBytes: number;
      readonly search: boolean;
    },
  ) {
    this.#operations = operations;
    this.epoch = epoch;
    this.loss = loss;
    this.driver = driver;
    this.durability = settings.durability;
    this.#tailBytes = settings.tailBytes;
    this.#storedPosition = position;
    this.#position = Math.floor(position / BLOCK_ENTRIES);
    this.#numbers = new Map(sent.map(({ process, number }) => [process, number]));
    this.store = new SqliteStore(settings.directory, (wish) => operations.remove(wish), settings.search);
  }

  /** Position of the block that was handed on last. */
  get position(): number {
    return this.#position;
  }

  /**
   * Goes on where another one was killed, which has handed on blocks up to `position`.
   *
   * @returns those that it had stored and not handed on; oldest first
   */
  goOnAfter(position: number): readonly StreamedBlock[] {
    // A process has one block under way: what is not its last was handed on before.
    const missing = this.#operations
      .view(0)
      .value.sent.filter(({ first }) => first / BLOCK_ENTRIES > position)
      .sort((one, other) => one.first - other.first);
    this.#position = Math.max(this.#position, position);
    return missing.map(({ process: origin, number, first }) => {
      const { bytes, last } = this.#operations.read(first);
      const header = { origin, number, entries: last - first + 1 };
      return { position: first / BLOCK_ENTRIES, bytes: encodeBlock(header, bytes) };
    });
  }

  /**
   * Says of all processes that shared the log that they are gone: none of them is here any more. To be called before the
   * first process takes part.
   *
   * @returns as {@link BlockStore.write}
   */
  declareAllGone(at: number): GroupOutcome {
    const { processes = [] } = this.#operations.view(0).value.state;
    if (processes.length === 0) return { error: undefined, blocks: [] };
    const writer = new BlockWriter();
    for (const [i, process] of processes.entries()) {
      writer.add(claim(ClaimKind.ProcessGone, { at }, { process }), i);
    }
    const number = (this.#numbers.get(NOBODY) ?? 0) + 1;
    const header = { origin: NOBODY, number, entries: processes.length };
    return this.write([encodeBlock(header, writer.take()!.bytes)]);
  }

  /**
   * Stores the blocks of a group in one transaction; those that came before are left out. What is volatile is handed on, and
   * not stored.
   *
   * @param group blocks as processes send them
   * @returns the blocks to be handed on, once they are stored as safely as was chosen; or those that are refused for good
   * @throws RangeError when something is no block
   */
  write(group: readonly Uint8Array[]): GroupOutcome {
    const before = this.#position;
    const blocks: StreamedBlock[] = [];
    const headers: BlockHeader[] = [];
    const written: WrittenBlock[] = [];
    for (const bytes of group) {
      const header = decodeHeader(bytes);
      if (header.number <= (this.#numbers.get(header.origin) ?? 0)) continue;
      const position = ++this.#position;
      // Also of a block that is refused: it does not count when it comes again.
      this.#numbers.set(header.origin, header.number);
      headers.push(header);
      blocks.push({ position, bytes });
      const block = storedForm(position * BLOCK_ENTRIES, header, bytes);
      if (block) written.push(block);
    }
    if (written.length === 0) return { error: undefined, blocks };
    const { error, commitMs } = this.#operations.write(written).value;
    if (error) {
      this.#position = before;
      return { error: fromErrorMessage(error), refused: headers };
    }
    this.#commitTimes.add(commitMs);
    this.#storedPosition = written.at(-1)!.last;
    return { error: undefined, blocks };
  }

  /** All that a process has to know which reads what is handed on from here on. */
  snapshot(): BlockSnapshot {
    const { state, tail, floors } = this.#operations.view(this.#tailBytes).value;
    return {
      version: SNAPSHOT_VERSION,
      position: this.#position,
      numbers: [...this.#numbers],
      state,
      tail: tail.map(({ first, bytes }) => ({ first, bytes })),
      floors: [...floors],
    };
  }

  /** Makes room on a full disk. @returns whether there is space for entries again */
  makeRoom(): boolean {
    return this.#operations.makeRoom(undefined);
  }

  /** How the store is doing. */
  stats(): StoreStats {
    const { entries, fileBytes } = this.#operations.totals(undefined);
    return {
      storedPosition: this.#storedPosition,
      pendingBytes: 0,
      entries,
      fileBytes,
      commitMs: { p50: this.#commitTimes.quantile(0.5), p99: this.#commitTimes.quantile(0.99) },
      slowQueries: this.store.slowQueries,
    };
  }

  /** Closes the folder. */
  async close(): Promise<void> {
    await this.store.close();
    this.#operations.close(undefined);
  }
}

/** What is stored of a block: nothing of what is volatile. The bytes of the block itself stay as they are. */
function storedForm(
  first: number,
  { origin, number, entries }: BlockHeader,
  bytes: Uint8Array,
): WrittenBlock | undefined {
  const records = bytes.subarray(BLOCK_HEADER_BYTES);
  const { at, hasSignals } = surveyBlock(records);
  const kept = hasSignals ? filterBlock(records, first, isKept) : Uint8Array.from(records);
  if (kept.length === 0) return undefined;
  return { first, last: first + entries - 1, at, bytes: kept, sent: { process: origin, number } };
}

function isKept({ type }: BlockEntry): boolean {
  return type !== SIGNAL;
}
