/**
 * Forgets what was said while the server runs: in the heap and in the store. Members who have it on their screens keep it;
 * who asks from now on does not get it any more.
 */
import { roomKey, roomNameProblem } from '@chat/protocol';
import type { OptionNames } from '@chat/protocol/check';
import { ENTRY_HEADER_BYTES, ENTRY_SENDER_OFFSET, NAME_BYTES_OFFSET, readU32 } from '@chat/protocol/frames';
import { ServerError, ServerErrorCode } from '../../errors.js';
import type { EventLog, RemovalWish } from '../../log/event-log.js';
import type { Logger } from '../../options/logger.js';
import { assertNames } from '../../options/option-names.js';
import { changeFrame } from '../../room/correct.js';
import type { FanOut } from '../../room/fan-out.js';
import type { Room } from '../../room/room.js';
import type { Rooms } from '../../room/rooms.js';
import type { Inboxes } from '../../session/directs/inbox.js';

/** What is to be forgotten: everything that all of these are true of. One of them must be there. */
export interface ForgetWish {
  /** Name of a room. */
  readonly room?: string;
  /** Name of a user, as it was written when the user spoke. */
  readonly user?: string;
  /** Id of a member. */
  readonly member?: number;
}

/** What forgetting needs of the server. */
export interface ForgetContext {
  readonly log: EventLog;
  readonly options: { readonly logger: Logger };
  readonly rooms: Rooms;
  readonly inboxes: Inboxes;
  readonly fanOut: FanOut;
}

const NAMES: OptionNames<ForgetWish> = { room: true, user: true, member: true };

/**
 * @returns how many entries went: of the store, where there is one
 * @throws ServerError `ERR_SERVER_BAD_OPTION`, `ERR_SERVER_ROOM_INVALID`, or that of the store
 */
export async function forget(context: ForgetContext, wish: ForgetWish): Promise<number> {
  const removal = removalOf(wish);
  const removed = forgetHeld(context, removal);
  if (context.log.process !== undefined && !context.log.store?.remove) {
    const message =
      'what is forgotten is gone from this server only: the others and the stream of the log keep it for as long as they keep that part';
    context.options.logger.warn({ removed }, message);
  }
  return (await context.log.store?.remove?.(removal)) ?? removed;
}

/** Forgets what the heap has; answers how many entries went. */
export function forgetHeld(context: ForgetContext, removal: RemovalWish): number {
  const { rooms, inboxes, fanOut } = context;
  // What was said before this still belongs to those who were there.
  fanOut.flushAll();
  let removed = 0;
  for (const room of rooms.all) {
    if (removal.room === undefined || removal.room === room.key) removed += forgetIn(room, removal);
  }
  if (removal.room === undefined) {
    for (const [, { room }] of inboxes) removed += forgetIn(room, removal);
  }
  return removed;
}

function removalOf(wish: ForgetWish): RemovalWish {
  assertNames(wish, NAMES, { method: 'forget' });
  const { room, user, member } = wish;
  if (room === undefined && user === undefined && member === undefined) {
    throw new ServerError(ServerErrorCode.BadOption, 'forget: needs a room, a user or a member');
  }
  const problem = room === undefined ? undefined : roomNameProblem(room);
  if (problem) throw new ServerError(ServerErrorCode.RoomInvalid, problem);
  return {
    ...(room === undefined ? {} : { room: roomKey(room) }),
    ...(user === undefined ? {} : { name: user }),
    ...(member === undefined ? {} : { member }),
  };
}

/** Takes entries out of what the heap has of a room; its readers go on from where they were. */
function forgetIn({ log, members }: Room, { name, member }: RemovalWish): number {
  const readers = [...members.values()]
    .filter((reader) => !reader.isRetired && !reader.lagged)
    .map((reader) => [reader, log.positionOf(reader)] as const);
  const wanted = name === undefined ? undefined : Buffer.from(name);
  const removed = log.remove((frame) => {
    if (member !== undefined && readU32(frame, ENTRY_SENDER_OFFSET) !== member) return false;
    return wanted === undefined || wanted.equals(nameOf(frame));
  });
  const change = { what: 'forgotten', name, member } as const;
  const isWhole = name === undefined && member === undefined;
  const isOther = !isWhole && log.rewriteAll((frame) => changeFrame(frame, change));
  if (removed > 0 || isOther)
    for (const [reader, position] of readers) reader.moveTo(log.after(position) ?? log.oldest());
  return removed;
}

function nameOf(frame: Buffer): Buffer {
  return frame.subarray(ENTRY_HEADER_BYTES, ENTRY_HEADER_BYTES + frame[NAME_BYTES_OFFSET]!);
}
