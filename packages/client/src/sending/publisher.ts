/**
 * Publishes a value: encodes it, refuses it where it cannot be sent, and hands it to the outbox.
 */
import type { Codec } from '@chat/protocol';
import type { SessionLimits } from '@chat/protocol/frames';
import { assertKnown } from '../assert-known.js';
import { assertWithin } from '../errors.js';
import type { Accepted, Outbox, PublishTarget } from './outbox.js';

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

/** The place of a direct message in the log, and what it has come to. */
export interface SentDirect extends Sent {
  /**
   * `delivered`: the user is connected, and the message is on its way. `waiting`: the user is away, and gets it when
   * it comes back in time.
   */
  readonly delivery: 'delivered' | 'waiting';
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
  publish<T>(
    target: PublishTarget,
    codec: Codec<T>,
    value: T,
    options?: SendOptions & { readonly codec?: Codec<T> },
  ): Promise<Sent> {
    return quietly(this.#place(target, codec, value, options).then(([sent]) => sent));
  }

  /** @throws ClientError (as a rejection) as {@link ChatClient.direct} */
  direct<T>(target: PublishTarget, codec: Codec<T>, value: T, options?: SendOptions): Promise<SentDirect> {
    return quietly(
      this.#place(target, codec, value, options).then(([sent, { waiting }]) => ({
        ...sent,
        delivery: waiting ? 'waiting' : 'delivered',
      })),
    );
  }

  async #place<T>(
    target: PublishTarget,
    usual: Codec<T>,
    value: T,
    { codec = usual, signal, ...others }: SendOptions & { readonly codec?: Codec<T> } = {},
  ): Promise<readonly [Sent, Accepted]> {
    assertKnown('', others);
    const { limits } = this.#session;
    this.#session.assertNotClosed();
    if (target.refusal) throw target.refusal;
    const encoded = codec.encode(value);
    // The caller may go on writing to bytes of its own while they wait.
    const body = (encoded as unknown) === value ? encoded.slice() : encoded;
    assertWithin(
      'ERR_CLIENT_TOO_LARGE',
      'a message',
      body.length,
      'maxMessageBytes',
      limits?.maxMessageBytes,
    );
    const accepted = await this.#outbox.add(target, codec.tag, body, signal);
    const { seq, at } = accepted;
    return [{ id: `${this.#session.epoch}-${seq}`, seq, at }, accepted];
  }
}

/** A caller that does not wait for the outcome must not bring the process down with it. */
function quietly<T>(outcome: Promise<T>): Promise<T> {
  outcome.catch(() => {});
  return outcome;
}
