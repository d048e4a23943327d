/** The past of a room for the program around the server, page by page, from the heap and from the store. */
import { type Codec, roomKey, roomNameProblem, textCodec } from '@chat/protocol';
import type { OptionNames } from '@chat/protocol/check';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { ByteLog } from '../../log/byte-log.js';
import { type HistoryPage, MAX_HISTORY_ENTRIES, type Run } from '../../log/history.js';
import { type RoomPast, readPast } from '../../log/stored-history.js';
import type { ProgramContext } from './context.js';
import { type EntryFrame, type RoomEntry, readRoomEntry } from './entry.js';

/** Which part of the past is wanted: the newest, those before a position, or those after one. */
export interface RoomHistoryOptions<T = string> {
  /** Entries before this position; not together with `after`. */
  readonly before?: number;
  /** Entries after this position, the oldest first. */
  readonly after?: number;
  /** Entries, at the most. @defaultValue 50, 1000 at the most */
  readonly limit?: number;
  /** @defaultValue `textCodec` */
  readonly codec?: Codec<T>;
}

/** Options of `history`. */
export const HISTORY_NAMES: OptionNames<RoomHistoryOptions> = {
  before: true,
  after: true,
  limit: true,
  codec: true,
};

/** A page of the past. */
export interface RoomHistory<T = string> {
  /** Oldest first; a gap stands where entries are not held any more. */
  readonly entries: readonly RoomEntry<T>[];
  /** Whether nothing lies beyond in the direction that was asked for. */
  readonly end: boolean;
}

const DEFAULT_PAGE = 50;
/** Bytes of entries that lie one behind the other. */
const PIECE_BYTES = 262_144;
const NO_RETENTION = { maxBytes: 1, maxEntries: 1, maxAgeMs: 0 };

/** @throws ServerError `ERR_SERVER_ROOM_INVALID`, `ERR_SERVER_NO_SUCH_ROOM`, or that of the store */
export async function readHistory<T>(
  context: ProgramContext,
  roomName: string,
  {
    before,
    after,
    limit = DEFAULT_PAGE,
    codec = textCodec as Codec<unknown> as Codec<T>,
  }: RoomHistoryOptions<T>,
): Promise<RoomHistory<T>> {
  assertPosition('history', 'before', before);
  assertPosition('history', 'after', after);
  if (before !== undefined && after !== undefined) {
    throw new ServerError(ServerErrorCode.BadOption, 'history: before and after are two directions');
  }
  if (!Number.isInteger(limit) || limit < 1) {
    throw new ServerError(
      ServerErrorCode.BadOption,
      `history: limit must be a whole number from 1, got ${limit}`,
    );
  }
  const room = roomOf(context, roomName);
  const wish = {
    limit: Math.min(limit, MAX_HISTORY_ENTRIES),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
  const page = await pageOf(context, room, wish);
  if (!room.exists && page.entries === 0) {
    throw new ServerError(ServerErrorCode.NoSuchRoom, `there is no room ${roomName}`);
  }
  const how = { epoch: context.log.epoch, room: room.name, codec };
  const entries: RoomEntry<T>[] = [];
  let position = after;
  for (const frame of framesOf(page.runs)) {
    // The oldest of a page may go while it is read, by retention: the next ones say so.
    if (frame === undefined) continue;
    const entry = readRoomEntry(how, frame);
    if (position !== undefined && entry.prev > position) {
      entries.push({ type: 'gap', room: room.name, from: position, to: entry.prev });
    }
    entries.push(entry);
    position = entry.seq;
  }
  return { entries, end: page.end };
}

/** A room that may have been forgotten, of which a store may know. */
export interface KnownRoom extends RoomPast {
  readonly name: string;
  readonly exists: boolean;
}

/**
 * The room of that name, or the place where it would be.
 *
 * @throws ServerError `ERR_SERVER_ROOM_INVALID`
 */
export function roomOf({ rooms }: ProgramContext, name: string): KnownRoom {
  const problem = roomNameProblem(name);
  if (problem) throw new ServerError(ServerErrorCode.RoomInvalid, problem);
  const key = roomKey(name);
  const room = rooms.byKey(key);
  if (room) return { key, handle: room.handle, log: room.log, name: room.name, exists: true };
  // Nothing of it is in the heap: all that there may be is older.
  return { key, handle: 0, log: new ByteLog(0, NO_RETENTION, Number.MAX_SAFE_INTEGER), name, exists: false };
}

/** A page of what is kept of a room; nothing where it is neither in the heap nor in a store. */
export async function pageOf(
  { log }: ProgramContext,
  room: KnownRoom,
  wish: { readonly before?: number; readonly after?: number; readonly limit: number },
): Promise<HistoryPage> {
  if (!room.exists && !log.store) return { runs: [], entries: 0, end: true };
  return readPast(log.store, room, wish, PIECE_BYTES);
}

/** The frames of entries in runs; `undefined` for a run that nobody holds any more. */
export function* framesOf(runs: readonly Run[]): Generator<EntryFrame | undefined, void> {
  for (const run of runs) {
    const bytes = run.read();
    if (!bytes) yield undefined;
    else {
      for (let offset = 0; offset < bytes.length; ) {
        const end = offset + bytes.readUInt32LE(offset);
        yield { bytes, offset, end };
        offset = end;
      }
    }
  }
}

/** @throws ServerError `ERR_SERVER_BAD_OPTION` */
export function assertPosition(method: string, name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  const message = `${method}: ${name} must be a position, a whole number from 0, got ${String(value)}`;
  throw new ServerError(ServerErrorCode.BadOption, message);
}
