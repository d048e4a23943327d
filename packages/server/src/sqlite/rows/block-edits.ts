/**
 * Takes entries out of stored blocks. The rows that say where entries are change with them, in the transaction of the
 * caller, so that a reader sees a stream without the entries and without a hole.
 */
import { FrameType } from '@chat/protocol/frames';
import { type BlockEntry, filterBlock, rewriteBlock } from '../../log/block.js';
import { changeMessage, type MessageChange } from '../../log/messages/change-message.js';
import type { SqliteDatabase, SqliteStatement } from '../driver.js';
import { Blocks, blockCrc, entriesOf, type StoredBlock } from './blocks.js';
import { streamKeyOf, streamName } from './streams.js';

/** Entries of one stream within a block. */
interface Members {
  readonly stream: number;
  readonly before: BlockEntry[];
  readonly kept: BlockEntry[];
}

/** A row of `part`, as far as it matters here. */
interface PartRow {
  readonly stream: number;
  readonly first: number;
  readonly last: number;
  readonly previous: number;
}

export class BlockEdits {
  readonly blocks: Blocks;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: SqliteDatabase) {
    this.blocks = new Blocks(database);
    this.#statements = prepare(database);
  }

  /** Removes a whole block. Its streams begin after it from now on. Answers how many entries it had. */
  drop(block: StoredBlock): number {
    const { deleteBlock, deletePart, partsOfBlock, raiseCut, subtract, sizeOf } = this.#statements;
    const { bytes } = sizeOf.get(block.first) as { bytes: number };
    const entries = entriesOf(block);
    // Without its entries it takes a walk over all parts to know what was in a block.
    const parts = entries ? this.#partsOf(entries) : (partsOfBlock.all(block.first) as unknown as PartRow[]);
    let count = 0;
    for (const { stream, first, last } of parts) {
      count += (this.#statements.part.get(stream, first)?.entries as number | undefined) ?? 0;
      deletePart.run(stream, first);
      raiseCut.run(last, stream);
    }
    deleteBlock.run(block.first);
    subtract.run(count, bytes);
    return count;
  }

  /** Removes the oldest entries of a stream, which are in this block. Answers how many there were. */
  cut(block: StoredBlock, stream: number, key: string): number {
    const removed = this.remove(block, (entry) => streamKeyOf(entry) === key, false);
    const last = removed.at(-1)?.seq;
    if (last !== undefined) this.#statements.raiseCut.run(last, stream);
    return removed.length;
  }

  /**
   * Removes some entries from anywhere in the log. Answers those that were removed, or none when the block cannot be read.
   *
   * @param joins whether those around them join on to each other, so that nothing seems to have been between
   */
  remove(block: StoredBlock, isRemoved: (entry: BlockEntry) => boolean, joins = true): BlockEntry[] {
    const entries = entriesOf(block) ?? [];
    const removed = entries.filter(isRemoved);
    if (removed.length === 0) return removed;
    const { deleteBlock, updateBlock, subtract } = this.#statements;
    const gone = new Set(removed.map(({ seq }) => seq));
    const bytes = filterBlock(block.bytes!, block.first, ({ seq }) => !gone.has(seq));
    for (const members of this.#membersOf(entries, gone)) this.#shrinkPart(members, block.first, joins);
    if (bytes.length === 0) deleteBlock.run(block.first);
    else updateBlock.run(bytes, blockCrc({ ...block, bytes }), block.first);
    subtract.run(removed.length, block.bytes!.length - bytes.length);
    return removed;
  }

  /** Changes a message; answers false when it is not there, cannot be read, or stays as it is. */
  rewrite(seq: number, change: MessageChange): boolean {
    const block = this.blocks.readBefore(seq + 1);
    const entry = block && entriesOf(block)?.find((one) => one.seq === seq);
    if (!block?.bytes || !entry || entry.isVoid || entry.type !== FrameType.Message) return false;
    const replaced = changeMessage(entry, change);
    if (!replaced) return false;
    const bytes = rewriteBlock(block.bytes, block.first, seq, replaced);
    this.#statements.updateBlock.run(bytes, blockCrc({ ...block, bytes }), block.first);
    this.#statements.subtract.run(0, block.bytes.length - bytes.length);
    const id = this.streamOf(streamKeyOf(entry))?.id ?? 0;
    this.#statements.growPart.run(replaced.body.length - entry.body.length, id, seq, seq);
    return true;
  }

  /** The row of `part` after some of its entries went, and of the one behind it. */
  #shrinkPart({ stream, before, kept }: Members, block: number, joins: boolean): void {
    if (before.length === kept.length) return;
    const { part, deletePart, insertPart, join } = this.#statements;
    const first = before[0]!.seq;
    const row = part.get(stream, first) as unknown as PartRow | undefined;
    if (!row) return;
    deletePart.run(stream, first);
    const last = kept.at(-1)?.seq ?? row.previous;
    if (kept.length > 0) {
      const bytes = kept.reduce((sum, { name, body }) => sum + name.length + body.length, 0);
      insertPart.run(stream, kept[0]!.seq, last, kept.length, bytes, row.previous, block);
    }
    if (joins) join.run(last, stream, stream, row.last);
  }

  #membersOf(entries: readonly BlockEntry[], gone: ReadonlySet<number>): Members[] {
    const byStream = new Map<string, Members>();
    for (const entry of entries) {
      const key = streamKeyOf(entry);
      let members = byStream.get(key);
      if (!members) {
        members = { stream: this.streamOf(key)?.id ?? 0, before: [], kept: [] };
        byStream.set(key, members);
      }
      members.before.push(entry);
      if (!gone.has(entry.seq)) members.kept.push(entry);
    }
    return [...byStream.values()];
  }

  #partsOf(entries: readonly BlockEntry[]): { stream: number; first: number; last: number }[] {
    return this.#membersOf(entries, new Set()).map(({ stream, before }) => ({
      stream,
      first: before[0]!.seq,
      last: before.at(-1)!.seq,
    }));
  }

  /** Number of the stream with the key that entries carry, and up to where its entries were removed. */
  streamOf(key: string): { readonly id: number; readonly cut: number } | undefined {
    const { kind, name } = streamName(key);
    return this.#statements.stream.get(kind, name) as { id: number; cut: number } | undefined;
  }
}

function prepare(database: SqliteDatabase) {
  const statement = (sql: string): SqliteStatement => database.prepare(sql);
  return {
    stream: statement('SELECT id, cut FROM stream WHERE kind = ? AND name = ?'),
    part: statement('SELECT stream, first, last, entries, previous FROM part WHERE stream = ? AND first = ?'),
    partsOfBlock: statement('SELECT stream, first, last, previous FROM part WHERE block = ?'),
    deletePart: statement('DELETE FROM part WHERE stream = ? AND first = ?'),
    insertPart: statement(
      'INSERT INTO part (stream, first, last, entries, bytes, previous, block) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    // The part behind one that has changed joins on to what is left of it.
    join: statement(
      'UPDATE part SET previous = ? WHERE stream = ? AND first = (SELECT min(first) FROM part WHERE stream = ? AND first > ?)',
    ),
    raiseCut: statement('UPDATE stream SET cut = max(cut, ?) WHERE id = ?'),
    sizeOf: statement('SELECT length(bytes) AS bytes FROM block WHERE first = ?'),
    deleteBlock: statement('DELETE FROM block WHERE first = ?'),
    updateBlock: statement('UPDATE block SET bytes = ?, crc = ? WHERE first = ?'),
    growPart: statement('UPDATE part SET bytes = bytes + ? WHERE stream = ? AND first <= ? AND last >= ?'),
    subtract: statement('UPDATE total SET entries = entries - ?, bytes = bytes - ?'),
  };
}
