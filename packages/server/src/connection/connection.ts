/**
 * One connection of a client, from its first byte to its last, whatever it speaks:
 *
 *     greeting ──▶ admitting ──▶ open ──▶ leaving ──▶ closed
 *        ▲             │
 *        └─ refused ───┘        from each of them it may be closed at once
 *
 * Here are the deadline of the handshake, the account of input, and the ways in which a connection ends. The dialect
 * knows what bytes mean, and how something is said to the client: its peer does that.
 */
import { CLOSE_CODE_OF_ERROR, CloseCode, closeCodeInfo, ProtocolError } from '@chat/protocol';
import { NoticeKind } from '@chat/protocol/frames';
import type { AdmissionResult } from '../admission/admission.js';
import type { AdmissionRequest } from '../admission/context.js';
import type { InputAccount } from '../limits/input-account.js';
import { OverheadBytes } from '../limits/prices.js';
import type { Peer } from '../session/peer.js';
import { TOO_MANY } from '../session/publisher.js';
import type { Session } from '../session/session.js';
import type { TimerEntry } from '../time/timer-wheel.js';
import type { ConnectionContext } from './context.js';
import { InputGate, type InputGateOwner } from './input-gate.js';
import type { Link, LinkHandler } from './link.js';
import { Sender } from './sender.js';

/** Where a connection stands; `Greeting` is what its dialect knows of a client without a session. */
export type ConnectionState<Greeting> =
  | { readonly name: 'greeting'; readonly greeting: Greeting }
  | { readonly name: 'admitting'; readonly greeting: Greeting; readonly abort: AbortController | undefined }
  | Open
  /** The client said goodbye, and has not read yet what came before that. */
  | { readonly name: 'leaving'; readonly session: Session }
  | { readonly name: 'closed'; readonly byGoodbye: boolean };

interface Open {
  readonly name: 'open';
  readonly session: Session;
  /** Whether the session is kept when the connection breaks: its dialect can resume, and the client knows it. */
  isResumable: boolean;
  /** The client was told that the server goes away. */
  drain: Drain | undefined;
}

interface Drain {
  readonly retryAfterMs: number;
  /** Whether what the client had sent before it knew is answered. */
  isAnswered: boolean;
}

/** The part of a connection that its dialect implements. */
export interface DialectPeer extends Peer {
  /** Whether a session of this dialect can go on over another connection. */
  readonly canResume: boolean;
  /** Whether the client has ended its input, where that is a goodbye. */
  readonly hasEnded?: boolean;
  /** Takes bytes that came; their units are asked for one by one. */
  read(chunk: Uint8Array): void;
  /** Handles the next unit; see `InputGateOwner`. Not called when the connection is closed. */
  takeNext(): boolean | Promise<void>;
  /** See `LinkHandler`. */
  onEnd(isGoodbye: boolean): void;
  /** The reason that is told to a client which took too long to greet. */
  greetingTimeout(): string;
  /**
   * Looks after a session from time to time.
   *
   * @returns milliseconds until the next time, or `undefined` for never
   */
  watch?(session: Session, now: number): number | undefined;
  /** Says why the connection is closed. */
  lastWords(code: number, reason: string, retryAfterMs: number): Uint8Array;
  /** There is nothing more to be done for the client. */
  stop?(): void;
}

export class Connection<Greeting> implements LinkHandler, InputGateOwner {
  readonly link: Link;
  readonly sender: Sender;
  readonly gate: InputGate;
  /** The account of its input: once it has a session, that of the session. */
  input: InputAccount;
  /** When the client was heard last, by the clock of the wheel. */
  heardAt: number;
  readonly #context: ConnectionContext;
  readonly #peer: DialectPeer;
  #state: ConnectionState<Greeting>;
  #deadline: TimerEntry;

  /** @param peer may not be ready yet: it is not called before bytes come */
  constructor(context: ConnectionContext, link: Link, peer: DialectPeer, greeting: Greeting) {
    this.#context = context;
    this.link = link;
    this.#peer = peer;
    this.input = context.accounts.open(link.address);
    this.gate = new InputGate(link, context.options.clock, this);
    this.sender = new Sender(context, link, this.gate, peer);
    this.#state = { name: 'greeting', greeting };
    this.heardAt = context.wheel.now;
    this.#deadline = context.wheel.repeat(context.options.handshakeTimeoutMs, this.#expire);
    link.handler = this;
  }

  get state(): ConnectionState<Greeting> {
    return this.#state;
  }

  /** The session, from the moment in which the client is let in until the connection is closed. */
  get session(): Session | undefined {
    const state = this.#state;
    return state.name === 'open' || state.name === 'leaving' ? state.session : undefined;
  }

  // ── the handshake ──

  /**
   * Waits for a greeting, or for the next part of it.
   *
   * @param isAnew whether the client gets the whole time again
   */
  greet(greeting: Greeting, isAnew = false): void {
    this.#state = { name: 'greeting', greeting };
    if (isAnew) this.setDeadline(this.#context.options.handshakeTimeoutMs);
  }

  /**
   * Asks whether the client may come in. The connection is open then, or waits for what its dialect makes of a refusal.
   *
   * @returns undefined when the client went away meanwhile
   */
  async admit(request: AdmissionRequest, greeting: Greeting): Promise<AdmissionResult | undefined> {
    const abort = this.#context.options.hooks.authenticate && new AbortController();
    this.#state = { name: 'admitting', greeting, abort };
    const result = await this.#context.admission.decide(request, this.#peer, abort?.signal);
    const state = this.#state as ConnectionState<Greeting>;
    const isResumable = 'session' in result && this.#peer.canResume && result.welcome.resumed;
    if (state.name === 'closed') {
      // A new session cannot be resumed: its secret was never told.
      if ('session' in result) result.session.disconnected(this.#peer, state.byGoodbye, isResumable);
      return undefined;
    }
    if ('session' in result) {
      this.#state = { name: 'open', session: result.session, isResumable, drain: undefined };
      this.link.request = undefined;
    }
    return result;
  }

  /** Moves the deadline: of the handshake, of watching the session, or of leaving. */
  setDeadline(delayMs: number): void {
    this.clearDeadline();
    this.#deadline = this.#context.wheel.repeat(delayMs, this.#expire);
  }

  clearDeadline(): void {
    this.#context.wheel.cancel(this.#deadline);
  }

  readonly #expire = (now: number): number | undefined => {
    const state = this.#state;
    if (state.name === 'open') return this.#peer.watch?.(state.session, now);
    if (state.name === 'greeting') this.close(CloseCode.HandshakeTimeout, this.#peer.greetingTimeout());
    if (state.name === 'admitting') this.close(CloseCode.HandshakeTimeout, 'the handshake took too long');
    if (state.name === 'leaving') this.end(true);
    return undefined;
  };

  // ── input ──

  onBytes(chunk: Uint8Array): void {
    const { name } = this.#state;
    if (name === 'closed' || name === 'leaving') return;
    this.#context.counters.bytesIn += chunk.length;
    this.heardAt = this.#context.wheel.now;
    this.input.look();
    this.input.chargeChunk(chunk.length);
    try {
      this.#peer.read(chunk);
    } catch (error) {
      this.failed(error);
      return;
    }
    this.gate.run();
  }

  onUnits(units: number, trifles: number): void {
    this.input.look();
    this.input.chargeBytes(units * OverheadBytes.webSocketFrame);
    this.tryTrifle(trifles);
  }

  debtMs(): number {
    return this.#state.name === 'closed' ? 0 : this.input.debtMs();
  }

  takeNext(): boolean | Promise<void> {
    return this.#state.name !== 'closed' && this.#peer.takeNext();
  }

  /** Charges what carries nothing; false when it is refused. Too much of it closes the connection. */
  tryTrifle(count = 1): boolean {
    if (count === 0) return true;
    const outcome = this.input.chargeTrifles(count);
    if (outcome === 'flood') this.close(CloseCode.RateLimited, TOO_MANY, this.input.debtMs());
    return outcome === 'taken';
  }

  failed(error: unknown): void {
    if (ProtocolError.is(error)) {
      this.close(CLOSE_CODE_OF_ERROR[error.code], error.message);
    } else {
      this.#context.refusals.failed(error, 'input could not be handled', { address: this.link.address });
      this.close(CloseCode.Internal, 'the server failed');
    }
  }

  // ── output ──

  onFlushed(): void {
    this.sender.unblock();
    this.catchUp();
    if (this.sender.isBlocked) return;
    if (this.#state.name === 'leaving') this.end(true);
    else this.gate.unblock();
  }

  /** Sends what the session has not seen; a client that has drained has seen everything then. */
  catchUp(): void {
    const { session } = this;
    if (!session) return;
    const { inbox } = session;
    this.sender.catchUp(inbox ? [...session.rooms.values(), inbox] : [...session.rooms.values()]);
    const state = this.#state;
    if (state.name !== 'open' || !state.drain?.isAnswered || this.sender.isBlocked) return;
    this.close(CloseCode.GoingAway, 'the server goes away', state.drain.retryAfterMs);
  }

  /** The client has read everything that it was sent before it answered the announcement of a drain. */
  drained(): void {
    const state = this.#state;
    if (state.name !== 'open' || !state.drain) return;
    state.drain.isAnswered = true;
    this.catchUp();
  }

  // ── the end ──

  onEnd(isGoodbye = false): void {
    this.#peer.onEnd(isGoodbye);
  }

  onViolation(code: CloseCode, reason: string): void {
    this.close(code, reason);
  }

  onClosed(): void {
    this.lose(this.#peer.hasEnded === true);
  }

  /**
   * The connection is gone.
   *
   * @param isGoodbye whether the client wanted that
   */
  lose(isGoodbye: boolean): void {
    const state = this.#state;
    this.#closed(isGoodbye);
    if (state.name === 'open') state.session.disconnected(this.#peer, isGoodbye, state.isResumable);
    // A connection that breaks behind a goodbye was not lost.
    if (state.name === 'leaving') state.session.disconnected(this.#peer, true, false);
  }

  /** Ends the connection for a client that said goodbye, once everything that was said before is read. */
  leave(maxMs: number): void {
    this.gate.stop();
    this.sender.flush();
    this.catchUp();
    const state = this.#state;
    if (state.name === 'open' && this.sender.isBlocked) {
      this.#state = { name: 'leaving', session: state.session };
      this.setDeadline(maxMs);
    } else if (state.name !== 'closed') this.end(true);
  }

  /** Ends the connection behind what was written; see {@link Connection.lose}. */
  end(isGoodbye: boolean): void {
    this.link.end(CloseCode.Normal);
    this.lose(isGoodbye);
  }

  /**
   * Says why, behind all that the client is still owed and can take, and ends the connection. Idempotent.
   *
   * @param last the last bytes, where the dialect has others than its usual ones
   */
  close(code: number, reason: string, retryAfterMs = 0, last?: Uint8Array): void {
    if (this.#state.name === 'closed') return;
    const { session } = this;
    const { name, retry } = closeCodeInfo(code);
    this.#context.counters.closed(code);
    const fields = { address: this.link.address, member: session?.memberId, code, close: name, reason };
    this.#context.options.logger.debug(fields, 'closing');
    for (const membership of session?.rooms.values() ?? []) {
      if (!this.sender.isBlocked && !membership.lagged) this.#peer.deliver(membership);
    }
    this.sender.last(last ?? this.#peer.lastWords(code, reason, retryAfterMs));
    this.link.end(code, reason);
    this.#closed(false);
    // A session that the server sends away is not lost, unless nothing was heard of it any more.
    const { canResume } = this.#peer;
    const kind = canResume && code === CloseCode.IdleTimeout ? NoticeKind.Gone : NoticeKind.Left;
    session?.disconnected(this.#peer, false, canResume && retry, kind);
  }

  #closed(byGoodbye: boolean): void {
    const state = this.#state;
    if (state.name === 'closed') return;
    this.input.close();
    if (state.name === 'admitting') state.abort?.abort();
    this.#state = { name: 'closed', byGoodbye };
    this.gate.stop();
    this.sender.stop();
    this.#peer.stop?.();
    this.clearDeadline();
  }
}
