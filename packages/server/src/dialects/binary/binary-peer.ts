/**
 * The binary dialect: frames over a stream of bytes, or, without the preface, over WebSocket messages.
 *
 * The handshake is a lifecycle of its own (preface, hello, open, closed); after it, frames of the client go
 * to its session, and entries of the log go out as the slices that they already are.
 */
import { CLOSE_CODE_OF_ERROR, CloseCode, closeCodeInfo, type Failure, FailureCode, ProtocolError } from '@chat/protocol';
import { CALL_HEADER_BYTES, CODEC_OFFSET, encodeFrame, FrameDecoder, FrameType, type Hello, type Joined, NoticeKind, PUBLISH_HEADER_BYTES, PUBLISH_ID_OFFSET, PUBLISH_ROOM_OFFSET, readU32 } from '@chat/protocol/frames';
import type { ConnectionContext } from '../../connection/context.js';
import { InputGate, type InputGateOwner } from '../../connection/input-gate.js';
import type { Link, LinkHandler } from '../../connection/link.js';
import type { InputAccount } from '../../limits/input-account.js';
import { OverheadBytes, Price } from '../../limits/prices.js';
import type { SessionInfo } from '../../options/hooks.js';
import { isBehind, type Membership } from '../../room/room.js';
import type { Peer } from '../../session/peer.js';
import { TOO_MANY } from '../../session/publisher.js';
import type { Session } from '../../session/session.js';
import type { TimerEntry } from '../../time/timer-wheel.js';
import { FrameSender } from './frame-sender.js';
import { checkHello } from './hello.js';
import { PrefaceReader } from './preface-reader.js';
import { answerRequest, type Reply, replyFrames } from './requests.js';

type State =
  | { readonly name: 'preface'; readonly reader: PrefaceReader }
  | { readonly name: 'hello' }
  | { readonly name: 'admitting'; readonly abort: AbortController | undefined }
  | { readonly name: 'open'; readonly session: Session }
  | { readonly name: 'closed' };

/** The ping that a drain waits for; others count from 1. */
const DRAIN_NONCE = 0;

/** How a {@link BinaryPeer} differs between its carriers. */
export interface BinaryPeerOptions {
  readonly dialect: Extract<SessionInfo['dialect'], 'binary' | 'websocket'>;
  /** Whether the client begins with the preface. */
  readonly preface: boolean;
}

export class BinaryPeer implements Peer, LinkHandler, InputGateOwner {
  readonly dialect: BinaryPeerOptions['dialect'];
  input: InputAccount;
  heardAt: number;
  readonly #context: ConnectionContext;
  readonly #link: Link;
  readonly #decoder: FrameDecoder;
  readonly #input: InputGate;
  readonly #sender: FrameSender;
  #deadline: TimerEntry;
  #state: State;
  #nonce = 0;
  #drainRetryMs = 0;
  /** What the client had sent before it knew that the server goes away is answered. */
  #drained = false;
  #goodbye = false;
  /** Whether the client can know its session: it has, or has said something since the welcome. */
  #isKnown = false;

  constructor(context: ConnectionContext, link: Link, options: BinaryPeerOptions) {
    this.#context = context;
    this.#link = link;
    this.input = context.accounts.open(link.address);
    this.dialect = options.dialect;
    this.#decoder = new FrameDecoder({ maxFrameBytes: context.options.maxFrameBytes });
    this.#input = new InputGate(link, context.options.clock, this);
    this.#sender = new FrameSender(context, link, this.#input, this);
    this.#state = options.preface ? { name: 'preface', reader: new PrefaceReader() } : { name: 'hello' };
    this.heardAt = context.wheel.now;
    this.#deadline = context.wheel.schedule(this, context.options.handshakeTimeoutMs);
    link.handler = this;
  }

  get address(): string {
    return this.#link.address;
  }

  // ── the link ──

  onBytes(chunk: Uint8Array): void {
    if (this.#state.name === 'closed') return;
    this.#context.counters.bytesIn += chunk.length;
    this.heardAt = this.#context.wheel.now;
    this.input.look();
    this.input.chargeChunk(chunk.length);
    let rest = chunk;
    try {
      if (this.#state.name === 'preface') {
        const behind = this.#state.reader.read(chunk);
        if (!behind) return;
        this.#state = { name: 'hello' };
        rest = behind;
      }
      this.#decoder.push(rest);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.#input.run();
  }

  onUnits(units: number, trifles: number): void {
    this.input.look();
    this.input.chargeBytes(units * OverheadBytes.webSocketFrame);
    this.#trifle(trifles);
  }

  onFlushed(): void {
    this.#sender.unblock();
    if (this.#state.name === 'open') this.#catchUp(this.#state.session);
    if (!this.#sender.blocked) this.#input.unblock();
  }

  /** Sends what the session has not seen; a peer that has drained has seen everything then. */
  #catchUp(session: Session): void {
    const sender = this.#sender;
    const { inbox } = session;
    sender.catchUp(inbox ? [...session.rooms.values(), inbox.membership] : [...session.rooms.values()]);
    if (this.#drained && !sender.blocked) {
      this.close(CloseCode.GoingAway, 'the server goes away', this.#drainRetryMs);
    }
  }

  /** A stream that ends without a close was torn. A page that is left or loaded again says goodbye to its WebSocket. */
  onEnd(isGoodbye = false): void {
    this.#goodbye ||= isGoodbye;
    this.#link.destroy();
  }

  onViolation(code: CloseCode, reason: string): void {
    this.close(code, reason);
  }

  onClosed(): void {
    const state = this.#state;
    this.#closed();
    if (state.name === 'open') state.session.disconnected(this, this.#goodbye, this.#isKnown);
  }

  /** The deadline of the handshake, later of hearing from the client. */
  expire(now: number): number | undefined {
    const { idleTimeoutMs } = this.#context.options;
    switch (this.#state.name) {
      case 'closed':
        return undefined;
      case 'open': {
        // What is held up by us cannot be heard.
        if (this.#input.isHeldUp) this.heardAt = now;
        const silentMs = now - this.heardAt;
        if (silentMs >= idleTimeoutMs) {
          this.close(CloseCode.IdleTimeout, `nothing was heard for ${silentMs} ms`);
          return undefined;
        }
        if (silentMs >= idleTimeoutMs / 2 && !this.#sender.blocked) {
          this.#answer(encodeFrame({ type: FrameType.Ping, nonce: ++this.#nonce >>> 0 || 1 }));
          return idleTimeoutMs - silentMs;
        }
        return Math.max(1, idleTimeoutMs / 2 - silentMs);
      }
      default:
        this.close(CloseCode.HandshakeTimeout, 'the handshake took too long');
        return undefined;
    }
  }

  // ── what the session says ──

  deliver(membership: Membership): void {
    // A session may have this peer a moment before its welcome is written: what is left out now follows behind it.
    if (this.#state.name === 'open') this.#sender.deliver(membership);
  }

  flush(): void {
    this.#sender.flush();
  }

  ack(publishId: number, seq: number, at: number): void {
    if (this.#state.name === 'open') this.#sender.ack(publishId, seq, at);
  }

  nack(publishId: number, failure: Failure): void {
    this.#answer(encodeFrame({ type: FrameType.Nack, publishId, failure }));
  }

  signal(frame: Uint8Array): void {
    if (!this.#sender.blocked && this.#state.name === 'open') this.#sender.answer(frame);
  }

  gap(room: number, from: number, to: number): void {
    this.#answer(encodeFrame({ type: FrameType.Gap, room, from, to }));
  }

  evict(membership: Membership): void {
    const { room } = membership;
    if (this.#state.name !== 'open') {
      // The welcome that is on its way names the room still: the client asks anew.
      this.close(CloseCode.Internal, `left ${room.name} in the moment of coming back`);
      return;
    }
    if (!membership.lagged) this.#sender.deliver(membership);
    if (!isBehind(membership)) return;
    // It is read no further from the log, where others speak already: the notice goes with the answers.
    const notice = room.log.newest();
    this.gap(room.handle, room.log.positionOf(membership), room.log.previousSeq);
    this.#answer(notice);
  }

  drain(retryAfterMs: number): void {
    if (this.#state.name !== 'open') {
      this.close(CloseCode.GoingAway, 'the server goes away', retryAfterMs);
      return;
    }
    this.#drainRetryMs = onWire(retryAfterMs);
    this.#answer(
      encodeFrame({
        type: FrameType.GoAway,
        code: CloseCode.GoingAway,
        retryAfterMs: this.#drainRetryMs,
        reason: 'the server goes away',
      }),
    );
    // The pong comes behind everything that the client had sent before it knew.
    this.#answer(encodeFrame({ type: FrameType.Ping, nonce: DRAIN_NONCE }));
  }

  close(code: number, reason: string, retryAfterMs = 0): void {
    const state = this.#state;
    if (state.name === 'closed') return;
    this.#context.counters.closed(code);
    const { logger } = this.#context.options;
    const member = state.name === 'open' ? state.session.memberId : undefined;
    logger.debug({ address: this.address, member, code, close: closeCodeInfo(code).name, reason }, 'closing');
    if (state.name === 'open') {
      for (const membership of state.session.rooms.values()) {
        if (!this.#sender.blocked && !membership.lagged) this.#sender.deliver(membership);
      }
    }
    this.#sender.last(
      encodeFrame({ type: FrameType.Close, code, retryAfterMs: onWire(retryAfterMs), reason }),
    );
    this.#link.end(code, reason);
    this.#closed();
    // One that the server sends away is not lost, unless nothing was heard of it any more.
    const kind = code === CloseCode.IdleTimeout ? NoticeKind.Gone : NoticeKind.Left;
    if (state.name === 'open') state.session.disconnected(this, false, closeCodeInfo(code).retry, kind);
  }

  // ── the client ──

  debtMs(): number {
    return this.#state.name === 'closed' ? 0 : this.input.debtMs();
  }

  /** Handles one frame; see `InputGateOwner`. */
  takeNext(): boolean | Promise<void> {
    if (this.#state.name === 'closed') return false;
    const { skipped } = this.#decoder;
    const hasFrame = this.#decoder.next();
    // Which may close it.
    this.#trifle(this.#decoder.skipped - skipped);
    return hasFrame && this.#take();
  }

  #take(): boolean | Promise<void> {
    if (this.#state.name === 'closed') return false;
    if (this.#state.name === 'open') {
      this.#isKnown = true;
      return this.#handle(this.#state.session) ?? true;
    }
    const frame = this.#decoder.frame();
    // protocol.md, "Frames": anything before `hello` closes with `protocol-error`.
    if (frame.type !== FrameType.Hello || this.#state.name !== 'hello') {
      this.close(CloseCode.ProtocolError, 'the first frame must be a hello');
      return false;
    }
    return this.#admit(frame.hello);
  }

  async #admit(hello: Hello): Promise<void> {
    checkHello(hello);
    const { maxFrameBytes } = this.#context.options;
    if (hello.maxFrameBytes < maxFrameBytes) {
      const reason = `frames here have up to ${maxFrameBytes} bytes, the client takes ${hello.maxFrameBytes}`;
      this.close(CloseCode.FrameTooLarge, reason);
      return;
    }
    const abort = this.#context.options.hooks.authenticate && new AbortController();
    this.#state = { name: 'admitting', abort };
    const admission = await this.#context.admission.decide(hello, this, abort?.signal);
    if ('code' in admission) {
      this.close(admission.code, admission.reason, admission.retryAfterMs);
      return;
    }
    if (this.#state.name !== 'admitting') {
      // The client went away while a hook decided about it; nobody knows the secret of a new session.
      admission.session.disconnected(this, this.#goodbye, admission.welcome.resumed);
      return;
    }
    this.#state = { name: 'open', session: admission.session };
    this.#isKnown = admission.welcome.resumed;
    const { idleTimeoutMs, handshakeTimeoutMs } = this.#context.options;
    if (idleTimeoutMs / 2 < handshakeTimeoutMs) {
      // The deadline that runs is that of the handshake: too late to look whether anything is heard.
      this.#context.wheel.cancel(this.#deadline);
      this.#deadline = this.#context.wheel.schedule(this, idleTimeoutMs / 2);
    }
    this.#context.options.logger.debug(
      {
        address: this.address,
        member: admission.session.memberId,
        agent: hello.agent,
        resumed: admission.welcome.resumed,
      },
      'session open',
    );
    this.#answer(encodeFrame({ type: FrameType.Welcome, welcome: admission.welcome }));
    const { inboxGap } = admission;
    if (inboxGap) this.gap(admission.session.inboxHandle, inboxGap.from, inboxGap.to);
    this.#catchUp(admission.session);
    this.flush();
  }

  #handle(session: Session): Promise<void> | undefined {
    const { bytes, offset, length } = this.#decoder;
    switch (this.#decoder.type) {
      case FrameType.Publish:
        return session.publisher.publish(
          readU32(bytes, offset + PUBLISH_ROOM_OFFSET),
          readU32(bytes, offset + PUBLISH_ID_OFFSET),
          bytes[offset + CODEC_OFFSET]!,
          bytes.subarray(offset + PUBLISH_HEADER_BYTES, offset + length),
        );
      case FrameType.Direct:
      case FrameType.Signal:
      case FrameType.Request:
      case FrameType.Ping:
      case FrameType.Pong:
      case FrameType.Close:
        return this.#handleRare(session);
      default:
        this.close(
          CloseCode.ProtocolError,
          `frame type 0x${this.#decoder.type.toString(16)} is not for servers`,
        );
        return undefined;
    }
  }

  #handleRare(session: Session): Promise<void> | undefined {
    const frame = this.#decoder.frame();
    switch (frame.type) {
      case FrameType.Direct:
        return session.publisher.direct(frame.publishId, frame.to, frame.codec, frame.body);
      case FrameType.Signal:
        return session.publisher.signal(frame.room, frame.codec, frame.body);
      case FrameType.Request:
        return this.#answerRequest(session, frame.id, { ...frame.request });
      case FrameType.Ping:
        if (!this.#trifle(1)) return undefined;
        this.#answer(encodeFrame({ type: FrameType.Pong, nonce: frame.nonce }));
        return undefined;
      case FrameType.Pong:
        if (!this.#trifle(1)) return undefined;
        if (frame.nonce === DRAIN_NONCE && this.#context.admission.isClosed) {
          this.#drained = true;
          this.#catchUp(session);
        }
        return undefined;
      case FrameType.Close:
        // protocol.md, "Goodbye": a client that closes with `normal` ends its session at once.
        this.#goodbye = frame.code === CloseCode.Normal;
        this.flush();
        this.#link.end(CloseCode.Normal);
        this.#closed();
        session.disconnected(this, this.#goodbye, true);
        return undefined;
      default:
        return undefined;
    }
  }

  async #answerRequest(
    session: Session,
    id: number,
    request: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const pieceBytes = this.#context.options.maxFrameBytes - CALL_HEADER_BYTES;
    const respond = (response: Joined): void =>
      this.#answer(encodeFrame({ type: FrameType.Response, id, response }));
    const answered = answerRequest(this.#context, session, request, pieceBytes, respond).catch(
      (error: unknown): Reply => {
        this.#context.refusals.failed(error, 'a request failed', { member: session.memberId });
        return { failure: { code: FailureCode.Internal, message: 'the server failed' } };
      },
    );
    const reply = await answered;
    if (reply) await this.#reply(session, id, reply);
  }

  /** Sends what a request is answered, as far as there is space for it to wait. */
  async #reply(session: Session, id: number, reply: Reply): Promise<void> {
    const frames = replyFrames(id, reply);
    let bytes = 0;
    let next = frames.next();
    for (; !next.done && this.#state.name === 'open'; next = frames.next()) {
      const frame = next.value;
      bytes += 'head' in frame ? frame.entries.length : frame.length;
      if (!('head' in frame)) this.#answer(frame);
      else if (this.#state.name === 'open') this.#sender.page(frame);
      // A page may be larger than what may wait: the rest of it stays in the log until there is space.
      if (this.#sender.isFull) await this.#sender.flushed();
    }
    session.input.charge(Math.floor(bytes / 1024) * Price.kibibyteAnswered);
    if (next.done && !next.value) {
      this.close(CloseCode.SlowConsumer, 'fell behind the history that it asked for');
    }
  }

  /** Charges what carries nothing; false when it is refused. Too much of it closes the connection. */
  #trifle(count: number): boolean {
    if (count === 0) return true;
    const outcome = this.input.chargeTrifles(count);
    if (outcome === 'flood') this.close(CloseCode.RateLimited, TOO_MANY, this.input.debtMs());
    return outcome === 'taken';
  }

  #answer(frame: Uint8Array): void {
    if (this.#state.name === 'open') this.#sender.answer(frame);
  }

  failed(error: unknown): void {
    if (ProtocolError.is(error)) {
      this.close(CLOSE_CODE_OF_ERROR[error.code], error.message);
    } else {
      this.#context.refusals.failed(error, 'a frame could not be handled', { address: this.address });
      this.close(CloseCode.Internal, 'the server failed');
    }
  }

  #closed(): void {
    if (this.#state.name === 'closed') return;
    this.input.close();
    if (this.#state.name === 'admitting') this.#state.abort?.abort();
    this.#state = { name: 'closed' };
    this.#input.stop();
    this.#sender.stop();
    this.#context.wheel.cancel(this.#deadline);
  }
}

/** A delay as the 32 bits that it has on the wire: a ban may last longer than these can say. */
function onWire(delayMs: number): number {
  return Math.min(Math.max(0, Math.ceil(delayMs)), 0xffff_ffff);
}
