/**
 * Emoji below messages: whoever may write in a room may react there to what was said, with each emoji once.
 *
 * What comes of it is a notice in the room. Where that comes back from the log, the message has the reaction, in the heap
 * and in the store (`log/messages/change-message.ts`). The limits are looked at before that, so reactions that are under
 * way together may exceed them by a few; only that a message still fits into a frame is looked at again there.
 */
import { type Failure, FailureCode, jsonCodec } from '@chat/protocol';
import {
  FrameType,
  type ModerationBody,
  NoticeKind,
  type Reacted,
  type Reaction,
} from '@chat/protocol/frames';
import type { Draft } from '../log/entry.js';
import { changeMessage, reactionsOf, withReaction } from '../log/messages/change-message.js';
import { emojiOf } from '../log/messages/emoji.js';
import { personOf } from '../log/state/rules.js';
import { userOf } from '../log/state/session-number.js';
import type { SessionContext } from '../session/context.js';
import { writeRefusal } from '../session/room-rules.js';
import type { Actor } from './actor.js';
import { findSaid, heldMessage } from './said.js';

export type ReactionRequest = Extract<ModerationBody, { readonly op: 'react' }>;

/** What is to be appended; `undefined` where everything is as it is wanted. */
type Planned = { readonly draft: Omit<Draft, 'origin'> | undefined } | { readonly failure: Failure };

export async function planReaction(
  context: SessionContext,
  { session, name }: Actor,
  request: ReactionRequest,
): Promise<Planned> {
  const { options, rules, maxMessageBytes } = context;
  const { maxReactionBytes } = options;
  const actual = Buffer.byteLength(request.reaction);
  if (actual > maxReactionBytes) return tooLarge('a reaction', actual, maxReactionBytes, 'bytes');
  const reaction = emojiOf(request.reaction);
  if (reaction === undefined) return failed(FailureCode.BadRequest, 'a reaction is one emoji');
  const found = await findSaid(context, request);
  if ('failure' in found) return found;
  const { room, said: first } = found;
  const of = { id: userOf(first.sender), name: first.name };
  if (session) {
    if (!session.rooms.has(room.handle)) return failed(FailureCode.NotMember, `not a member of ${room.name}`);
    const question = { role: rules.roleOf(room.key, personOf(session)), user: of.name };
    const answer = await options.hooks.authorize?.(session.info, 'react', room.name, question);
    if (answer === false) return failed(FailureCode.Forbidden, `not allowed to react in ${room.name}`);
    const refusal = writeRefusal(context, session, room, answer === 'allow');
    if (refusal) return { failure: refusal };
  }
  // Others may have reacted while somebody was asked.
  const said = heldMessage(room, request.seq) ?? first;
  const reactions = reactionsOf(said);
  if (!reactions) return failed(FailureCode.BadRequest, 'only a text can be reacted to');
  const by = { id: session ? userOf(session.memberId) : 0, name, account: session?.account };
  const change = { reaction, by, ...(request.remove === true ? { removed: true as const } : {}) };
  const wanted = withReaction(reactions, change);
  if (!wanted) return { draft: undefined };
  const tooMany = request.remove !== true && exceeded(context, wanted);
  if (tooMany) return tooMany;
  if (!changeMessage(said, { what: 'reacted', ...change, maxBytes: maxMessageBytes }))
    return failed(FailureCode.TooLarge, 'the message is so long that no reaction fits below it');
  const { removed } = change;
  const body: Reacted = {
    seq: request.seq,
    of,
    reaction,
    ...(removed ? { removed } : {}),
    maxBytes: maxMessageBytes,
  };
  const draft = {
    room: room.key,
    type: FrameType.Notice,
    kind: NoticeKind.Reacted,
    codec: 0,
    sender: session?.memberId ?? 0,
    name: Buffer.from(name),
    body: jsonCodec.encode(body),
    at: options.clock.now(),
    publishId: 0,
  };
  return { draft };
}

function exceeded(
  { options: { maxReactionKinds, maxReactionsBytes } }: SessionContext,
  wanted: readonly Reaction[],
): { readonly failure: Failure } | undefined {
  if (wanted.length > maxReactionKinds)
    return tooLarge('a message', wanted.length, maxReactionKinds, 'different reactions');
  const bytes = jsonCodec.encode(wanted).length;
  if (bytes > maxReactionsBytes) return tooLarge('a message', bytes, maxReactionsBytes, 'bytes of reactions');
  return undefined;
}

function tooLarge(what: string, actual: number, max: number, unit: string): { readonly failure: Failure } {
  return {
    failure: { code: FailureCode.TooLarge, message: `${what} has at most ${max} ${unit}`, max, actual },
  };
}

function failed(code: FailureCode, message: string): { readonly failure: Failure } {
  return { failure: { code, message } };
}
