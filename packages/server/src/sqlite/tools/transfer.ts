/**
 * A store as lines of JSON, and back: for other programs, and for a store that has to begin anew.
 *
 * The first line says what the entries come to; each of the others is an entry, in the order of the log. Entries that
 * came to nothing are left out.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CodecTag } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { type Block, type BlockEntry, BlockWriter } from '../../log/block.js';
import { CLAIM, type Draft } from '../../log/entry.js';
import type { RemovalWish } from '../../log/event-log.js';
import { applyEntry } from '../../log/state/apply-entry.js';
import { ChatState, type StateSnapshot } from '../../log/state/chat-state.js';
import { deviceOf, sessionNumber, userOf } from '../../log/state/session-number.js';
import { findDriver, type SqliteDatabase, type SqliteDriver } from '../driver.js';
import { StoreFiles } from '../file/store-file.js';
import { Blocks, entriesOf } from '../rows/blocks.js';
import { loadState } from '../rows/load-state.js';
import { streamKey, streamName } from '../rows/streams.js';
import { storeError } from '../store-error.js';
import { openForReading } from '../store-reader.js';
import { StoreWriter } from '../store-writer.js';

/** The first line. */
interface HeadLine {
  readonly chat: 1;
  readonly state: StateSnapshot;
}

/** Any other line. */
interface EntryLine {
  readonly seq: number;
  readonly at: string;
  readonly type: 'message' | 'notice' | 'claim';
  readonly room?: string;
  /** Member whose inbox it is in. */
  readonly inbox?: string;
  readonly sender: number;
  /** Which of the sender's sessions; absent for the first. */
  readonly device?: number;
  readonly name: string;
  readonly codec: number;
  readonly kind: number;
  readonly publishId: number;
  /** What is text. */
  readonly body?: string;
  /** What is not, in base64. */
  readonly bytes?: string;
}

/** Names of the types of entries. */
const TYPES = { message: FrameType.Message, notice: FrameType.Notice, claim: CLAIM } as const;
/** Blocks that an import stores at a time. */
const BLOCKS_PER_GROUP = 16;

/** What is exported: everything, or what all of these are true of. */
export interface ExportOptions extends RemovalWish {
  readonly directory: string;
  /** @internal */
  readonly driver?: SqliteDriver;
}

/**
 * The lines of a store as it is at one moment, without their ends; the store may be in use. A block that is damaged is
 * left out, and a state that is damaged is made from the entries: so a store that cannot be opened can be had anew.
 *
 * Of a room or a member there are the messages and notices alone: no first line, and nothing for an import.
 *
 * @throws ServerError
 */
export function* exportStore(options: ExportOptions): Generator<string> {
  const { directory, driver = findDriver(), room, name, member } = options;
  const isAll = room === undefined && name === undefined && member === undefined;
  const isMeant = (entry: BlockEntry): boolean =>
    isAll ||
    (entry.type !== CLAIM &&
      (room === undefined || entry.room === room) &&
      (member === undefined || userOf(entry.sender) === member) &&
      (name === undefined || Buffer.from(name).equals(entry.name)));
  const database = openStore(driver, directory);
  try {
    const blocks = new Blocks(database);
    if (isAll) yield JSON.stringify({ chat: 1, state: stateOf(database, blocks) } satisfies HeadLine);
    for (let block = blocks.readAfter(-1); block; block = blocks.readAfter(block.first)) {
      for (const entry of entriesOf(block) ?? []) {
        if (!entry.isVoid && isMeant(entry)) yield JSON.stringify(lineOf(entry));
      }
    }
  } catch (error) {
    throw storeError(error, directory);
  } finally {
    // Closing alone does not end what a library still holds.
    database.exec('ROLLBACK');
    database.close();
  }
}

/**
 * Makes a store of such lines, in a folder that has none. Positions stay what they were; the epoch is a new one.
 *
 * @returns how many entries there were
 * @throws ServerError
 */
export function importStore(options: {
  readonly directory: string;
  readonly lines: Iterable<string>;
  readonly driver?: SqliteDriver;
}): number {
  const { directory, lines, driver } = options;
  const writer = new StoreWriter({ directory, durability: 'disk', ...(driver ? { driver } : {}) });
  try {
    if (writer.opened.position > 0)
      throw new ServerError(ServerErrorCode.StoreFailed, 'there is a store already');
    return new Import(writer).run(lines);
  } catch (error) {
    throw storeError(error, directory);
  } finally {
    writer.close();
  }
}

/** The database of a store that is there, seen as it is now until it is closed. */
function openStore(driver: SqliteDriver, directory: string): SqliteDatabase {
  const path = join(directory, StoreFiles.Database);
  try {
    if (!existsSync(path)) throw new ServerError(ServerErrorCode.StoreFailed, 'there is no store');
    const database = openForReading(driver, path);
    database.exec('BEGIN');
    return database;
  } catch (error) {
    throw storeError(error, directory);
  }
}

/** What the entries come to; where the rows of it are damaged, as far as the entries that can be read tell. */
function stateOf(database: SqliteDatabase, blocks: Blocks): StateSnapshot {
  try {
    return loadState(database);
  } catch (error) {
    if (!ServerError.is(error)) throw error;
  }
  const state = new ChatState();
  for (let block = blocks.readAfter(-1); block; block = blocks.readAfter(block.first)) {
    for (const entry of entriesOf(block) ?? []) applyEntry(state, entry);
  }
  return state.snapshot();
}

class Import {
  readonly #store: StoreWriter;
  readonly #writer: BlockWriter = new BlockWriter();
  #blocks: Block[] = [];
  #seq = 0;

  constructor(store: StoreWriter) {
    this.#store = store;
  }

  run(lines: Iterable<string>): number {
    let number = 0;
    let state: StateSnapshot | undefined;
    for (const line of lines) {
      if (line === '') continue;
      number++;
      const value = parse(line, number);
      if (number === 1) state = headOf(value).state;
      else this.#add(value as EntryLine, number);
    }
    this.#closeBlock();
    if (!state) throw new ServerError(ServerErrorCode.StoreFailed, 'there is no line');
    this.#store.import(this.#blocks, state);
    return number - 1;
  }

  #add(line: EntryLine, number: number): void {
    if (!(line.seq > this.#seq) || TYPES[line.type] === undefined) {
      throw new ServerError(ServerErrorCode.StoreFailed, `line ${number} is not the next entry`);
    }
    const draft = draftOf(line);
    if (!this.#writer.hasSpaceFor(draft)) this.#closeBlock();
    this.#writer.add(draft, line.seq);
    this.#seq = line.seq;
  }

  #closeBlock(): void {
    const block = this.#writer.take();
    if (block) this.#blocks.push(block);
    if (this.#blocks.length < BLOCKS_PER_GROUP) return;
    this.#store.import(this.#blocks);
    this.#blocks = [];
  }
}

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new ServerError(ServerErrorCode.StoreFailed, `line ${number} is not JSON`, { cause });
  }
}

function headOf(value: unknown): HeadLine {
  const head = value as HeadLine;
  if (head?.chat === 1 && typeof head.state === 'object') return head;
  throw new ServerError(ServerErrorCode.StoreFailed, 'line 1 is not the head of an export');
}

/** Codecs whose bodies are text. */
const TEXTS: readonly number[] = [CodecTag.Text, CodecTag.Json, CodecTag.Withdrawn, CodecTag.Rich];

function lineOf(entry: BlockEntry): EntryLine {
  const { seq, at, type, room, sender, codec, kind, publishId } = entry;
  const { kind: stream, name } = streamName(room);
  const body = Buffer.from(entry.body);
  const isText = type !== FrameType.Message || TEXTS.includes(codec);
  return {
    seq,
    at: new Date(at).toISOString(),
    type: type === FrameType.Message ? 'message' : type === CLAIM ? 'claim' : 'notice',
    ...(stream === 'room' ? { room: name } : stream === 'inbox' ? { inbox: name } : {}),
    sender: userOf(sender),
    ...(deviceOf(sender) === 0 ? {} : { device: deviceOf(sender) }),
    name: Buffer.from(entry.name).toString(),
    codec,
    kind,
    publishId,
    ...(isText ? { body: body.toString() } : { bytes: body.toString('base64') }),
  };
}

function draftOf(line: EntryLine): Draft {
  const { type, room, inbox, sender, device = 0, name, codec, kind, publishId, body, bytes } = line;
  return {
    room: inbox === undefined ? (room ?? '') : streamKey({ kind: 'inbox', name: inbox }),
    type: TYPES[type],
    sender: sessionNumber(sender, device),
    name: Buffer.from(name),
    codec,
    kind: kind as Draft['kind'],
    publishId,
    at: Date.parse(line.at),
    body: bytes === undefined ? Buffer.from(body ?? '') : Buffer.from(bytes, 'base64'),
    origin: undefined,
  };
}
