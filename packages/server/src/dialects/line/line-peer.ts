/**
 * The line dialect: a name on the first line, then messages to the lobby, `/quit` or the end of the stream to
 * leave. It has no acks and no resume: what was sent is in the log when the next line is read, and a
 * connection that breaks ends the session.
 *
 * A slip closes nothing: a name that cannot be had is asked for again, a line that cannot be taken is refused, and the
 * next one is read.
 */
import {
  CLOSE_CODE_OF_ERROR,
  CloseCode,
  CodecTag,
  closeCodeInfo,
  type Failure,
  FailureCode,
  LOBBY,
  ProtocolError,
} from '@chat/protocol';
import {
  formatNoticeLine,
  isQuitLine,
  parsePasswordLine,
  parseUserNameLine,
  TIMING_MARK_ANSWER,
} from '@chat/protocol/lines';
import { Connection, type DialectPeer } from '../../connection/connection.js';
import { type Stray, strayProtocol } from '../../connection/detect/stray.js';
import type { Link } from '../../connection/link.js';
import type { InputAccount } from '../../limits/input-account.js';
import type { LineCharset } from '../../options/line-charset.js';
import type { Membership } from '../../room/room.js';
import type { CarrierRequest } from '../../session/peer.js';
import type { Session } from '../../session/session.js';
import { deliverLines } from './deliver-lines.js';
import type { LineContext } from './line-context.js';
import { LineReader } from './line-reader.js';

/** RFC 9110, 15.6.2: a method that is not known here, or not spelled as one. */
const NOT_IMPLEMENTED = 'HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** A client that has not got a name yet. */
interface Naming {
  /** Names and passwords that were refused. */
  readonly tries: number;
  /** The name whose password is waited for. */
  readonly name?: string;
}

/** Refusals of a name after which another one may do. */
const OTHER_NAME_MAY_DO: ReadonlySet<CloseCode> = new Set([
  CloseCode.NameTaken,
  CloseCode.NameInvalid,
  CloseCode.InvalidUtf8,
  CloseCode.FrameTooLarge,
]);
/** How long the server waits for a client that said goodbye to read what came before. */
const LEAVE_MS = 5000;
/** A line that shows a password may have a byte order mark and spaces before the word; the rest is no word of it. */
const PASSWORD_WORD_BYTES = 64;
const NO_PASSWORD_ASKED = 'no password was asked for; that line was shown to nobody';
/** A longer line is no goodbye. */
const MAX_QUIT_BYTES = 64;
const SLASH = 0x2f;
/** Bytes that a line with a password may begin with. */
const SMALL_P = 0x70;
const SPACE = 0x20;
const TAB = 0x09;
const BOM = 0xef;
/** The bit that makes a letter of ASCII small. */
const LOWER_CASE = 0x20;

export class LinePeer implements DialectPeer {
  readonly dialect = 'line';
  readonly connection: Connection<Naming>;
  readonly #context: LineContext;
  readonly #reader: LineReader;

  constructor(context: LineContext, link: Link) {
    this.#context = context;
    this.#reader = new LineReader(context.reading, this);
    this.connection = new Connection<Naming>(context, link, this, { tries: 0 });
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

  get silentSince(): number {
    return this.connection.heardAt;
  }

  get canResume(): boolean {
    return false;
  }

  // ── what the session says ──

  deliver(membership: Membership): void {
    deliverLines(this.connection.sender, this.#context, membership, this.#charset);
  }

  flush(): void {
    this.connection.sender.flush();
  }

  /** A message is not echoed. */
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

  tell(notice: string): void {
    this.#say(notice);
  }

  drain(): void {
    this.close(CloseCode.GoingAway, 'the server goes away');
  }

  close(code: number, reason: string): void {
    this.connection.close(code, reason);
  }

  lastWords(code: number, reason: string): Uint8Array {
    return this.#encode(formatNoticeLine(`${reason} (${closeCodeInfo(code).name})`));
  }

  /** Tells the client something, at the end of the turn. */
  #say(notice: string): void {
    this.#answer(this.#encode(formatNoticeLine(notice)));
  }

  #answer(bytes: Uint8Array): void {
    if (this.connection.state.name !== 'closed') this.connection.sender.answer(bytes);
  }

  /** The charset that the client reads, where that is not UTF-8. */
  get #charset(): LineCharset | undefined {
    return this.#reader.isForeign ? this.#context.reading.charset : undefined;
  }

  #encode(text: string): Buffer {
    return this.#charset?.encode(text) ?? Buffer.from(text);
  }

  // ── the connection ──

  read(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    for (let marks = this.#reader.takeTimingMarks(); marks > 0; marks--) this.#answer(TIMING_MARK_ANSWER);
  }

  /** A line was ended by silence. */
  onSilence(): void {
    this.connection.gate.run();
  }

  /** The end of the input is a goodbye, once the lines before it are handled. */
  onEnd(): void {
    this.#reader.end();
    this.connection.gate.run();
  }

  get hasEnded(): boolean {
    return this.#reader.hasEnded;
  }

  greetingTimeout(): string {
    const { state } = this.connection;
    if (state.name === 'greeting' && state.greeting.name !== undefined) return 'no password came in time';
    return this.#reader.isWithinLine
      ? 'no whole line came in time; end the name with a line feed'
      : 'no name came in time';
  }

  stop(): void {
    this.#reader.stop();
  }

  // ── the client ──

  takeNext(): boolean | Promise<void> {
    const { state } = this.connection;
    if (state.name !== 'greeting' && state.name !== 'open') return false;
    // Its client knows of no window, and pastes whole texts: what the log has not taken yet holds it up.
    const space = state.name === 'open' ? state.session.publisher.space() : undefined;
    if (space) return space;
    let line: Uint8Array | undefined;
    try {
      line = this.#reader.next();
    } catch (error) {
      if (!ProtocolError.is(error)) throw error;
      if (state.name === 'open') this.#say(`not sent: ${error.message}`);
      else if (state.greeting.name !== undefined)
        this.#askPassword(state.greeting, state.greeting.name, error.message);
      else this.#refuseName(state.greeting, CLOSE_CODE_OF_ERROR[error.code], error.message);
      return true;
    }
    if (line === undefined && !this.hasEnded) return false;
    if (line === undefined || isGoodbye(line)) {
      this.connection.leave(LEAVE_MS);
      return false;
    }
    return (
      (state.name === 'open' ? this.#publish(state.session, line) : this.#takeName(state.greeting, line)) ??
      true
    );
  }

  #takeName(naming: Naming, line: Uint8Array): Promise<void> | undefined {
    const text = textOf(line);
    const stray = strayProtocol(text);
    if (stray) {
      this.#turnAway(stray);
      return undefined;
    }
    const password = parsePasswordLine(text);
    if (naming.name !== undefined) return this.#takePassword(naming, naming.name, password ?? text.trim());
    if (password !== undefined) {
      this.#refuseName(
        naming,
        CloseCode.NameInvalid,
        'the name comes first, the password when it is asked for',
      );
      return undefined;
    }
    const name = parseUserNameLine(text);
    // Only the first empty line is told: programs fill what they send up with NULs.
    if (name === '' && naming.tries > 0) return undefined;
    if (!this.#reader.wasReadable) {
      this.#refuseName(naming, CloseCode.InvalidUtf8, 'the name is not in UTF-8');
      return undefined;
    }
    return this.#admit(naming, name);
  }

  /** The line behind the question, whether or not it says that it is a password. Empty ones are none. */
  #takePassword(naming: Naming, name: string, password: string): Promise<void> | undefined {
    if (password === '') return undefined;
    const other = /^USERNAME:(.*)$/is.exec(password)?.[1]?.trim();
    if (other !== undefined) return this.#admit({ tries: naming.tries }, other);
    return this.#admit(naming, name, { password });
  }

  /** Its first line is of another protocol, and so is what follows: none of it is a name or a message. */
  #turnAway({ protocol, answer }: Stray): void {
    const last = answer === 'http' ? Buffer.from(NOT_IMPLEMENTED) : undefined;
    const reason = `this is a chat server and speaks no ${protocol}`;
    this.connection.close(CloseCode.ProtocolError, reason, 0, last);
  }

  async #admit(naming: Naming, name: string, credentials?: { readonly password: string }): Promise<void> {
    const result = await this.connection.admit({ name, ...(credentials ? { credentials } : {}) }, naming);
    if (!result) return;
    if ('code' in result) {
      const { code, reason, isGiven, asksPassword } = result;
      if (isGiven) this.close(code, reason);
      else if (asksPassword) this.#askPassword(naming, name, credentials && reason);
      else this.#refuseName(naming, code, reason);
      return;
    }
    const { session } = result;
    this.connection.clearDeadline();
    if (session.name !== name) this.#say(`you are known as ${session.name}`);
    const joined = await session.join(LOBBY, {});
    if ('failure' in joined) {
      const { code, message } = joined.failure;
      this.close(code === FailureCode.Forbidden ? CloseCode.Forbidden : CloseCode.Overloaded, message);
    }
  }

  /** Asks for the password of a name, and gives it the time of the handshake again. */
  #askPassword({ tries }: Naming, name: string, wrong: string | undefined): void {
    if (tries + 1 >= this.#context.options.maxNameTries) {
      this.close(CloseCode.Unauthorized, wrong ?? 'too many names and passwords');
      return;
    }
    this.connection.greet({ tries: tries + 1, name }, true);
    if (wrong !== undefined) this.#say(wrong);
    this.#say('password?');
  }

  /** Asks for another name, where one may do, and gives it the time of the handshake again. */
  #refuseName(naming: Naming, code: CloseCode, reason: string): void {
    const tries = naming.tries + 1;
    if (!OTHER_NAME_MAY_DO.has(code) || tries >= this.#context.options.maxNameTries) {
      this.close(code, reason);
      return;
    }
    const close = closeCodeInfo(code).name;
    this.#context.options.logger.debug({ address: this.address, code, close, reason }, 'name refused');
    this.connection.greet({ tries }, true);
    this.#say(`${reason}; send another name (${close})`);
  }

  #publish(session: Session, line: Uint8Array): Promise<void> | undefined {
    const { lobby } = session;
    if (line.length === 0 || !lobby) {
      this.connection.tryTrifle();
      return undefined;
    }
    if (isPassword(line)) {
      this.connection.tryTrifle();
      this.#say(NO_PASSWORD_ASKED);
      return undefined;
    }
    const { publisher } = session;
    return publisher.publish(lobby.room.handle, publisher.last + 1, CodecTag.Text, line);
  }
}

function isGoodbye(line: Uint8Array): boolean {
  return line[0] === SLASH && line.length <= MAX_QUIT_BYTES && isQuitLine(textOf(line));
}

/** Whether a line shows a password, which is nobody else's business whenever it comes. */
function isPassword(line: Uint8Array): boolean {
  const first = (line[0] ?? 0) | LOWER_CASE;
  const mayBe = first === SMALL_P || first === SPACE || first === (TAB | LOWER_CASE) || first === BOM;
  return mayBe && parsePasswordLine(textOf(line.subarray(0, PASSWORD_WORD_BYTES))) !== undefined;
}

function textOf(line: Uint8Array): string {
  return Buffer.from(line.buffer, line.byteOffset, line.length).toString();
}
