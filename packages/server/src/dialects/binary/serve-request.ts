/**
 * One request of a client, from its frame to the frames of its answer.
 */
import { CloseCode, FailureCode } from '@chat/protocol';
import { CALL_HEADER_BYTES, type Joined } from '@chat/protocol/frames';
import type { Connection } from '../../connection/connection.js';
import type { ConnectionContext } from '../../connection/context.js';
import { Price } from '../../limits/prices.js';
import { REACTIONS_FEATURE, RICH_FEATURE } from '../../log/messages/rich-text.js';
import type { Session } from '../../session/session.js';
import {
  answerRequest,
  type LaterReply,
  type Reply,
  replyFrame,
  replyFrames,
  type ShortReply,
} from './requests.js';

type AnyConnection = Pick<Connection<unknown>, 'session' | 'sender' | 'close'>;

/** In a hello: the client says how far its user has read, and is told what was read on another session. */
export const READS_FEATURE = 'reads';
/** What clients may know beyond what every client does. */
const FEATURES: readonly string[] = [RICH_FEATURE, REACTIONS_FEATURE, READS_FEATURE];

/** Those of the features of a client that are known here. */
export function knownFeatures(features: readonly string[]): ReadonlySet<string> {
  return new Set(FEATURES.filter((feature) => features.includes(feature)));
}

/** The answer to a join, for a client that knows some of the features that this server knows. */
export function withFeatures(joined: Joined, { account }: Session, features: ReadonlySet<string>): Joined {
  // A guest has no other sessions.
  const both = [...features].filter((feature) => feature !== READS_FEATURE || account !== undefined);
  return both.length === 0 ? joined : { ...joined, features: both };
}

/**
 * Resolves once the answer is sent, or waits for the end of the turn. A request that fails is answered with `internal`.
 *
 * @param features what the client knows beyond what every client does
 */
export async function serveRequest(
  context: ConnectionContext,
  connection: AnyConnection,
  session: Session,
  id: number,
  request: Readonly<Record<string, unknown>>,
  features: ReadonlySet<string>,
): Promise<void> {
  const isPlain = !features.has(RICH_FEATURE);
  const pieceBytes = context.options.maxFrameBytes - CALL_HEADER_BYTES;
  const respond = (response: Joined): void => {
    const joined = withFeatures(response, session, features);
    if (connection.session) connection.sender.answer(replyFrame(id, { response: joined }));
  };
  const failed = (error: unknown): ShortReply => {
    context.refusals.failed(error, 'a request failed', { member: session.memberId });
    return { failure: { code: FailureCode.Internal, message: 'the server failed' } };
  };
  let reply: Reply | LaterReply | undefined;
  try {
    reply = await answerRequest(context, session, request, pieceBytes, respond);
  } catch (error) {
    reply = failed(error);
  }
  if (!reply) return;
  if ('later' in reply) {
    void reply.later.catch(failed).then((answer) => sendShort(connection, session, replyFrame(id, answer)));
  } else {
    await sendReply(connection, session, id, reply, isPlain);
  }
}

/** Sends an answer for which nothing waited: so it does not wait itself for space, being one frame. */
function sendShort({ session: present, sender }: AnyConnection, session: Session, frame: Uint8Array): void {
  if (!present) return;
  sender.answer(frame);
  chargeAnswer(session, frame.length);
}

function chargeAnswer(session: Session, bytes: number): void {
  session.input.charge(Math.floor(bytes / 1024) * Price.kibibyteAnswered);
}

/** Sends what a request is answered, as far as there is space for it to wait. */
async function sendReply(
  connection: AnyConnection,
  session: Session,
  id: number,
  reply: Reply,
  isPlain: boolean,
): Promise<void> {
  const { sender } = connection;
  const frames = replyFrames(id, reply, isPlain);
  let bytes = 0;
  let next = frames.next();
  for (; !next.done && connection.session; next = frames.next()) {
    const frame = next.value;
    if ('head' in frame) {
      bytes += frame.entries.length;
      sender.answerParts(frame.head, frame.entries);
    } else {
      bytes += frame.length;
      sender.answer(frame);
    }
    // A page may be larger than what may wait: the rest of it stays in the log until there is space.
    if (sender.isFull) await sender.flushed();
  }
  chargeAnswer(session, bytes);
  if (next.done && !next.value) {
    connection.close(CloseCode.SlowConsumer, 'fell behind the history that it asked for');
  }
}
