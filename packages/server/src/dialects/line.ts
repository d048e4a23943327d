/**
 * The line dialect: a name on the first line, then messages to the lobby, `/quit` or the end of the stream to
 * leave. It has no acks and no resume: what was sent is in the log when the next line is read, and a
 * connection that breaks ends the session.
 */
import {
  CLOSE_CODE_OF_ERROR,
  CloseCode,
  CodecTag,
  closeCodeInfo,
  type Failure,
  FailureCode,
  formatNoticeLine,
  LineDecoder,
  LOBBY,
  ProtocolError,
  parseUserNameLine,
  textCodec,
} from '@chat/protocol';
import type { Chat } from '../chat.js';
import { Intake, type IntakeOwner } from '../intake.js';
import { directLines } from '../line-view.js';
import type { Link, LinkHandler } from '../link.js';
import type { Peer } from '../peer.js';
import type { Membership } from '../room.js';
import type { Session } from '../session.js';
import { type Stray, strayProtocol } from '../stray.js';
import type { TimerEntry } from '../timer-wheel.js';

/** RFC 9110, 15.6.2: a method that is not known here, or not spelled as one. */
const NOT_IMPLEMENTED = 'HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

type State =
  | { readonly name: 'naming' }
  | { readonly name: 'admitting'; readonly abort: AbortController | undefined }
  | { readonly name: 'open'; readonly session: Session }
  | { readonly name: 'closed' };

export class LinePeer implements Peer, LinkHandler, IntakeOwner {
  readonly dialect = 'line';
  readonly #chat: Chat;
  readonly #link: Link;
  readonly #decoder: LineDecoder;
  readonly #intake: Intake;
  readonly #deadline: TimerEntry;
  #state: State = { name: 'naming' };
  #lines = '';
  #blocked = false;
  #ended = false;

  constructor(chat: Chat, link: Link) {
    this.#chat = chat;
    this.#link = link;
    this.#decoder = new LineDecoder({ maxLineBytes: chat.options.maxLineBytes });
    this.#intake = new Intake(link, chat.options.clock, this);
    this.#deadline = chat.wheel.schedule(this, chat.options.handshakeTimeoutMs);
    link.handler = this;
  }

  get address(): string {
    return this.#link.address;
  }

  // ── the link ──

  onBytes(chunk: Uint8Array): void {
    if (this.#state.name === 'closed') return;
    this.#chat.counters.bytesIn += chunk.length;
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.#intake.run();
  }

  onFlushed(): void {
    this.#blocked = false;
    this.flush();
    if (this.#state.name !== 'open') return;
    const { session } = this.#state;
    for (const membership of session.rooms.values()) if (!this.#blocked) this.deliver(membership);
    const { inbox } = session;
    if (inbox && !this.#blocked) this.deliver(inbox.membership);
    if (!this.#blocked) this.#intake.release();
  }

  /** The end of the input is a goodbye, once the lines before it are handled. */
  onEnd(): void {
    this.#ended = true;
    this.#intake.run();
  }

  onViolation(code: CloseCode, reason: string): void {
    this.close(code, reason);
  }

  onClosed(): void {
    const state = this.#state;
    this.#closed();
    if (state.name === 'open') state.session.disconnected(this, false, false);
  }

  /** Only the name has a deadline: a person may read for hours, and TCP keep-alive finds a dead cable. */
  expire(): undefined {
    if (this.#state.name === 'naming' || this.#state.name === 'admitting') {
      this.close(CloseCode.HandshakeTimeout, 'the handshake took too long');
    }
    return undefined;
  }

  // ── what the session says ──

  deliver(membership: Membership): void {
    if (this.#blocked) {
      if (membership.lagged) membership.session.lagged(membership);
      return;
    }
    const { room, session } = membership;
    for (;;) {
      if (membership.lagged) {
        membership.session.lagged(membership);
        return;
      }
      const { chunk, offset } = membership;
      if (offset < chunk.used) {
        membership.offset = chunk.used;
        room.log.slice(chunk, offset);
        this.#chat.counters.entriesOut += room.log.sliceEntries;
        this.#lines +=
          room.name === '' ? directLines(chunk, offset) : room.lines.text(chunk, offset, session.memberId);
        this.flush();
        if (this.#blocked) return;
      }
      if (!chunk.next) return;
      membership.chunk = chunk.next;
      membership.offset = 0;
    }
  }

  flush(): void {
    if (this.#blocked || this.#lines === '') return;
    const bytes = Buffer.from(this.#lines);
    this.#lines = '';
    this.#chat.counters.bytesOut += bytes.length;
    this.#link.write(bytes);
    this.#blocked = this.#link.unsentBytes > 0;
  }

  /** What was sent is not echoed. */
  ack(): void {}

  nack(_publishId: number, failure: Failure): void {
    this.#say(formatNoticeLine(`not sent: ${failure.message}`));
  }

  /** Volatile events have no line. */
  signal(): void {}

  gap(): void {
    this.#say(formatNoticeLine('some messages were missed'));
  }

  /** There is no other room for it. */
  dismiss(): void {
    this.close(CloseCode.Kicked, `removed from ${LOBBY}`);
  }

  drain(): void {
    this.close(CloseCode.GoingAway, 'the server goes away');
  }

  close(code: number, reason: string): void {
    const state = this.#state;
    if (state.name === 'closed') return;
    this.#chat.counters.closed(code);
    const close = closeCodeInfo(code).name;
    this.#chat.options.logger.debug({ address: this.address, code, close, reason }, 'closing');
    if (state.name === 'open' && !this.#blocked) {
      for (const membership of state.session.rooms.values()) if (!membership.lagged) this.deliver(membership);
    }
    this.#link.write(Buffer.from(this.#lines + formatNoticeLine(`${reason} (${close})`)));
    this.#link.end();
    this.#closed();
    // Who is sent away by a server that closes was not lost.
    const goodbye = code === CloseCode.Normal || code === CloseCode.GoingAway;
    if (state.name === 'open') state.session.disconnected(this, goodbye, false);
  }

  // ── the client ──

  debtMs(): number {
    return this.#state.name === 'open' ? this.#state.session.debtMs() : 0;
  }

  takeNext(): boolean | Promise<void> {
    if (this.#state.name === 'closed') return false;
    const line = this.#decoder.next() ?? (this.#ended ? this.#decoder.flush() : undefined);
    if (line === undefined) {
      if (this.#ended) this.#goodbye();
      return false;
    }
    if (this.#state.name === 'open') return this.#handle(this.#state.session, line) ?? true;
    const stray = strayProtocol(line);
    if (!stray) return this.#admit(parseUserNameLine(line));
    this.#turnAway(stray);
    return false;
  }

  /** Its first line is of another protocol, and so is what follows: none of it is a name or a message. */
  #turnAway({ protocol, answer }: Stray): void {
    if (answer === 'http') {
      this.#chat.counters.closed(CloseCode.ProtocolError);
      this.#chat.options.logger.debug(
        { address: this.address, protocol },
        'a request that is not HTTP as spoken here',
      );
      this.#link.write(Buffer.from(NOT_IMPLEMENTED));
      this.#link.end();
      this.#closed();
    } else this.close(CloseCode.ProtocolError, `this is a chat server and speaks no ${protocol}`);
  }

  async #admit(name: string): Promise<void> {
    const abort = this.#chat.options.hooks.authenticate && new AbortController();
    this.#state = { name: 'admitting', abort };
    const admission = await this.#chat.admit({ name }, this, abort?.signal);
    if ('code' in admission) {
      this.close(admission.code, admission.reason);
      return;
    }
    const { session } = admission;
    if (this.#state.name !== 'admitting') {
      session.disconnected(this, false, false);
      return;
    }
    this.#state = { name: 'open', session };
    this.#chat.wheel.cancel(this.#deadline);
    if (session.name !== name) this.#say(formatNoticeLine(`you are known as ${session.name}`));
    const joined = await session.join(LOBBY, {});
    if ('failure' in joined) {
      const { code, message } = joined.failure;
      this.close(code === FailureCode.Forbidden ? CloseCode.Forbidden : CloseCode.Overloaded, message);
    }
  }

  #handle(session: Session, line: string): Promise<void> | undefined {
    if (line === '/quit') {
      this.#goodbye();
      return undefined;
    }
    const { lobby } = session;
    if (line === '' || !lobby) return undefined;
    return session.publisher.publish(
      lobby.room.handle,
      session.lastPublishId + 1,
      CodecTag.Text,
      textCodec.encode(line),
    );
  }

  #goodbye(): void {
    const state = this.#state;
    this.flush();
    this.#link.end();
    this.#closed();
    if (state.name === 'open') state.session.disconnected(this, true, false);
  }

  #say(line: string): void {
    if (this.#state.name === 'closed') return;
    this.#lines += line;
    if (this.#lines.length > this.#chat.options.maxQueuedBytes) {
      this.flush();
      if (this.#blocked) this.#intake.choke();
    }
    if (!this.#blocked) this.#chat.fanOut.touchPeer(this);
  }

  failed(error: unknown): void {
    if (ProtocolError.is(error)) {
      this.close(CLOSE_CODE_OF_ERROR[error.code], error.message);
    } else {
      this.#chat.strangerLog.failed(error, 'a line could not be handled', { address: this.address });
      this.close(CloseCode.Internal, 'the server failed');
    }
  }

  #closed(): void {
    if (this.#state.name === 'admitting') this.#state.abort?.abort();
    this.#state = { name: 'closed' };
    this.#intake.stop();
    this.#chat.wheel.cancel(this.#deadline);
  }
}
