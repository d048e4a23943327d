/**
 * Messages that are edited or taken back. Members may do so with their own, for a while; whoever may take back those of
 * others is decided by its role, elsewhere.
 *
 * What comes of it is a notice in the room. Where that comes back from the log, the message has its new body, in the heap
 * and in the store.
 */

import {
  CodecTag,
  type Failure,
  FailureCode,
  jsonCodec,
  type Member,
  ProtocolError,
  textCodec,
} from '@chat/protocol';
import {
  ENTRY_SEQ_OFFSET,
  FrameType,
  type ModerationBody,
  NoticeKind,
  readEntryHeader,
  readU48,
} from '@chat/protocol/frames';
import type { Draft } from '../log/entry.js';
import { readRichText } from '../log/messages/rich-text.js';
import { userOf } from '../log/state/session-number.js';
import type { Room } from '../room/room.js';
import type { SessionContext } from '../session/context.js';
import { durationText, writeRefusal } from '../session/room-rules.js';
import type { Actor } from './actor.js';

/** Requests about one message. */
export type CorrectionRequest = Extract<ModerationBody, { readonly op: 'edit' | 'take-back' }>;

/** What is to be appended, if whoever asks may. */
export interface Correction {
  readonly room: Room;
  /** Whether nobody else need be asked: its sender corrects it in time, or the program does. */
  readonly isOwn: boolean;
  /** Who had said it. */
  readonly of: Member;
  readonly draft: Omit<Draft, 'origin'>;
}

/** A message as it is kept. */
interface Said {
  readonly type: number;
  readonly codec: number;
  readonly sender: number;
  readonly at: number;
  readonly name: string;
  readonly body: Uint8Array;
}

type Found = Correction | { readonly failure: Failure };

export async function findCorrection(
  context: SessionContext,
  { session, name }: Actor,
  request: CorrectionRequest,
): Promise<Found> {
  const { options, rooms } = context;
  const room = rooms.find(request.room);
  if (!room) return failed(FailureCode.NoSuchRoom, `there is no room ${request.room.slice(0, 64)}`);
  const said = await findMessage(context, room, request.seq);
  if (said?.type !== FrameType.Message || said.codec === CodecTag.Withdrawn)
    return failed(FailureCode.NoSuchMessage, `there is no message ${request.seq} in ${room.name}`);
  const of = { id: userOf(said.sender), name: said.name };
  const at = options.clock.now();
  let isOwn = session === undefined;
  if (session) {
    // An account comes back with another session, and nobody else has its name.
    const isMine =
      userOf(said.sender) === userOf(session.memberId) ||
      (session.account !== undefined && session.account === said.name);
    const question = { role: 'guest', user: said.name } as const;
    const answer = isMine && (await options.hooks.authorize?.(session.info, 'edit', room.name, question));
    if (answer === false && isMine && options.hooks.authorize)
      return failed(FailureCode.Forbidden, 'not allowed to correct what was said');
    const isInTime = answer === 'allow' || at - said.at < options.editWindowMs;
    isOwn = isMine && isInTime;
    if (request.op === 'edit' && !isOwn) {
      const message = isMine
        ? `a message can be edited for ${durationText(options.editWindowMs)}`
        : 'only its sender may edit a message';
      return failed(FailureCode.Forbidden, message);
    }
    if (isOwn && !session.rooms.has(room.handle))
      return failed(FailureCode.NotMember, `not a member of ${room.name}`);
  }
  const draft = {
    room: room.key,
    type: FrameType.Notice,
    codec: 0,
    sender: session?.memberId ?? 0,
    name: Buffer.from(name),
    at,
    publishId: 0,
  };
  if (request.op === 'take-back') {
    const body = jsonCodec.encode({ seq: request.seq, of });
    return { room, isOwn, of, draft: { ...draft, kind: NoticeKind.TakenBack, body } };
  }
  const refusal = session && writeRefusal(context, session, room, false);
  if (refusal) return { failure: refusal };
  // A text that answers a message goes on doing so.
  const reply = said.codec === CodecTag.Rich ? readRichText(said.body)?.reply : undefined;
  const edited = await editedBody(context, session, room, request, reply);
  if ('failure' in edited) return edited;
  return { room, isOwn, of, draft: { ...draft, kind: NoticeKind.Edited, body: edited.body } };
}

/** The new text as the notice carries it, once it has passed what a message has to pass. */
async function editedBody(
  { options, maxMessageBytes: max }: SessionContext,
  session: Actor['session'],
  room: Room,
  { seq, text, codec = CodecTag.Text }: Extract<CorrectionRequest, { readonly op: 'edit' }>,
  reply: number | undefined,
): Promise<{ readonly body: Uint8Array } | { readonly failure: Failure }> {
  let wanted = text;
  const { onMessage } = options.hooks;
  if (session && onMessage) {
    const message = { room: room.name, to: undefined, codec, body: textCodec.encode(text) };
    const decision = await onMessage(message, session.info);
    if (decision && 'reject' in decision) return failed(FailureCode.Rejected, decision.reject);
    if (decision) wanted = textCodec.decode(decision.body);
  }
  if (codec === CodecTag.Json && !isJson(wanted))
    return failed(FailureCode.BadRequest, 'the text is no JSON');
  const answers = reply === undefined || codec !== CodecTag.Text ? {} : { reply };
  const body = jsonCodec.encode({ seq, codec, text: wanted, ...answers });
  if (body.length <= max) return { body };
  const message = `message of ${body.length} bytes exceeds ${max}`;
  return { failure: { code: FailureCode.TooLarge, message, max, actual: body.length } };
}

function isJson(text: string): boolean {
  try {
    jsonCodec.decode(textCodec.encode(text));
    return true;
  } catch (error) {
    if (!ProtocolError.is(error)) throw error;
    return false;
  }
}

/** The entry at a position of a room, from the heap or from the store. */
async function findMessage(
  { log: { store } }: SessionContext,
  { log, key }: Room,
  seq: number,
): Promise<Said | undefined> {
  const point = log.after(seq - 1);
  if (point && point.offset < point.chunk.used) {
    const { bytes } = point.chunk;
    if (readU48(bytes, point.offset + ENTRY_SEQ_OFFSET) !== seq) return undefined;
    const { kind, codec, sender, at, nameStart, bodyStart } = readEntryHeader(
      bytes,
      point.offset,
      point.chunk.endOf(point.offset),
    );
    const type = kind === 0 ? FrameType.Message : FrameType.Notice;
    const name = textCodec.decode(bytes.subarray(nameStart, bodyStart));
    const body = bytes.subarray(bodyStart, point.chunk.endOf(point.offset));
    return { type, codec, sender, at, name, body };
  }
  if (!store || seq > log.lastSeq) return undefined;
  const { entries } = await store.read(key, { after: seq - 1, limit: 1, maxBytes: 1 });
  const [entry] = entries;
  return entry?.seq === seq ? { ...entry, name: textCodec.decode(entry.name) } : undefined;
}

function failed(code: FailureCode, message: string): { readonly failure: Failure } {
  return { failure: { code, message } };
}
