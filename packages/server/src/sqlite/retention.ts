/**
 * How much of the past the file keeps. What is older goes in whole blocks: of all rooms alike, or of one room, whose
 * entries are taken out of the blocks that it shares.
 */
import type { SqliteDatabase, SqliteStatement } from './driver.js';
import type { BlockEdits } from './rows/block-edits.js';
import type { StoredBlock } from './rows/blocks.js';
import { type StreamName, streamKey } from './rows/streams.js';

/** Bounds of what is stored; the strictest wins. */
export interface StoreBounds {
  /** @defaultValue no bound */
  readonly maxAgeMs?: number;
  /** @defaultValue no bound */
  readonly maxEntries?: number;
  /** @defaultValue no bound */
  readonly maxBytes?: number;
}

/** What is kept, of all and of each. */
export interface StoreRetention extends StoreBounds {
  /** Of each room; `maxBytes` counts names and bodies. */
  readonly rooms?: StoreBounds;
  /** Of each inbox, where direct messages wait. */
  readonly inboxes?: StoreBounds;
  /** Of single rooms, by key; these bounds take the place of those in `rooms`. */
  readonly byRoom?: Readonly<Record<string, StoreBounds>>;
}

/** Blocks, or parts of a stream, that one step removes. */
const PER_STEP = 16;
/** All streams are looked at so often, as entries grow old by themselves. */
const SWEEP_MS = 60_000;

export class Retention {
  readonly #retention: StoreRetention;
  readonly #edits: BlockEdits;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #hasStreamBounds: boolean;
  /** Streams to look at. */
  readonly #dirty: Set<number> = new Set();
  #nextSweep = 0;
  /** Blocks with dates ahead, and the date of the one behind them. */
  #ahead: { from: number; to: number; at: number | undefined } | undefined;

  constructor(database: SqliteDatabase, edits: BlockEdits, retention: StoreRetention) {
    this.#edits = edits;
    this.#retention = retention;
    this.#statements = prepare(database);
    const { rooms, inboxes, byRoom } = retention;
    this.#hasStreamBounds = rooms !== undefined || inboxes !== undefined || byRoom !== undefined;
  }

  /** Told of a stream that has grown. */
  touch(stream: number): void {
    if (this.#hasStreamBounds) this.#dirty.add(stream);
  }

  /**
   * Removes a part of what is too much. In a transaction of the caller.
   *
   * @param now milliseconds since 1970
   * @returns entries that were removed; 0: nothing is too much
   */
  step(now: number): number {
    return this.#stepAll(now) || this.#stepStreams(now);
  }

  #stepAll(now: number): number {
    const { maxAgeMs = Infinity, maxEntries = Infinity, maxBytes = Infinity } = this.#retention;
    if (maxAgeMs === Infinity && maxEntries === Infinity && maxBytes === Infinity) return 0;
    let removed = 0;
    for (let count = 0; count < PER_STEP; count++) {
      const { entries, bytes } = this.#statements.total.get() as Record<string, number>;
      const block = this.#edits.blocks.readAfter(-1);
      if (!block) break;
      const isOver =
        entries! > maxEntries || bytes! > maxBytes || this.#writtenAt(block, now) < now - maxAgeMs;
      if (!isOver) break;
      // A block that holds nothing any more counts, too: there may be more behind it.
      removed += Math.max(1, this.#edits.drop(block));
    }
    return removed;
  }

  #stepStreams(now: number): number {
    if (!this.#hasStreamBounds) return 0;
    if (now >= this.#nextSweep || now < this.#nextSweep - SWEEP_MS) {
      this.#nextSweep = now + SWEEP_MS;
      for (const { id } of this.#statements.streams.all()) this.#dirty.add(id as number);
    }
    for (const id of this.#dirty) {
      const removed = this.#stepStream(id, now);
      if (removed > 0) return removed;
      this.#dirty.delete(id);
    }
    return 0;
  }

  #stepStream(id: number, now: number): number {
    const stream = this.#statements.stream.get(id) as unknown as StreamName;
    const bounds = this.#boundsOf(stream);
    if (!bounds) return 0;
    const { maxAgeMs = Infinity, maxEntries = Infinity, maxBytes = Infinity } = bounds;
    let { entries, bytes } = this.#statements.size.get(id) as { entries: number; bytes: number };
    let removed = 0;
    for (const part of this.#statements.parts.all(id) as Record<string, number>[]) {
      const block = this.#edits.blocks.read(part.block!);
      // An entry beyond a bound goes with the whole part; one that is alone stays until it is too old.
      const isOver =
        entries - part.entries! >= maxEntries ||
        bytes - part.bytes! >= maxBytes ||
        (block ? this.#writtenAt(block, now) : 0) < now - maxAgeMs;
      if (!isOver) break;
      entries -= part.entries!;
      bytes -= part.bytes!;
      removed += part.entries!;
      if (block?.bytes) this.#edits.cut(block, id, streamKey(stream));
      this.#statements.deletePart.run(id, part.first!);
      this.#statements.raiseCut.run(part.last!, id);
    }
    return removed;
  }

  /**
   * When a block was written, as far as its age counts. A date ahead of `now` is that of a clock which was set back since:
   * such a block is as old as the next one that has another date.
   */
  #writtenAt({ first, at }: StoredBlock, now: number): number {
    if (at <= now) return at;
    if (!this.#ahead || first < this.#ahead.from || first > this.#ahead.to) {
      this.#ahead = { from: first, to: first, at: undefined };
    }
    const run = this.#ahead;
    if (run.at === undefined) {
      const next = this.#statements.dated.get(run.to, now) as { first: number; at: number } | undefined;
      run.to = next ? next.first - 1 : (this.#statements.newest.get()!.first as number);
      run.at = next?.at;
    }
    return run.at ?? now;
  }

  #boundsOf(stream: StreamName): StoreBounds | undefined {
    const { rooms, inboxes, byRoom } = this.#retention;
    if (stream.kind === 'claims') return undefined;
    if (stream.kind === 'inbox') return inboxes;
    return byRoom && Object.hasOwn(byRoom, stream.name) ? byRoom[stream.name] : rooms;
  }
}

function prepare(database: SqliteDatabase) {
  const statement = (sql: string): SqliteStatement => database.prepare(sql);
  return {
    total: statement('SELECT entries, bytes FROM total'),
    dated: statement('SELECT first, at FROM block WHERE first > ? AND at <= ? ORDER BY first LIMIT 1'),
    newest: statement('SELECT max(first) AS first FROM block'),
    streams: statement('SELECT id FROM stream'),
    stream: statement('SELECT kind, name FROM stream WHERE id = ?'),
    size: statement(
      'SELECT coalesce(sum(entries), 0) AS entries, coalesce(sum(bytes), 0) AS bytes FROM part WHERE stream = ?',
    ),
    parts: statement(
      `SELECT first, last, entries, bytes, block FROM part WHERE stream = ? ORDER BY first LIMIT ${PER_STEP}`,
    ),
    deletePart: statement('DELETE FROM part WHERE stream = ? AND first = ?'),
    raiseCut: statement('UPDATE stream SET cut = max(cut, ?) WHERE id = ?'),
  };
}
