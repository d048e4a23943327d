/**
 * One request of a client, from its frame to the frames of its answer.
 */
import { CloseCode, FailureCode } from '@chat/protocol';
import { CALL_HEADER_BYTES, encodeFrame, FrameType, type Joined } from '@chat/protocol/frames';
import type { Connection } from '../../connection/connection.js';
import type { ConnectionContext } from '../../connection/context.js';
import { Price } from '../../limits/prices.js';
import type { Session } from '../../session/session.js';
import { answerRequest, type Reply, replyFrames } from './requests.js';

type AnyConnection = Pick<Connection<unknown>, 'session' | 'sender' | 'close'>;

/** Resolves once the answer is sent, or waits for the end of the turn. A request that fails is answered with `internal`. */
export async function serveRequest(
  context: ConnectionContext,
  connection: AnyConnection,
  session: Session,
  id: number,
  request: Readonly<Record<string, unknown>>,
): Promise<void> {
  const pieceBytes = context.options.maxFrameBytes - CALL_HEADER_BYTES;
  const respond = (response: Joined): void => {
    if (connection.session) connection.sender.answer(encodeFrame({ type: FrameType.Response, id, response }));
  };
  let reply: Reply | undefined;
  try {
    reply = await answerRequest(context, session, request, pieceBytes, respond);
  } catch (error) {
    context.refusals.failed(error, 'a request failed', { member: session.memberId });
    reply = { failure: { code: FailureCode.Internal, message: 'the server failed' } };
  }
  if (reply) await sendReply(connection, session, id, reply);
}

/** Sends what a request is answered, as far as there is space for it to wait. */
async function sendReply(
  connection: AnyConnection,
  session: Session,
  id: number,
  reply: Reply,
): Promise<void> {
  const { sender } = connection;
  const frames = replyFrames(id, reply);
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
  session.input.charge(Math.floor(bytes / 1024) * Price.kibibyteAnswered);
  if (next.done && !next.value) {
    connection.close(CloseCode.SlowConsumer, 'fell behind the history that it asked for');
  }
}
