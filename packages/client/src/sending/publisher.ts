/**
 * From a value to its place in the log: encodes it, refuses what cannot go, and hands the rest to the outbox.
 */
import type { Codec } from '@chat/protocol';
import type { SessionLimits } from '@chat/protocol/frames';
import { assertKnown } from '../assert-known.js';
import { assertFits } from '../errors.js';
import type { Outbox, PublishTarget } from './outbox.js';

/** Options of `room.send` and `client.direct`. */
export interface SendOptions {
  /** Stops waiting; the message may still be delivered if it was on its way. */
  readonly signal?: AbortSignal;
}

/** The place of a sent message in the log. */
export interface Sent {
  /** The id under which every member sees it. */
  readonly id: string;
  readonly seq: number;
  /** Server time in milliseconds since 1970. */
  readonly at: number;
}

/** The part of a session that a {@link Publisher} needs. */
export interface PublisherSession {
  readonly epoch: string;
  readonly limits: SessionLimits | undefined;
  /** @throws ClientError why the client is closed */
  assertNotClosed(): void;
}

export class Publisher {
  readonly #session: PublisherSession;
  readonly #outbox: Outbox;

  constructor(session: PublisherSession, outbox: Outbox) {
    this.#session = session;
    this.#outbox = outbox;
  }

  /** @throws ClientError (as a rejection) as {@link Room.send} */
  publish<T>(target: PublishTarget, codec: Codec<T>, value: T, options?: SendOptions): Promise<Sent> {
    const sent = this.#publish(target, codec, value, options);
    // A caller that does not wait for the outcome must not bring the process down with it.
    sent.catch(() => {});
    return sent;
  }

  async #publish<T>(
    target: PublishTarget,
    codec: Codec<T>,
    value: T,
    { signal, ...others }: SendOptions = {},
  ): Promise<Sent> {
    assertKnown('', others);
    const { limits } = this.#session;
    this.#session.assertNotClosed();
    if (target.refusal) throw target.refusal;
    const encoded = codec.encode(value);
    // The caller may go on writing to bytes of its own while they wait.
    const body = (encoded as unknown) === value ? encoded.slice() : encoded;
    assertFits('message', body.length, limits, 'maxMessageBytes');
    const { seq, at } = await this.#outbox.add(target, codec.tag, body, signal);
    return { id: `${this.#session.epoch}-${seq}`, seq, at };
  }
}
