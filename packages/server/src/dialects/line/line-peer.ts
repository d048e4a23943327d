/**
 * The line dialect: a name on the first line, then messages to the lobby, `/quit` or the end of the stream to
 * leave. It has no acks and no resume: what was sent is in the log when the next line is read, and a
 * connection that breaks ends the session.
 *
 * Nobody is sent away for a slip: a name that cannot be had is asked for again, a line that cannot be taken is
 * refused, and the next one is read.
 */
import { CLOSE_CODE_OF_ERROR, CloseCode, CodecTag, closeCodeInfo, type Failure, FailureCode, LOBBY, ProtocolError } from '@chat/protocol';
import { formatNoticeLine, isQuitLine, parseUserNameLine, TIMING_MARK_ANSWER } from '@chat/protocol/lines';
import { InputGate, type InputGateOwner } from '../../connection/input-gate.js';
import type { Link, LinkHandler } from '../../connection/link.js';
import { type Stray, strayProtocol } from '../../connection/stray.js';
import type { InputAccount } from '../../limits/input-account.js';
import type { LineCharset } from '../../options/line-charset.js';
import { isBehind, type Membership } from '../../room/room.js';
import type { Peer } from '../../session/peer.js';
import { TOO_MANY } from '../../session/publisher.js';
import type { Session } from '../../session/session.js';
import type { TimerEntry } from '../../time/timer-wheel.js';
import type { LineContext } from './line-context.js';
import { LineReader } from './line-reader.js';
import { LineSender } from './line-sender.js';

/** RFC 9110, 15.6.2: a method that is not known here, or not spelled as one. */
const NOT_IMPLEMENTED = 'HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

type State =
  | { readonly name: 'naming' }
  | { readonly name: 'admitting'; readonly abort: AbortController | undefined }
  | { readonly name: 'open'; readonly session: Session }
  /** It has said goodbye, and has not read yet what came before that. */
  | { readonly name: 'leaving'; readonly session: Session }
  | { readonly name: 'closed' };

/** Refusals of a name after which another one may do. */
const OTHER_NAME_MAY_DO: ReadonlySet<CloseCode> = new Set([
  CloseCode.NameTaken,
  CloseCode.NameInvalid,
  CloseCode.InvalidUtf8,
  CloseCode.FrameTooLarge,
]);
/** How long one who has said goodbye is waited for until it has read what came before. */
const LEAVE_MS = 5000;
/** No line that takes leave is longer. */
const MAX_QUIT_BYTES = 64;
const SLASH = 0x2f;

export class LinePeer implements Peer, LinkHandler, InputGateOwner {
  readonly dialect = 'line';
  input: InputAccount;
  readonly #context: LineContext;
  readonly #link: Link;
  readonly #reader: LineReader;
  readonly #sender: LineSender;
  readonly #input: InputGate;
  #deadline: TimerEntry;
  #state: State = { name: 'naming' };
  #nameTries = 0;
  #heardAt: number;
  #ended = false;
  /** What was sent last of what it had not read. */
  #servedLast: Membership | undefined;

  constructor(context: LineContext, link: Link) {
    this.#context = context;
    this.#link = link;
    this.input = context.accounts.open(link.address);
    this.#reader = new LineReader(context.reading, this);
    this.#sender = new LineSender(context, link);
    this.#input = new InputGate(link, context.options.clock, this);
    this.#deadline = context.wheel.schedule(this, context.options.handshakeTimeoutMs);
    this.#heardAt = context.wheel.now;
    link.handler = this;
  }

  get address(): string {
    return this.#link.address;
  }

  get silentSince(): number {
    return this.#heardAt;
  }

  // ── the link ──

  onBytes(chunk: Uint8Array): void {
    if (this.#state.name === 'closed') return;
    this.#context.counters.bytesIn += chunk.length;
    this.#heardAt = this.#context.wheel.now;
    this.input.look();
    this.input.chargeChunk(chunk.length);
    this.#reader.push(chunk);
    for (let marks = this.#reader.takeTimingMarks(); marks > 0; marks--) this.#answer(TIMING_MARK_ANSWER);
    this.#input.run();
  }

  /** A line was ended by silence. */
  onSilence(): void {
    this.#input.run();
  }

  onFlushed(): void {
    this.#sender.unblock();
    const state = this.#state;
    if (state.name === 'open' || state.name === 'leaving') this.#catchUp(state.session);
    if (this.#sender.isBlocked) return;
    if (state.name === 'leaving') this.#leave(state.session);
    else this.#input.unblock();
  }

  /** The end of the input is a goodbye, once the lines before it are handled. */
  onEnd(): void {
    this.#ended = true;
    this.#input.run();
  }

  onViolation(code: CloseCode, reason: string): void {
    this.close(code, reason);
  }

  /** A connection that breaks behind a goodbye was not lost. */
  onClosed(): void {
    const state = this.#state;
    this.#closed();
    if (state.name === 'open') state.session.disconnected(this, this.#ended, false);
    if (state.name === 'leaving') state.session.disconnected(this, true, false);
  }

  /**
   * Only the name has a deadline: a person may read for hours, and TCP keep-alive finds a dead cable. One that says
   * nothing makes room when the server is full (see `vacancy.ts`).
   */
  expire(): undefined {
    switch (this.#state.name) {
      case 'naming':
        this.close(
          CloseCode.HandshakeTimeout,
          this.#reader.isWithinLine
            ? 'no whole line came in time; end the name with a line feed'
            : 'no name came in time',
        );
        break;
      case 'admitting':
        this.close(CloseCode.HandshakeTimeout, 'the handshake took too long');
        break;
      case 'leaving':
        this.#leave(this.#state.session);
        break;
    }
    return undefined;
  }

  // ── what the session says ──

  deliver(membership: Membership): void {
    this.#sender.deliver(membership, this.#charset);
  }

  flush(): void {
    this.#sender.flush();
  }

  /** What was sent is not echoed. */
  ack(): void {}

  nack(_publishId: number, failure: Failure): void {
    this.#say(`not sent: ${failure.message}`);
  }

  /** Volatile events have no line. */
  signal(): void {}

  gap(): void {
    this.#say('some messages were missed');
  }

  /** There is no other room for it. */
  evict(): void {
    this.close(CloseCode.Kicked, `removed from ${LOBBY}`);
  }

  drain(): void {
    this.close(CloseCode.GoingAway, 'the server goes away');
  }

  close(code: number, reason: string): void {
    const state = this.#state;
    if (state.name === 'closed') return;
    this.#context.counters.closed(code);
    const close = closeCodeInfo(code).name;
    this.#context.options.logger.debug({ address: this.address, code, close, reason }, 'closing');
    if (state.name === 'open') {
      for (const membership of state.session.rooms.values()) {
        if (!this.#sender.isBlocked && !membership.lagged) this.deliver(membership);
      }
    }
    this.#sender.last(this.#encode(formatNoticeLine(`${reason} (${close})`)));
    this.#link.end();
    this.#closed();
    // One whom the server itself sends away is not lost, whatever the reason.
    if (state.name === 'open' || state.name === 'leaving') state.session.disconnected(this, true, false);
  }

  // ── the client ──

  debtMs(): number {
    return this.#state.name === 'closed' ? 0 : this.input.debtMs();
  }

  takeNext(): boolean | Promise<void> {
    const state = this.#state;
    if (state.name !== 'naming' && state.name !== 'open') return false;
    let line: Uint8Array | undefined;
    try {
      line = this.#reader.next(this.#ended);
    } catch (error) {
      if (!ProtocolError.is(error)) throw error;
      if (state.name === 'naming') this.#refuseName(CLOSE_CODE_OF_ERROR[error.code], error.message);
      else this.#say(`not sent: ${error.message}`);
      return true;
    }
    if (line === undefined) {
      if (this.#ended) this.#goodbye();
      return false;
    }
    if (line[0] === SLASH && line.length <= MAX_QUIT_BYTES && isQuitLine(textOf(line))) {
      this.#goodbye();
      return false;
    }
    if (state.name === 'open') return this.#publish(state.session, line) ?? true;
    return this.#takeName(line) ?? true;
  }

  #takeName(line: Uint8Array): Promise<void> | undefined {
    const text = textOf(line);
    const stray = strayProtocol(text);
    if (stray) {
      this.#turnAway(stray);
      return undefined;
    }
    const name = parseUserNameLine(text);
    // Only the first empty line is told: programs fill what they send up with NULs.
    if (name === '' && this.#nameTries > 0) return undefined;
    if (!this.#reader.wasReadable) {
      this.#refuseName(CloseCode.InvalidUtf8, 'the name is not in UTF-8');
      return undefined;
    }
    return this.#admit(name);
  }

  /** Its first line is of another protocol, and so is what follows: none of it is a name or a message. */
  #turnAway({ protocol, answer }: Stray): void {
    if (answer === 'http') {
      this.#context.counters.closed(CloseCode.ProtocolError);
      this.#context.options.logger.debug(
        { address: this.address, protocol },
        'a request that is not HTTP as spoken here',
      );
      this.#link.write(Buffer.from(NOT_IMPLEMENTED));
      this.#link.end();
      this.#closed();
    } else this.close(CloseCode.ProtocolError, `this is a chat server and speaks no ${protocol}`);
  }

  async #admit(name: string): Promise<void> {
    const abort = this.#context.options.hooks.authenticate && new AbortController();
    this.#state = { name: 'admitting', abort };
    const admission = await this.#context.admission.decide({ name }, this, abort?.signal);
    if ('code' in admission) {
      const { code, reason, isGiven } = admission;
      if (isGiven) this.close(code, reason);
      else if (this.#state.name === 'admitting') this.#refuseName(code, reason);
      return;
    }
    const { session } = admission;
    if (this.#state.name !== 'admitting') {
      session.disconnected(this, this.#ended, false);
      return;
    }
    this.#state = { name: 'open', session };
    this.#context.wheel.cancel(this.#deadline);
    if (session.name !== name) this.#say(`you are known as ${session.name}`);
    const joined = await session.join(LOBBY, {});
    if ('failure' in joined) {
      const { code, message } = joined.failure;
      this.close(code === FailureCode.Forbidden ? CloseCode.Forbidden : CloseCode.Overloaded, message);
    }
  }

  /** Asks for another name, where one may do, and gives it the time of the handshake again. */
  #refuseName(code: CloseCode, reason: string): void {
    if (!OTHER_NAME_MAY_DO.has(code) || ++this.#nameTries >= this.#context.options.maxNameTries) {
      this.close(code, reason);
      return;
    }
    const { wheel, options } = this.#context;
    const close = closeCodeInfo(code).name;
    options.logger.debug({ address: this.address, code, close, reason }, 'name refused');
    this.#state = { name: 'naming' };
    wheel.cancel(this.#deadline);
    this.#deadline = wheel.schedule(this, options.handshakeTimeoutMs);
    this.#say(`${reason}; send another name (${close})`);
  }

  #publish(session: Session, line: Uint8Array): Promise<void> | undefined {
    const { lobby } = session;
    if (line.length === 0 || !lobby) {
      this.#trifle(1);
      return undefined;
    }
    const { publisher } = session;
    return publisher.publish(lobby.room.handle, publisher.last + 1, CodecTag.Text, line);
  }

  /** Leaves once everything that was said before is read, if that does not take too long. */
  #goodbye(): void {
    const state = this.#state;
    this.#input.stop();
    this.flush();
    if (state.name !== 'open') {
      this.#link.end();
      this.#closed();
      return;
    }
    const { session } = state;
    this.#catchUp(session);
    // The catching up may have closed it.
    if (this.#state.name !== 'open') return;
    if (!this.#sender.isBlocked) {
      this.#leave(session);
      return;
    }
    this.#state = { name: 'leaving', session };
    this.#deadline = this.#context.wheel.schedule(this, LEAVE_MS);
  }

  #leave(session: Session): void {
    this.#link.end();
    this.#closed();
    session.disconnected(this, true, false);
  }

  #catchUp(session: Session): void {
    const { inbox } = session;
    const all = inbox ? [...session.rooms.values(), inbox.membership] : [...session.rooms.values()];
    // Behind the one that was served last: whispers are not to wait for all that is said in the lobby.
    const first = this.#servedLast ? all.indexOf(this.#servedLast) + 1 : 0;
    for (let i = 0; i < all.length && !this.#sender.isBlocked; i++) {
      const membership = all[(first + i) % all.length]!;
      if (!isBehind(membership)) continue;
      this.#servedLast = membership;
      this.deliver(membership);
    }
  }

  /** Charges what carries nothing; false when it is refused. Too much of it closes the connection. */
  #trifle(count: number): boolean {
    const outcome = this.input.chargeTrifles(count);
    if (outcome === 'flood') this.close(CloseCode.RateLimited, TOO_MANY);
    return outcome === 'taken';
  }

  /** Tells the client something, at the end of the turn. */
  #say(notice: string): void {
    this.#answer(this.#encode(formatNoticeLine(notice)));
  }

  #answer(bytes: Uint8Array): void {
    if (this.#state.name === 'closed') return;
    this.#sender.add(bytes);
    if (this.#sender.waitingBytes > this.#context.options.maxQueuedBytes) {
      this.flush();
      if (this.#sender.isBlocked) this.#input.block();
    }
    if (!this.#sender.isBlocked) this.#context.fanOut.queueAnswers(this);
  }

  /** What the client reads, where that is not UTF-8. */
  get #charset(): LineCharset | undefined {
    return this.#reader.isForeign ? this.#context.reading.charset : undefined;
  }

  #encode(text: string): Buffer {
    return this.#charset?.encode(text) ?? Buffer.from(text);
  }

  failed(error: unknown): void {
    this.#context.refusals.failed(error, 'a line could not be handled', { address: this.address });
    this.close(CloseCode.Internal, 'the server failed');
  }

  #closed(): void {
    if (this.#state.name === 'closed') return;
    this.input.close();
    if (this.#state.name === 'admitting') this.#state.abort?.abort();
    this.#state = { name: 'closed' };
    this.#input.stop();
    this.#reader.stop();
    this.#context.wheel.cancel(this.#deadline);
  }
}

function textOf(line: Uint8Array): string {
  return Buffer.from(line.buffer, line.byteOffset, line.length).toString();
}
