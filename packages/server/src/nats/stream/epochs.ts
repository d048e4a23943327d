/**
 * The lives of a stream. The first one is named where the stream is made. When something of it was lost, a message in the
 * stream says that another one begins there: it is written only if nothing else came in between, so one server writes
 * it, and all the others find it. What came before stays, and counts; only positions of the former life mean nothing
 * any more, which is what clients are told.
 */
import { randomBytes } from 'node:crypto';
import type { StreamInfo } from '@nats-io/jetstream';
import type { NatsContext } from '../nats-context.js';
import { epochOf, epochSubject, subjectsOf } from './stream.js';

/** A life of the stream, and the message with which it began. */
export interface StreamEpoch {
  /** Names the first life: another stream has another one. */
  readonly origin: string;
  readonly name: string;
  readonly since: number;
}

const EPOCH_BYTES = 8;
const MAX_TRIES = 10;
const RETRY_MS = 500;

/** The life that the stream is in. */
export async function currentEpoch(
  { manager, stream }: Pick<NatsContext, 'manager' | 'stream'>,
  info: StreamInfo,
): Promise<StreamEpoch> {
  const origin = epochOf(info)!;
  const message = await manager.streams.getMessage(stream, { last_by_subj: epochSubject(stream) });
  return message
    ? { origin, name: message.string(), since: message.seq }
    : { origin, name: origin, since: 0 };
}

/**
 * Ends a life of the stream, unless somebody else did. Tries for a while; who comes when it could not be done finds what
 * is wrong as this server did.
 */
export async function endEpoch(context: NatsContext, ended: StreamEpoch): Promise<void> {
  const { manager, stream, library } = context;
  const client = manager.jetstream();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    try {
      let info = await manager.streams.info(stream);
      const current = await currentEpoch(context, info);
      if (current.name !== ended.name) return;
      // Streams that older versions made have no place for it.
      if (!info.config.subjects.includes(epochSubject(stream))) {
        info = await manager.streams.update(stream, { subjects: subjectsOf(stream) });
      }
      const next = randomBytes(EPOCH_BYTES).toString('hex');
      const expect = { lastSequence: info.state.last_seq };
      await client.publish(epochSubject(stream), next, { expect });
      return;
    } catch {
      // Something came in between, or nobody answers.
      await library.transport.delay(RETRY_MS);
    }
  }
}
