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
import { type Edited, FrameType, type ModerationBody, NoticeKind } from '@chat/protocol/frames';
import type { Draft } from '../log/entry.js';
import { readRichText } from '../log/messages/rich-text.js';
import { userOf } from '../log/state/session-number.js';
import type { Room } from '../room/room.js';
import type { SessionContext } from '../session/context.js';
import { durationText, writeRefusal } from '../session/room-rules.js';
import type { Actor } from './actor.js';
import { findSaid } from './said.js';

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

type Found = Correction | { readonly failure: Failure };

export async function findCorrection(
  context: SessionContext,
  { session, name }: Actor,
  request: CorrectionRequest,
): Promise<Found> {
  const { options } = context;
  const found = await findSaid(context, request);
  if ('failure' in found) return found;
  const { room, said } = found;
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
  // A text that answers a message goes on doing so, and what others think of it stays.
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
  const edited: Edited = { seq, codec, text: wanted, ...answers };
  const { length } = jsonCodec.encode(edited);
  // Where reactions may find no place any more, all who keep the log have to know.
  const body = jsonCodec.encode(
    length + options.maxReactionsBytes > max ? { ...edited, maxBytes: max } : edited,
  );
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

function failed(code: FailureCode, message: string): { readonly failure: Failure } {
  return { failure: { code, message } };
}
