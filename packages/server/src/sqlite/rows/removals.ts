/**
 * Removes a room's entries, or what a member said, in small steps between other work. What is to be removed stands in a
 * row until it is done, so that a restart goes on with it.
 */

import { CodecTag } from '@chat/protocol';
import type { BlockEntry } from '../../log/block.js';
import { CLAIM } from '../../log/entry.js';
import type { RemovalWish } from '../../log/event-log.js';
import { userOf } from '../../log/state/session-number.js';
import type { SqliteDatabase, SqliteStatement } from '../driver.js';
import type { BlockEdits } from './block-edits.js';
import { entriesOf } from './blocks.js';
import { type StreamName, streamKey } from './streams.js';

/** A row of `removal`. */
interface Removal {
  readonly id: number;
  readonly stream: number | null;
  readonly name: string | null;
  readonly member: number | null;
  readonly up_to: number;
  readonly reached: number;
}

/** Blocks that one step looks at. */
const BLOCKS_PER_STEP = 16;

export class Removals {
  readonly #database: SqliteDatabase;
  readonly #edits: BlockEdits;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: SqliteDatabase, edits: BlockEdits) {
    this.#database = database;
    this.#edits = edits;
    this.#statements = prepare(database);
  }

  /** Whether a removal is under way. */
  get isPending(): boolean {
    return this.#statements.next.get() !== undefined;
  }

  /** Begins one. It covers what is stored now, nothing that comes later. In a transaction of the caller. */
  begin({ room, name, member }: RemovalWish): boolean {
    const stream = room === undefined ? null : this.#edits.streamOf(room)?.id;
    if (stream === undefined) return false;
    const { position } = this.#statements.position.get() as { position: number };
    this.#statements.insert.run(stream, name ?? null, member ?? null, position);
    return true;
  }

  /** Does a part of the oldest one. Answers how many entries it removed. In a transaction of the caller. */
  step(): number {
    const removal = this.#statements.next.get() as unknown as Removal | undefined;
    if (!removal) return 0;
    // What is removed is written over, not only let go.
    this.#database.exec('PRAGMA secure_delete = ON');
    try {
      const isWhole = removal.name === null && removal.member === null;
      return isWhole ? this.#stepRoom(removal) : this.#stepMember(removal);
    } finally {
      this.#database.exec('PRAGMA secure_delete = FAST');
    }
  }

  #stepRoom({ id, stream, up_to: upTo }: Removal): number {
    const parts = this.#statements.parts.all(stream, upTo);
    const key = this.#keyOf(stream!);
    let removed = 0;
    for (const { block, first, last } of parts as Record<string, number>[]) {
      const stored = this.#edits.blocks.read(block!);
      if (stored && !stored.bytes) this.#edits.drop(stored);
      else if (stored) removed += this.#edits.cut(stored, stream!, key);
      // Whatever the block says, the part is gone then.
      this.#statements.deletePart.run(stream, first!);
      this.#statements.raiseCut.run(last!, stream);
    }
    if (parts.length < BLOCKS_PER_STEP) this.#finish(id);
    return removed;
  }

  #stepMember({ id, stream, name, member, up_to: upTo, reached }: Removal): number {
    const wanted = name === null ? undefined : Buffer.from(name);
    const key = stream === null ? undefined : this.#keyOf(stream);
    const isMeant = (entry: BlockEntry): boolean =>
      entry.type !== CLAIM &&
      (key === undefined || entry.room === key) &&
      (member === null || userOf(entry.sender) === member) &&
      (wanted === undefined || wanted.equals(entry.name));
    let position = reached;
    let removed = 0;
    for (let count = 0; count < BLOCKS_PER_STEP; count++) {
      const block = this.#edits.blocks.readAfter(position);
      if (!block || block.first > upTo) {
        this.#finish(id);
        return removed;
      }
      position = block.first;
      const change = { what: 'forgotten', name: name ?? undefined, member: member ?? undefined } as const;
      for (const entry of entriesOf(block) ?? [])
        if (entry.codec === CodecTag.Rich && (key === undefined || entry.room === key) && !isMeant(entry))
          this.#edits.rewrite(entry.seq, change);
      const changed = this.#edits.blocks.read(block.first) ?? block;
      removed += this.#edits.remove(changed, isMeant).length;
    }
    this.#statements.reach.run(position, id);
    return removed;
  }

  #finish(id: number): void {
    this.#statements.delete.run(id);
    this.#statements.count.run();
  }

  #keyOf(stream: number): string {
    const { kind, name } = this.#statements.stream.get(stream) as { kind: string; name: string };
    return streamKey({ kind, name } as StreamName);
  }
}

/** Removals that were done so far: an index of the entries that has seen fewer is out of date. */
export const REMOVALS_DONE = 'removals';

function prepare(database: SqliteDatabase) {
  const statement = (sql: string): SqliteStatement => database.prepare(sql);
  return {
    next: statement('SELECT id, stream, name, member, up_to, reached FROM removal ORDER BY id LIMIT 1'),
    insert: statement('INSERT INTO removal (stream, name, member, up_to) VALUES (?, ?, ?, ?)'),
    reach: statement('UPDATE removal SET reached = ? WHERE id = ?'),
    delete: statement('DELETE FROM removal WHERE id = ?'),
    count: statement(
      `INSERT INTO meta VALUES ('${REMOVALS_DONE}', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1`,
    ),
    position: statement('SELECT position FROM total'),
    stream: statement('SELECT kind, name FROM stream WHERE id = ?'),
    parts: statement(
      `SELECT first, last, block FROM part WHERE stream = ? AND first <= ? ORDER BY first LIMIT ${BLOCKS_PER_STEP}`,
    ),
    deletePart: statement('DELETE FROM part WHERE stream = ? AND first = ?'),
    raiseCut: statement('UPDATE stream SET cut = max(cut, ?) WHERE id = ?'),
  };
}
