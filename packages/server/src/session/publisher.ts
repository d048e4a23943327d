/**
 * What one session says: messages to rooms, direct messages, signals.
 *
 * Publishes are numbered by the client and answered one by one, in order, each once: with its place in the log, or
 * with the reason why it has none. A number that comes again after a lost connection gets the answer that was
 * lost. Everything that a session sends is charged to its rate limit here.
 */
import { CloseCode, CodecTag, type Failure, FailureCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { Price } from '../limits/prices.js';
import { inboxKey, type LogEntry, type Origin, SIGNAL } from '../log/entry.js';
import { isOwnRichText } from '../log/messages/rich-text.js';
import type { SessionState } from '../log/state/chat-state.js';
import type { Outcome } from '../log/state/outcome.js';
import { personOf } from '../log/state/rules.js';
import { userOf } from '../log/state/session-number.js';
import type { Hooks } from '../options/hooks.js';
import type { Membership } from '../room/room.js';
import { sendSignal } from '../room/send-signal.js';
import type { SessionContext, SessionPerson } from './context.js';
import { type DirectSender, directOrigin, noSuchUser } from './directs/direct-origin.js';
import { copyToOwnSessions } from './directs/own-copy.js';
import type { PublishRecord } from './publish-record.js';
import { durationText, slowMs, writeRefusal } from './room-rules.js';
import { blockRefusal } from './user/blocks.js';

/** Why a connection that floods is closed. */
export const TOO_MANY = 'too many messages for too long';

const NOT_RICH: Failure = {
  code: FailureCode.BadRequest,
  message: 'a message of codec 5 is JSON {text, reply?}; reactions are asked for',
};

/** Where a message goes: a room, or the inbox of a member, which has no name. */
interface Address {
  /** In the log. */
  readonly key: string;
  readonly name: string;
  readonly to?: SessionState;
}

/** What publishing needs of the server. */
export type PublisherContext = Pick<
  SessionContext,
  'options' | 'log' | 'steady' | 'rooms' | 'rules' | 'sessions' | 'counters' | 'refusals' | 'maxMessageBytes'
>;

export class Publisher implements Origin {
  readonly #context: PublisherContext;
  readonly #session: SessionPerson;
  readonly #record: PublishRecord;
  /** The publish that hooks decide about. */
  #deciding: Promise<void> | undefined;
  /** Publishes on their way through the log. */
  #inLog = 0;
  /** Lets whoever waits for space in the log go on. */
  #onSpace: (() => void) | undefined;

  /** @param record what became of publishes so far */
  constructor(context: PublisherContext, session: SessionPerson, record: PublishRecord) {
    this.#context = context;
    this.#session = session;
    this.#record = record;
  }

  /** What became of the latest publishes. */
  get record(): PublishRecord {
    return this.#record;
  }

  /** Number of the latest publish that was taken, 0 before the first. */
  get last(): number {
    return this.#record.last;
  }

  /** Publishes to a room that the session is in. A promise means: no further input until it is settled. */
  publish(roomHandle: number, publishId: number, codec: number, body: Uint8Array): Promise<void> | undefined {
    if (!this.#record.tryTake(publishId)) return this.#answerAgain(publishId);
    if (!this.#mayPublish(publishId)) return undefined;
    const membership = this.#session.rooms.get(roomHandle);
    if (!membership) {
      return this.#refuse(publishId, {
        code: FailureCode.NotMember,
        message: `not a member of room ${roomHandle}`,
      });
    }
    return this.#send(publishId, membership.room, codec, body);
  }

  /** Sends a direct message to the member of that name. */
  direct(publishId: number, to: string, codec: number, body: Uint8Array): Promise<void> | undefined {
    if (!this.#record.tryTake(publishId)) return this.#answerAgain(publishId);
    if (!this.#mayPublish(publishId)) return undefined;
    const target = this.#context.sessions.holderOf(to);
    if (!target) {
      return this.#refuse(publishId, noSuchUser(to));
    }
    const address = { key: inboxKey(userOf(target.memberId)), name: '', to: target };
    return this.#send(publishId, address, codec, body);
  }

  /**
   * Sends something volatile to those members of a room who have nothing unsent. It has no answer: what is too large, or
   * not allowed, is dropped. A promise means: no further input until it is settled.
   */
  signal(roomHandle: number, codec: number, body: Uint8Array): Promise<void> | undefined {
    const { hooks, maxSignalBytes } = this.#context.options;
    if (!this.#session.input.tryCharge(Price.message)) {
      this.#violated();
      return undefined;
    }
    const membership = this.#session.rooms.get(roomHandle);
    if (!membership || body.length > maxSignalBytes) {
      this.#context.counters.messagesRefused++;
      return undefined;
    }
    if (writeRefusal(this.#context, this.#session, membership.room, false)) {
      this.#context.counters.messagesRefused++;
      return undefined;
    }
    if (hooks.authorize) return this.#signalByHook(hooks.authorize, membership, codec, body);
    this.#sendSignal(membership, codec, body);
    return undefined;
  }

  async #signalByHook(
    authorize: NonNullable<Hooks['authorize']>,
    membership: Membership,
    codec: number,
    body: Uint8Array,
  ): Promise<void> {
    const { room } = membership;
    try {
      if (await authorize(this.#session.info, 'write', room.name)) {
        // It may have left, or have been shown out, while the hook thought.
        if (this.#session.rooms.get(room.handle) === membership) this.#sendSignal(membership, codec, body);
        return;
      }
    } catch (error) {
      this.#context.refusals.failed(error, 'a hook failed', { member: this.#session.memberId });
    }
    this.#context.counters.messagesRefused++;
  }

  #sendSignal(membership: Membership, codec: number, body: Uint8Array): void {
    const { room } = membership;
    const { memberId, name, nameBytes } = this.#session;
    sendSignal(room, memberId, name, codec, body);
    const { log, options } = this.#context;
    // To those at other processes.
    if (log.process === undefined || room.everybody.size === room.members.size) return;
    log.append({
      room: room.key,
      type: SIGNAL,
      codec,
      kind: 0,
      sender: memberId,
      name: nameBytes,
      body,
      at: options.clock.now(),
      publishId: 0,
      origin: undefined,
    });
  }

  /**
   * For clients that know of no window: settled once as few publishes are on their way through the log that another one
   * is not refused. `undefined`: now.
   */
  space(): Promise<void> | undefined {
    if (this.#inLog < this.#context.options.maxInFlight) return undefined;
    return new Promise((resolve) => {
      this.#onSpace = resolve;
    });
  }

  #leftLog(): void {
    this.#inLog--;
    this.#onSpace?.();
    this.#onSpace = undefined;
  }

  /** Charges a request to the rate limit; answers why it is refused, if it is. */
  chargeRequest(): Failure | undefined {
    if (this.#session.input.tryCharge(Price.request)) return undefined;
    this.#violated();
    return this.#rateLimited();
  }

  /** Told by the log: a publish of this session has its place. */
  appended(entry: LogEntry, outcome: Outcome): void {
    this.#accepted(entry, outcome, false);
  }

  #accepted({ publishId, seq, at }: LogEntry, outcome: Outcome, isWaiting: boolean): void {
    this.#leftLog();
    if (outcome.kind === 'void') {
      // Else the session goes on at another process, where its client sends this again; or there is none any more.
      if (outcome.reason === 'muted') this.#refuse(publishId, { code: FailureCode.Muted, message: 'muted' });
      return;
    }
    this.#record.accepted(publishId, seq, at, isWaiting);
    this.#session.peer?.ack(publishId, seq, at, isWaiting);
  }

  #directSender(to: string): DirectSender {
    return {
      accepted: (entry, outcome, isWaiting) => {
        this.#accepted(entry, outcome, isWaiting);
        if (outcome.kind === 'shown') copyToOwnSessions(this.#context, this.#session, entry, to);
      },
      refused: (failure, publishId) => this.refused(failure, publishId),
    };
  }

  /** Told by the log: a publish of this session has no place, and never will have. */
  refused(failure: Failure, publishId: number): void {
    this.#leftLog();
    this.#refuse(publishId, failure);
  }

  #send(publishId: number, address: Address, codec: number, body: Uint8Array): Promise<void> | undefined {
    const { options } = this.#context;
    if (body.length > this.#context.maxMessageBytes) {
      const max = this.#context.maxMessageBytes;
      const message = `message of ${body.length} bytes exceeds ${max}`;
      return this.#refuse(publishId, { code: FailureCode.TooLarge, message, max, actual: body.length });
    }
    const { authorize, onMessage } = options.hooks;
    if (authorize || onMessage) {
      this.#deciding = this.#sendByHooks(publishId, address, codec, body);
      return this.#deciding;
    }
    this.#append(publishId, address, codec, body, false);
    return undefined;
  }

  async #sendByHooks(publishId: number, address: Address, codec: number, body: Uint8Array): Promise<void> {
    const { hooks } = this.#context.options;
    const { key, name: room, to } = address;
    try {
      const answer = hooks.authorize ? await hooks.authorize(this.#session.info, 'write', room) : true;
      if (!answer) {
        this.#refuse(publishId, { code: FailureCode.Forbidden, message: 'not allowed to write here' });
        return;
      }
      const message = { room, to: to?.name, codec, body };
      const decision = await hooks.onMessage?.(message, this.#session.info);
      if (decision && 'reject' in decision) {
        this.#refuse(publishId, { code: FailureCode.Rejected, message: decision.reject });
        return;
      }
      const wanted = decision?.body ?? body;
      if (!(wanted instanceof Uint8Array) || wanted.length > this.#context.maxMessageBytes) {
        throw new TypeError(`onMessage must give at most ${this.#context.maxMessageBytes} bytes`);
      }
      // Hooks take their time: the session may have ended meanwhile, or left over another connection.
      const place = this.#context.rooms.byKey(key);
      if (this.#session.ended || (place && !this.#session.rooms.has(place.handle))) {
        const message = `not a member of ${room} any more`;
        this.#refuse(publishId, { code: FailureCode.NotMember, message });
        return;
      }
      if (to && this.#context.sessions.ofUser(userOf(to.memberId)).length === 0) {
        this.#refuse(publishId, noSuchUser(to.name));
        return;
      }
      this.#append(publishId, address, codec, wanted, answer === 'allow');
    } catch (error) {
      this.#context.refusals.failed(error, 'a hook failed', { member: this.#session.memberId });
      this.#refuse(publishId, { code: FailureCode.Internal, message: 'the server failed' });
    }
  }

  /** @param isAllowed whether the hook says that it may, whatever the rules of the room say */
  #append(
    publishId: number,
    { key, name, to }: Address,
    codec: number,
    body: Uint8Array,
    isAllowed: boolean,
  ): void {
    const malformed = codec === CodecTag.Rich && !isOwnRichText(body);
    const refusal = malformed
      ? NOT_RICH
      : (this.#refusal(to ? undefined : { key, name }, codec, isAllowed) ??
        (to && blockRefusal(this.#context, this.#session, to)));
    if (refusal) {
      this.#refuse(publishId, refusal);
      return;
    }
    const origin = to
      ? directOrigin(
          this.#context.sessions,
          to,
          this.#session.nameBytes.length + body.length,
          this.#directSender(to.name),
        )
      : this;
    if ('code' in origin) {
      this.#refuse(publishId, origin);
      return;
    }
    this.#context.counters.messagesIn++;
    this.#inLog++;
    this.#context.log.append({
      room: key,
      type: FrameType.Message,
      codec,
      kind: 0,
      sender: this.#session.memberId,
      name: this.#session.nameBytes,
      body,
      at: this.#context.options.clock.now(),
      publishId,
      origin,
    });
  }

  /** Why the rules of the server, or of the room, forbid a message now. */
  #refusal(room: Omit<Address, 'to'> | undefined, codec: number, isAllowed: boolean): Failure | undefined {
    if (codec === CodecTag.Withdrawn) {
      return { code: FailureCode.Forbidden, message: 'only the server says what was taken back' };
    }
    const refusal = writeRefusal(this.#context, this.#session, room, isAllowed);
    if (refusal || !room) return refusal;
    const waitMs = slowMs(this.#context, this.#session, room.key);
    if (waitMs === 0) return undefined;
    const { clock } = this.#context.options;
    const person = personOf(this.#session);
    const retryAfterMs =
      this.#context.rooms.byKey(room.key)?.pace.waitMs(person, clock.monotonic(), waitMs) ?? 0;
    if (retryAfterMs === 0) return undefined;
    const message = `${room.name} is slow: one message in ${durationText(waitMs)}`;
    return { code: FailureCode.RateLimited, message, retryAfterMs };
  }

  /** A number that was seen before is a repetition after a lost connection; a skipped one is a defect. */
  #answerAgain(publishId: number): Promise<void> | undefined {
    if (this.#session.input.chargeTrifles(1) === 'flood') this.#tooMany();
    if (publishId > this.#record.last) {
      this.#session.peer?.nack(publishId, {
        code: FailureCode.OutOfOrder,
        message: `publish ${publishId} came after ${this.#record.last}`,
      });
      return undefined;
    }
    const outcome = this.#record.outcome(publishId);
    // The one under way is answered when it is decided; what comes behind it must not overtake it.
    if (outcome === undefined) return this.#deciding;
    if (outcome === 'forgotten') {
      this.#session.peer?.nack(publishId, {
        code: FailureCode.OutOfOrder,
        message: `publish ${publishId} is too long ago`,
      });
    } else if ('seq' in outcome) {
      this.#session.peer?.ack(publishId, outcome.seq, outcome.at, outcome.isWaiting);
    } else {
      this.#session.peer?.nack(publishId, outcome);
    }
    return undefined;
  }

  /** Whether a publish that was taken is within the limits; it is refused if not. */
  #mayPublish(publishId: number): boolean {
    const { maxInFlight } = this.#context.options;
    if (this.#inLog >= maxInFlight) {
      const message = `more than ${maxInFlight} publishes are not acknowledged yet`;
      this.#refuse(publishId, { code: FailureCode.RateLimited, message, max: maxInFlight });
      return false;
    }
    if (this.#session.input.tryCharge(Price.message)) return true;
    this.#refuse(publishId, this.#rateLimited());
    this.#violated();
    return false;
  }

  #refuse(publishId: number, failure: Failure): undefined {
    this.#record.refused(publishId, failure);
    this.#context.counters.messagesRefused++;
    this.#session.peer?.nack(publishId, failure);
  }

  #rateLimited(): Failure {
    return {
      code: FailureCode.RateLimited,
      message: `more than ${this.#context.options.maxMessagesPerSecond} messages per second`,
      retryAfterMs: this.#session.input.debtMs(),
    };
  }

  /** Whoever goes on flooding after being held up and refused is shown out. */
  #violated(): void {
    if (this.#session.input.violate()) this.#tooMany();
  }

  #tooMany(): void {
    const { input, peer, info } = this.#session;
    const message = 'closed: a session sent more than that for too long';
    this.#context.refusals.refused('maxMessagesPerSecond', info.address, message);
    peer?.close(CloseCode.RateLimited, TOO_MANY, input.debtMs());
  }
}
