/**
 * The binary dialect: frames over a stream of bytes, or, without the preface, over WebSocket messages.
 *
 * After the handshake (preface, hello, welcome) frames of the client go to its session, and entries of the log go out as
 * the slices that they already are.
 */
import { CloseCode, type Failure } from '@chat/protocol';
import {
  CODEC_OFFSET,
  encodeFrame,
  FrameDecoder,
  FrameType,
  type Hello,
  PUBLISH_HEADER_BYTES,
  PUBLISH_ID_OFFSET,
  PUBLISH_ROOM_OFFSET,
  type ReadNews,
  readU32,
} from '@chat/protocol/frames';
import { Connection, type DialectPeer } from '../../connection/connection.js';
import type { ConnectionContext } from '../../connection/context.js';
import type { Link } from '../../connection/link.js';
import type { InputAccount } from '../../limits/input-account.js';
import { RICH_FEATURE } from '../../log/messages/rich-text.js';
import type { SessionInfo } from '../../options/hooks.js';
import { isBehind, type Membership } from '../../room/room.js';
import type { CarrierRequest } from '../../session/peer.js';
import type { Session } from '../../session/session.js';
import { deliverSlices } from './deliver-slices.js';
import { checkHello } from './hello.js';
import { PrefaceReader } from './preface-reader.js';
import { knownFeatures, READS_FEATURE, serveRequest, withFeatures } from './serve-request.js';

/** The part of the greeting that comes next. */
type Greeting =
  | { readonly expects: 'preface'; readonly reader: PrefaceReader }
  | { readonly expects: 'hello' };

const NOTHING_MORE: ReadonlySet<string> = new Set();
const HELLO: Greeting = { expects: 'hello' };
/** The ping that a drain waits for; others count from 1. */
const DRAIN_NONCE = 0;
/** protocol.md, "Read positions": under this id stands what nobody has asked for. */
const NO_REQUEST = 0;

/** How a {@link BinaryPeer} differs between its carriers. */
export interface BinaryPeerOptions {
  readonly dialect: Extract<SessionInfo['dialect'], 'binary' | 'websocket'>;
  /** Whether the client begins with the preface. */
  readonly preface: boolean;
}

export class BinaryPeer implements DialectPeer {
  readonly dialect: BinaryPeerOptions['dialect'];
  readonly connection: Connection<Greeting>;
  readonly #context: ConnectionContext;
  readonly #decoder: FrameDecoder;
  #nonce = 0;
  /** What the client knows beyond what every client does. */
  #features: ReadonlySet<string> = NOTHING_MORE;
  /** Whether it knows no messages of codec 5. */
  #isPlain = true;

  constructor(context: ConnectionContext, link: Link, options: BinaryPeerOptions) {
    this.#context = context;
    this.dialect = options.dialect;
    this.#decoder = new FrameDecoder({ maxFrameBytes: context.options.maxFrameBytes });
    const greeting: Greeting = options.preface ? { expects: 'preface', reader: new PrefaceReader() } : HELLO;
    this.connection = new Connection<Greeting>(context, link, this, greeting);
  }

  get address(): string {
    return this.connection.link.address;
  }

  get request(): CarrierRequest | undefined {
    return this.connection.link.request;
  }

  get input(): InputAccount {
    return this.connection.input;
  }

  set input(account: InputAccount) {
    this.connection.input = account;
  }

  get canResume(): boolean {
    return true;
  }

  // ── what the session says ──

  deliver(membership: Membership): void {
    // A session may have this peer a moment before its welcome is written: what is left out now follows behind it.
    if (this.connection.state.name !== 'open') return;
    deliverSlices(this.connection.sender, membership, this.#isPlain);
    membership.recall?.delivered();
  }

  flush(): void {
    this.connection.sender.flush();
  }

  ack(publishId: number, seq: number, at: number, isWaiting: boolean): void {
    if (this.connection.state.name === 'open') this.connection.sender.ack(publishId, seq, at, isWaiting);
  }

  nack(publishId: number, failure: Failure): void {
    this.#answer(encodeFrame({ type: FrameType.Nack, publishId, failure }));
  }

  get toldRead(): ((news: ReadNews) => void) | undefined {
    return this.#features.has(READS_FEATURE)
      ? (news) => this.#answer(encodeFrame({ type: FrameType.Response, id: NO_REQUEST, response: news }))
      : undefined;
  }

  signal(frame: Uint8Array): void {
    if (!this.connection.sender.isBlocked) this.#answer(frame);
  }

  gap(room: number, from: number, to: number): void {
    this.#answer(encodeFrame({ type: FrameType.Gap, room, from, to }));
  }

  evict(membership: Membership): void {
    const { room } = membership;
    if (!this.connection.session) {
      // The welcome that is on its way names the room still: the client asks anew.
      this.close(CloseCode.Internal, `left ${room.name} in the moment of coming back`);
      return;
    }
    if (!membership.lagged) this.deliver(membership);
    if (!isBehind(membership)) return;
    // It is read no further from the log, where others speak already: the notice goes with the answers.
    const notice = room.log.newest();
    this.gap(room.handle, room.log.positionOf(membership), room.log.previousSeq);
    this.#answer(notice);
  }

  /** Its client sees which of its messages have no answer yet. */
  tell(): void {}

  drain(retryAfterMs: number): void {
    const reason = 'the server goes away';
    const code = CloseCode.GoingAway;
    const { state } = this.connection;
    if (state.name !== 'open') {
      this.close(code, reason, retryAfterMs);
      return;
    }
    state.drain = { retryAfterMs, isAnswered: false };
    this.#answer(encodeFrame({ type: FrameType.GoAway, code, retryAfterMs: onWire(retryAfterMs), reason }));
    // The pong comes behind everything that the client had sent before it knew.
    this.#answer(encodeFrame({ type: FrameType.Ping, nonce: DRAIN_NONCE }));
  }

  close(code: number, reason: string, retryAfterMs?: number): void {
    this.connection.close(code, reason, retryAfterMs);
  }

  lastWords(code: number, reason: string, retryAfterMs: number): Uint8Array {
    return encodeFrame({ type: FrameType.Close, code, retryAfterMs: onWire(retryAfterMs), reason });
  }

  #answer(frame: Uint8Array): void {
    if (this.connection.session) this.connection.sender.answer(frame);
  }

  // ── the connection ──

  read(chunk: Uint8Array): void {
    const { state } = this.connection;
    let rest: Uint8Array | undefined = chunk;
    if (state.name === 'greeting' && state.greeting.expects === 'preface') {
      rest = state.greeting.reader.read(chunk);
      if (!rest) return;
      this.connection.greet(HELLO);
    }
    this.#decoder.push(rest);
  }

  /** A stream that ends without a close was torn. A page that is left or loaded again says goodbye to its WebSocket. */
  onEnd(isGoodbye: boolean): void {
    this.connection.lose(isGoodbye);
    this.connection.link.destroy();
  }

  greetingTimeout(): string {
    return 'the handshake took too long';
  }

  /** Pings a client that is silent, and closes one that stays so. */
  watch(_session: Session, now: number): number | undefined {
    const { connection } = this;
    const { idleTimeoutMs } = this.#context.options;
    // A client whose input is held up cannot be heard.
    if (connection.gate.isHeldUp) connection.heardAt = now;
    const silentMs = now - connection.heardAt;
    if (silentMs >= idleTimeoutMs) {
      this.close(CloseCode.IdleTimeout, `nothing was heard for ${silentMs} ms`);
      return undefined;
    }
    if (silentMs >= idleTimeoutMs / 2 && !connection.sender.isBlocked) {
      this.#answer(encodeFrame({ type: FrameType.Ping, nonce: ++this.#nonce >>> 0 || 1 }));
      return idleTimeoutMs - silentMs;
    }
    return Math.max(1, idleTimeoutMs / 2 - silentMs);
  }

  // ── the client ──

  takeNext(): boolean | Promise<void> {
    const { skipped } = this.#decoder;
    const hasFrame = this.#decoder.next();
    this.connection.tryTrifle(this.#decoder.skipped - skipped);
    if (!hasFrame) return false;
    // The trifles may have closed it.
    const { state } = this.connection;
    if (state.name === 'closed') return false;
    if (state.name === 'open') {
      // It speaks in its session, so it knows it.
      state.isResumable = true;
      return this.#handle(state.session) ?? true;
    }
    const frame = this.#decoder.frame();
    // protocol.md, "Frames": anything before `hello` closes with `protocol-error`.
    if (frame.type !== FrameType.Hello || state.name !== 'greeting') {
      this.close(CloseCode.ProtocolError, 'the first frame must be a hello');
      return false;
    }
    return this.#admit(frame.hello);
  }

  async #admit(hello: Hello): Promise<void> {
    checkHello(hello);
    const { maxFrameBytes, idleTimeoutMs, handshakeTimeoutMs, logger } = this.#context.options;
    if (hello.maxFrameBytes < maxFrameBytes) {
      const reason = `frames here have up to ${maxFrameBytes} bytes, the client takes ${hello.maxFrameBytes}`;
      this.close(CloseCode.FrameTooLarge, reason);
      return;
    }
    if (hello.features) this.#features = knownFeatures(hello.features);
    this.#isPlain = !this.#features.has(RICH_FEATURE);
    const result = await this.connection.admit(hello, HELLO);
    if (!result) return;
    if ('code' in result) {
      this.close(result.code, result.reason, result.retryAfterMs);
      return;
    }
    const { session, welcome, inboxGap } = result;
    // The deadline that runs is that of the handshake: it may be too late to look whether anything is heard.
    if (idleTimeoutMs / 2 < handshakeTimeoutMs) this.connection.setDeadline(idleTimeoutMs / 2);
    const { memberId: member } = session;
    const { agent } = hello;
    logger.debug({ address: this.address, member, agent, resumed: welcome.resumed }, 'session open');
    const rooms = welcome.rooms.map((joined) => withFeatures(joined, session, this.#features));
    this.#answer(encodeFrame({ type: FrameType.Welcome, welcome: { ...welcome, rooms } }));
    if (inboxGap) this.gap(session.inboxHandle, inboxGap.from, inboxGap.to);
    this.connection.catchUp();
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
        return serveRequest(
          this.#context,
          this.connection,
          session,
          frame.id,
          { ...frame.request },
          this.#features,
        );
      case FrameType.Ping:
        if (!this.connection.tryTrifle()) return undefined;
        this.#answer(encodeFrame({ type: FrameType.Pong, nonce: frame.nonce }));
        return undefined;
      case FrameType.Pong:
        if (!this.connection.tryTrifle()) return undefined;
        if (frame.nonce === DRAIN_NONCE) this.connection.drained();
        return undefined;
      case FrameType.Close:
        // protocol.md, "Goodbye": a client that closes with `normal` ends its session at once.
        this.flush();
        this.connection.end(frame.code === CloseCode.Normal);
        return undefined;
      default:
        return undefined;
    }
  }
}

/** A delay as the 32 bits that it has on the wire: a ban may last longer than these can say. */
function onWire(delayMs: number): number {
  return Math.min(Math.max(0, Math.ceil(delayMs)), 0xffff_ffff);
}
