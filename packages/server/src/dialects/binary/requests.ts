/**
 * Requests of a client, by `op`. They are JSON from a stranger, so each field is checked before it is
 * used; what is wrong is answered, and the connection goes on.
 */
import { type Failure, FailureCode, ProtocolError, roomNameProblem } from '@chat/protocol';
import { asCount, asObject, asOptional, asPosition, asString, type Check } from '@chat/protocol/check';
import {
  encodeFrame,
  FrameType,
  type Joined,
  type RequestBody,
  type ResponseBodies,
} from '@chat/protocol/frames';
import type { ConnectionContext } from '../../connection/context.js';
import { Price } from '../../limits/prices.js';
import { type HistoryPage, MAX_HISTORY_ENTRIES } from '../../log/history.js';
import { plainFrames } from '../../log/messages/plain-frames.js';
import { readPast } from '../../log/stored-history.js';
import type { Room } from '../../room/room.js';
import { isHidden } from '../../session/room-rules.js';
import type { Session } from '../../session/session.js';
import { block, listBlocks, unblock } from '../../session/user/blocks.js';
import { isModeration, MODERATION_CHECKS } from './moderation-request.js';
import { beginSearch } from './search-request.js';

/** Items on a page when the client does not say, and at the most. */
const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

/** An answer to one request that is one frame. */
export type ShortReply =
  | { readonly response: ResponseBodies[keyof ResponseBodies] }
  | { readonly failure: Failure };

/** An answer to one request. */
export type Reply = ShortReply | { readonly history: HistoryPage };

/** An answer to come, for which nothing need wait. */
export interface LaterReply {
  readonly later: Promise<ShortReply>;
}

/** A frame of history: its head, and its entries where they lie in the log. Borrowed, and never written again. */
export interface HistoryFrame {
  readonly head: Uint8Array;
  readonly entries: Buffer;
}

const NOTHING = new Uint8Array(0);

/** What a request says besides its `op`. */
type RequestFields<Op extends RequestBody['op']> = Omit<Extract<RequestBody, { readonly op: Op }>, 'op'>;

const CHECKS: { readonly [Op in RequestBody['op']]: Check<RequestFields<Op>> } = {
  join: asObject<RequestFields<'join'>>({
    room: asString,
    history: asOptional(asPosition),
    after: asOptional(asPosition),
    epoch: asOptional(asString),
  }),
  leave: asObject<RequestFields<'leave'>>({ room: asString }),
  rename: asObject<RequestFields<'rename'>>({ name: asString }),
  rooms: asObject<RequestFields<'rooms'>>({
    prefix: asOptional(asString),
    limit: asOptional(asCount),
    cursor: asOptional(asString),
  }),
  members: asObject<RequestFields<'members'>>({
    room: asString,
    limit: asOptional(asCount),
    cursor: asOptional(asPosition),
  }),
  history: asObject<RequestFields<'history'>>({
    room: asString,
    before: asOptional(asPosition),
    after: asOptional(asPosition),
    limit: asOptional(asCount),
  }),
  search: asObject<RequestFields<'search'>>({
    query: asString,
    room: asOptional(asString),
    from: asOptional(asString),
    before: asOptional(asPosition),
    limit: asOptional(asCount),
  }),
  read: asObject<RequestFields<'read'>>({
    room: asOptional(asString),
    user: asOptional(asString),
    seq: asPosition,
  }),
  block: asObject<RequestFields<'block'>>({ user: asString }),
  unblock: asObject<RequestFields<'unblock'>>({ user: asString }),
  blocks: asObject<RequestFields<'blocks'>>({}),
  ...MODERATION_CHECKS,
};

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
): Promise<Reply | LaterReply | undefined> {
  const refused = session.publisher.chargeRequest();
  if (refused) return { failure: refused };
  const problem = requestProblem(request);
  if (problem !== undefined) return { failure: { code: FailureCode.BadRequest, message: problem } };
  const body = request as RequestBody;
  if (isModeration(body)) {
    const actor = { session, name: session.name };
    return context.moderation.act(actor, body);
  }
  switch (body.op) {
    case 'join': {
      const { room, history, after, epoch } = body;
      const wish = {
        history: Math.min(history ?? 0, MAX_HISTORY_ENTRIES),
        ...(after === undefined ? {} : { after }),
        ...(epoch === undefined ? {} : { epoch }),
      };
      const answer = await session.join(room, wish, respond);
      return 'failure' in answer ? answer : undefined;
    }
    case 'leave': {
      const answer = await session.leave(body.room);
      return 'failure' in answer ? answer : { response: answer };
    }
    case 'rename': {
      const answer = await session.rename(body.name);
      return 'failure' in answer ? answer : { response: answer };
    }
    case 'read': {
      const answer = session.read(body);
      return 'failure' in answer ? answer : { response: answer };
    }
    case 'block':
    case 'unblock': {
      const answer = await (body.op === 'block' ? block : unblock)(context, session, body.user);
      return 'failure' in answer ? answer : { response: answer };
    }
    case 'blocks': {
      const answer = listBlocks(context, session);
      return 'failure' in answer ? answer : { response: answer };
    }
    case 'rooms': {
      const { prefix, limit, cursor } = body;
      const { authorize } = context.options.hooks;
      const maySee = async (name: string): Promise<boolean> => {
        const answer = authorize ? await authorize(session.info, 'list', name) : true;
        return answer === 'allow' || (answer === true && !isHidden(context, session, name));
      };
      const before = context.rooms.lookedAt;
      const response = await context.rooms.list(
        prefix ?? '',
        page(limit),
        pageBytes(context),
        cursor,
        authorize || !context.rules.isEmpty ? maySee : undefined,
      );
      session.input.charge(Math.floor((context.rooms.lookedAt - before) * Price.roomLookedAt));
      return { response };
    }
    case 'members': {
      const { room: name, limit, cursor } = body;
      const room = joinedRoom(context, session, name);
      if ('failure' in room) return room;
      return {
        response: {
          ...context.rooms.listMembers(room, page(limit), pageBytes(context), cursor),
          memberCount: room.memberCount,
        },
      };
    }
    case 'history': {
      const { room: name, limit, before, after } = body;
      const room = joinedRoom(context, session, name);
      if ('failure' in room) return room;
      const wish = {
        limit: Math.min(limit ?? DEFAULT_PAGE, MAX_HISTORY_ENTRIES),
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      };
      return { history: await readPast(context.log.store, room, wish, pieceBytes) };
    }
    case 'search': {
      const { query, room: name, from, before, limit } = body;
      const room = name === undefined ? undefined : joinedRoom(context, session, name);
      if (room && 'failure' in room) return room;
      const wish = {
        query,
        rooms: room ? [room] : [...session.rooms.values()].map((membership) => membership.room),
        limit: page(limit),
        ...(from === undefined ? {} : { from }),
        ...(before === undefined ? {} : { before }),
      };
      return beginSearch(context, session, wish, pageBytes(context));
    }
  }
}

/** What is wrong with a request, as a sentence; `undefined` when every field fits. */
function requestProblem(request: Readonly<Record<string, unknown>>): string | undefined {
  const { op } = request;
  if (typeof op !== 'string' || !Object.hasOwn(CHECKS, op)) {
    return `bad request: ${typeof op === 'string' ? op.slice(0, 32) : typeof op}`;
  }
  try {
    CHECKS[op as RequestBody['op']](request, op);
    return undefined;
  } catch (error) {
    if (!ProtocolError.is(error)) throw error;
    return `bad request: ${error.message}`;
  }
}

/** A short reply as the frame that says it. */
export function replyFrame(id: number, reply: ShortReply): Uint8Array {
  return 'response' in reply
    ? encodeFrame({ type: FrameType.Response, id, response: reply.response })
    : encodeFrame({ type: FrameType.Failed, id, failure: reply.failure });
}

/**
 * A reply as the frames that say it, one after the other as they are asked for.
 *
 * @param isPlain whether the client knows no messages of codec 5
 * @returns false when the log has lost the rest of a page meanwhile
 */
export function* replyFrames(
  id: number,
  reply: Reply,
  isPlain: boolean,
): Generator<Uint8Array | HistoryFrame, boolean> {
  if (!('history' in reply)) {
    yield replyFrame(id, reply);
  } else {
    const { runs, end } = reply.history;
    if (runs.length === 0) {
      yield encodeFrame({ type: FrameType.History, id, last: true, end, entries: NOTHING });
    }
    for (const [index, run] of runs.entries()) {
      const last = index === runs.length - 1;
      const read = run.read();
      if (!read) return false;
      const entries = isPlain ? plainFrames(read) : read;
      const head = encodeFrame({ type: FrameType.History, id, last, end: last && end, entries: NOTHING });
      new DataView(head.buffer, head.byteOffset).setUint32(0, head.length + entries.length, true);
      yield { head, entries };
    }
  }
  return true;
}

function joinedRoom(context: ConnectionContext, session: Session, name: string): Room | { failure: Failure } {
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
