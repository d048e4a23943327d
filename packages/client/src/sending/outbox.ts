/**
 * Messages on their way to the server, and the one outcome of each.
 *
 * A message waits in `#queue` until the connection and the window (`maxInFlight`) let it go. Then it gets its
 * publish id and stays in `#inFlight` until the server acknowledges or refuses it. A message whose room is
 * not joined again yet is put aside, in `#aside`, and holds no other up. When the connection breaks:
 *
 *  - session resumed: everything in flight is sent again, in order, under the same ids; the server recognises
 *    what it has already. Each message is in the log once.
 *  - session lost: the messages in flight may be in the log or not, and their promises say so
 *    (`ERR_CLIENT_UNCONFIRMED`). Messages that were never sent go out in the new session.
 *
 * Bounded by count, bytes and age, whatever the state of the connection.
 */
import type { Failure } from '@chat/protocol';
import { type Clock, monotonicMs } from '../clock.js';
import { failureError } from '../connection/refusals.js';
import { assertWithin, ClientError } from '../errors.js';
import { onAbort } from '../events/on-abort.js';
import { InFlight } from './in-flight.js';

/** The option `outbox`, with its defaults. */
export interface OutboxLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** The place that the server gave a message. */
export interface Accepted {
  readonly seq: number;
  readonly at: number;
  /** Of a direct message: its receiver is away. */
  readonly waiting?: true;
}

/** The receiver of a message: a room, or one member. */
export interface PublishTarget {
  /**
   * Whether its messages have to wait, and those for others need not; told by `settled` when that is over.
   */
  readonly isWaiting?: boolean;
  /** Why nothing can be sent to it any more. */
  readonly refusal?: ClientError | undefined;
  /** The whole frame. */
  publishFrame(publishId: number, codec: number, body: Uint8Array): Uint8Array;
}

interface Item {
  /** Counts the messages of a client, over all its sessions. */
  readonly order: number;
  readonly target: PublishTarget;
  readonly codec: number;
  readonly body: Uint8Array;
  readonly expiresAt: number;
  readonly settle: (error: unknown, accepted?: Accepted) => void;
  /** The promise is settled: an answer of the server interests nobody any more. */
  settled: boolean;
  /** As it was sent, while it is in flight: sent again as it is, since its id is used up in any case. */
  frame: Uint8Array | undefined;
}

/** It has 32 bits on the wire. */
const MAX_PUBLISH_ID = 0xffff_ffff;

export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #clock: Clock;
  readonly #onUsedUp: () => void;
  readonly #maxPublishId: number;
  /** In order, and none of them settled. */
  #queue: Item[] = [];
  /** The same for targets that have to wait. */
  readonly #aside = new Map<PublishTarget, Item[]>();
  /** Begins anew, from publish id 1, with each session. */
  #inFlight = new InFlight<Item>();
  #send: ((bytes: Uint8Array) => void) | undefined;
  #held = true;
  #maxInFlight = 1;
  #lastOrder = 0;
  /** Messages that are not settled yet, and the bytes of their bodies. */
  #count = 0;
  #bytes = 0;
  #timer: unknown;

  /**
   * @param onUsedUp told when the session has no publish id left, and everything is answered that has one
   * @param maxPublishId the last id of a session
   */
  constructor(
    limits: OutboxLimits,
    clock: Clock,
    onUsedUp: () => void,
    maxPublishId: number = MAX_PUBLISH_ID,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#onUsedUp = onUsedUp;
    this.#maxPublishId = maxPublishId;
  }

  add(
    target: PublishTarget,
    codec: number,
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Accepted> {
    const { maxCount, maxBytes, maxAgeMs } = this.#limits;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const [count, bytes] = [this.#count + 1, this.#bytes + body.length];
      assertWithin('ERR_CLIENT_OUTBOX_FULL', 'an outbox', count, 'outbox.maxCount', maxCount);
      assertWithin('ERR_CLIENT_OUTBOX_FULL', 'an outbox', bytes, 'outbox.maxBytes', maxBytes);
      const stopWaiting = onAbort(signal, () => {
        item.settle(signal?.reason);
        this.#dropSettled();
      });
      const item: Item = {
        order: ++this.#lastOrder,
        target,
        codec,
        body,
        expiresAt: monotonicMs(this.#clock) + maxAgeMs,
        settled: false,
        frame: undefined,
        settle: (error, accepted) => {
          if (item.settled) return;
          item.settled = true;
          this.#count--;
          this.#bytes -= body.length;
          stopWaiting();
          if (accepted === undefined) reject(error);
          else resolve(accepted);
        },
      };
      this.#queue.push(item);
      this.#count++;
      this.#bytes += body.length;
      this.#timer ??= this.#clock.setTimeout(() => this.#expire(), maxAgeMs);
      this.#pump();
    });
  }

  /** A connection is open. When `resumed`, what was in flight is sent again. */
  open(send: (bytes: Uint8Array) => void, maxInFlight: number, resumed: boolean): void {
    this.#send = send;
    this.#held = true;
    this.#maxInFlight = maxInFlight;
    if (!resumed) {
      this.#settleInFlight(new ClientError('ERR_CLIENT_UNCONFIRMED', 'sent, and perhaps in the log'));
      return;
    }
    for (const { frame } of this.#inFlight.all()) send(frame!);
  }

  /** Messages for `target` need not wait any more: they can go, or it says why not. */
  settled(target: PublishTarget): void {
    const items = this.#aside.get(target);
    if (items === undefined) return;
    this.#aside.delete(target);
    this.#putBack(items);
    this.#pump();
  }

  /** Lets messages go. */
  release(): void {
    this.#held = false;
    this.#pump();
  }

  /** Keeps new messages back, until `release`. */
  hold(): void {
    this.#held = true;
  }

  /** The connection is gone. */
  lost(): void {
    this.#send = undefined;
    this.#held = true;
  }

  /** Rejects everything: what was handed to a connection as unconfirmed, the rest with `error`. */
  fail(error: ClientError): void {
    this.lost();
    const message = `sent without an answer: ${error.message}`;
    this.#settleInFlight(new ClientError('ERR_CLIENT_UNCONFIRMED', message, { cause: error }));
    for (const item of this.#unsent()) item.settle(error);
    this.#dropSettled();
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  ack(publishId: number, accepted: Accepted): void {
    const item = this.#inFlight.take(publishId);
    item?.settle(undefined, accepted);
    this.#pump();
  }

  nack(publishId: number, failure: Failure): void {
    const item = this.#inFlight.take(publishId);
    if (item && failure.code === 'draining' && !item.settled) {
      // Known not to be in the log: it goes to the next connection, before what was queued behind it.
      item.frame = undefined;
      this.#putBack([item]);
      this.#held = true;
      return;
    }
    item?.settle(failureError(failure));
    this.#pump();
  }

  #pump(): void {
    if (this.#held || this.#send === undefined) return;
    while (this.#queue.length > 0 && this.#inFlight.span < this.#maxInFlight) {
      if (this.#inFlight.next > this.#maxPublishId) {
        if (this.#inFlight.span === 0) this.#onUsedUp();
        return;
      }
      const item = this.#queue.shift()!;
      const { target } = item;
      if (target.isWaiting) {
        const aside = this.#aside.get(target);
        if (aside) aside.push(item);
        else this.#aside.set(target, [item]);
        continue;
      }
      const { refusal } = target;
      if (refusal) item.settle(refusal);
      else {
        item.frame = target.publishFrame(this.#inFlight.next, item.codec, item.body);
        this.#inFlight.add(item);
        this.#send(item.frame);
      }
    }
  }

  #putBack(items: readonly Item[]): void {
    this.#queue.push(...items);
    this.#queue.sort((a, b) => a.order - b.order);
  }

  /** The messages in the queue and beside it. */
  #unsent(): Item[] {
    return [...this.#queue, ...[...this.#aside.values()].flat()];
  }

  #settleInFlight(error: ClientError): void {
    for (const item of this.#inFlight.all()) item.settle(error);
    this.#inFlight = new InFlight();
  }

  /** Forgets messages that were settled while they waited. Those in flight stay: their ids are used up. */
  #dropSettled(): void {
    const waits = ({ settled }: Item) => !settled;
    this.#queue = this.#queue.filter(waits);
    for (const [target, items] of this.#aside) this.#aside.set(target, items.filter(waits));
  }

  #expire(): void {
    const now = monotonicMs(this.#clock);
    const { maxAgeMs } = this.#limits;
    let next = Infinity;
    for (const item of [...this.#inFlight.all(), ...this.#unsent()]) {
      if (item.settled) continue;
      if (item.expiresAt > now) next = Math.min(next, item.expiresAt);
      else {
        // A message that was sent may be in the log.
        const code = item.frame ? 'ERR_CLIENT_UNCONFIRMED' : 'ERR_CLIENT_OUTBOX_EXPIRED';
        item.settle(
          new ClientError(code, `not ${item.frame ? 'acknowledged' : 'sent'} within ${maxAgeMs} ms`),
        );
      }
    }
    this.#dropSettled();
    this.#timer =
      next === Infinity ? undefined : this.#clock.setTimeout(() => this.#expire(), Math.max(1, next - now));
  }
}
