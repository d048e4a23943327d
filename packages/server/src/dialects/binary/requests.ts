/**
 * Requests of a client, by `op`. What comes in is JSON from a stranger, so each field is checked before it is
 * used; what is wrong is answered, and the connection goes on.
 */
import { type Failure, FailureCode, roomNameProblem } from '@chat/protocol';
import { encodeFrame, FrameType, type Joined, type ResponseBodies } from '@chat/protocol/frames';
import type { ConnectionContext } from '../../connection/context.js';
import { Price } from '../../limits/prices.js';
import { findHistory, type HistoryPage, MAX_HISTORY_ENTRIES } from '../../log/history.js';
import type { Room } from '../../room/room.js';
import type { Session } from '../../session/session.js';

/** Items on a page when the client does not say, and at the most. */
const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;
const MAX_POSITION = 2 ** 48 - 1;

/** An answer to one request. */
export type Reply =
  | { readonly response: ResponseBodies[keyof ResponseBodies] }
  | { readonly history: HistoryPage }
  | { readonly failure: Failure };

/** A frame of history: its head, and its entries where they lie in the log. Borrowed, and never written again. */
export interface HistoryFrame {
  readonly head: Uint8Array;
  readonly entries: Buffer;
}

const NOTHING = new Uint8Array(0);

/**
 * Carries out one request of a session.
 *
 * @param pieceBytes of history that fit into one frame
 * @param respond takes a response that must not wait for the end of this function; then there is no reply
 */
export async function answerRequest(
  context: ConnectionContext,
  session: Session,
  request: Readonly<Record<string, unknown>>,
  pieceBytes: number,
  respond: (response: Joined) => void,
): Promise<Reply | undefined> {
  const refused = session.publisher.chargeRequest();
  if (refused) return { failure: refused };
  const { op } = request;
  switch (op) {
    case 'join': {
      const { room, history, after, epoch } = request;
      if (typeof room !== 'string' || !isOptional(history, isPosition) || !isOptional(after, isPosition)) {
        return bad(op);
      }
      if (!isOptional(epoch, isString)) return bad(op);
      const wish = {
        history: Math.min(history ?? 0, MAX_HISTORY_ENTRIES),
        ...(after === undefined ? {} : { after }),
        ...(epoch === undefined ? {} : { epoch }),
      };
      const answer = await session.join(room, wish, respond);
      return 'failure' in answer ? answer : undefined;
    }
    case 'leave': {
      if (typeof request.room !== 'string') return bad(op);
      return { response: { left: await session.leave(request.room) } };
    }
    case 'rename': {
      if (typeof request.name !== 'string') return bad(op);
      const answer = await session.rename(request.name);
      return 'failure' in answer ? answer : { response: answer };
    }
    case 'rooms': {
      const { prefix, limit, cursor } = request;
      if (!isOptional(prefix, isString) || !isOptional(limit, isCount) || !isOptional(cursor, isString)) {
        return bad(op);
      }
      const { authorize } = context.options.hooks;
      const maySee = authorize && ((name: string) => authorize(session.info, 'list', name));
      const before = context.rooms.lookedAt;
      const response = await context.rooms.list(
        prefix ?? '',
        page(limit),
        pageBytes(context),
        cursor,
        maySee,
      );
      session.input.charge(Math.floor((context.rooms.lookedAt - before) * Price.roomLookedAt));
      return { response };
    }
    case 'members': {
      const { room: name, limit, cursor } = request;
      if (!isOptional(limit, isCount) || !isOptional(cursor, isPosition)) return bad(op);
      const room = joinedRoom(context, session, name);
      if ('failure' in room) return room;
      return {
        response: {
          ...room.listMembers(page(limit), pageBytes(context), cursor),
          memberCount: room.members.size,
        },
      };
    }
    case 'history': {
      const { room: name, limit, before, after } = request;
      if (!isOptional(limit, isCount) || !isOptional(before, isPosition) || !isOptional(after, isPosition)) {
        return bad(op);
      }
      const room = joinedRoom(context, session, name);
      if ('failure' in room) return room;
      const wish = {
        limit: Math.min(limit ?? DEFAULT_PAGE, MAX_HISTORY_ENTRIES),
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      };
      return { history: findHistory(room.log, wish, pieceBytes) };
    }
    default:
      return bad(op);
  }
}

/**
 * A reply as the frames that say it, one after the other as they are asked for.
 *
 * @returns false when the log has lost the rest of a page meanwhile
 */
export function* replyFrames(id: number, reply: Reply): Generator<Uint8Array | HistoryFrame, boolean> {
  if ('response' in reply) {
    yield encodeFrame({ type: FrameType.Response, id, response: reply.response });
  } else if ('failure' in reply) {
    yield encodeFrame({ type: FrameType.Failed, id, failure: reply.failure });
  } else {
    const { runs, end } = reply.history;
    if (runs.length === 0) {
      yield encodeFrame({ type: FrameType.History, id, last: true, end, entries: NOTHING });
    }
    for (const [index, run] of runs.entries()) {
      const last = index === runs.length - 1;
      const entries = run.read();
      if (!entries) return false;
      const head = encodeFrame({ type: FrameType.History, id, last, end: last && end, entries: NOTHING });
      new DataView(head.buffer, head.byteOffset).setUint32(0, head.length + entries.length, true);
      yield { head, entries };
    }
  }
  return true;
}

function joinedRoom(
  context: ConnectionContext,
  session: Session,
  name: unknown,
): Room | { failure: Failure } {
  if (typeof name !== 'string') return bad('room');
  const problem = roomNameProblem(name);
  if (problem) return { failure: { code: FailureCode.RoomInvalid, message: problem } };
  const room = context.rooms.find(name);
  if (!room || !session.rooms.has(room.handle)) {
    return { failure: { code: FailureCode.NotMember, message: `not a member of ${name}` } };
  }
  return room;
}

function page(limit: number | undefined): number {
  return Math.min(limit ?? DEFAULT_PAGE, MAX_PAGE);
}

/** What of a frame is for the items of a page; the rest is for the fields around them, the cursor among these. */
function pageBytes(context: ConnectionContext): number {
  return context.options.maxFrameBytes - 2048;
}

function bad(op: unknown): { failure: Failure } {
  const what = typeof op === 'string' ? op.slice(0, 32) : typeof op;
  return { failure: { code: FailureCode.BadRequest, message: `bad request: ${what}` } };
}

function isOptional<T>(value: unknown, check: (value: unknown) => value is T): value is T | undefined {
  return value === undefined || check(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}

function isPosition(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_POSITION;
}
