/**
 * What entries bring about for sessions where several processes share the log: one goes on at another process, is ended by
 * one that does not hold it, or loses the process that held it. What has happened is in the state already; here it is
 * carried out for what this process holds.
 *
 * A session whose process is gone is kept for the resume window. The oldest process that is here ends it then; should
 * that one go, the next one is the oldest. Two that do it both do no harm: the second entry comes too late.
 */
import { CloseCode } from '@chat/protocol';
import type { LogEntry, ShownEntry } from '../../log/entry.js';
import type { ChatState, SessionState } from '../../log/state/chat-state.js';
import type { Outcome } from '../../log/state/outcome.js';
import { userOf } from '../../log/state/session-number.js';
import type { OutcomeListener } from '../../room/apply.js';
import type { Room } from '../../room/room.js';
import type { SessionContext } from '../context.js';
import type { Sessions } from '../sessions.js';
import { tellRead } from '../user/tell-read.js';
import { claimUnheldEnd } from './claim-kick.js';
import type { SessionsElsewhere } from './elsewhere.js';

/** What it needs of the server. */
export interface MovesContext extends SessionContext {
  readonly sessions: Sessions;
  readonly elsewhere: SessionsElsewhere;
}

export class SessionMoves implements OutcomeListener {
  readonly #context: MovesContext;
  readonly #state: ChatState;
  /** Told once the others have declared this process gone. */
  readonly #onGone: () => void;
  readonly #self: number;
  /** Since when clients can come back here. */
  readonly #since: number;

  constructor(context: MovesContext, state: ChatState, onGone: () => void) {
    this.#context = context;
    this.#state = state;
    this.#onGone = onGone;
    this.#self = context.log.process ?? 0;
    this.#since = context.options.clock.now();
  }

  inboxOf(user: number): Room | undefined {
    const { sessions, inboxes } = this.#context;
    const states = sessions.ofUser(user);
    const [first] = states;
    if (!first) return undefined;
    // Each session that is held here reads what comes from now on.
    for (const { memberId } of states) sessions.byMember(memberId)?.openInbox();
    return inboxes.open(user, addressOf(first)).room;
  }

  published(entry: ShownEntry): void {
    this.#context.elsewhere.published(entry);
  }

  happened(outcome: Outcome, entry: LogEntry, from: number): void {
    if (outcome.kind === 'session-ended' || outcome.kind === 'session-kicked') {
      const user = userOf(outcome.session.memberId);
      if (!this.#state.hasUser(user)) this.#context.inboxes.ended(user);
    }
    if (outcome.kind === 'read') tellRead(this.#context, outcome);
    if (this.#self === 0) return;
    switch (outcome.kind) {
      case 'session-opened':
        if (from !== this.#self) this.#counts.enter(addressOf(outcome.session));
        return;
      case 'session-taken':
        this.#taken(outcome, from);
        return;
      case 'session-ended':
        if (outcome.session.holder !== this.#self) this.#endedElsewhere(outcome.session);
        return;
      case 'session-kicked':
        this.#kicked(outcome);
        return;
      case 'eviction-asked':
        this.#evict(outcome.session, entry.room);
        return;
      case 'credentials-asked':
        this.#held(outcome.session)?.reauthenticate('new credentials are asked for');
        return;
      case 'process-came':
        // Those who were left when nobody was here.
        if (from === this.#self) this.#endThoseWhoCannotReturn([...this.#state.unheld]);
        return;
      case 'process-gone':
        if (outcome.process !== this.#self) this.#endThoseWhoCannotReturn(outcome.sessions);
        // One that closes has said so itself.
        else if (from !== this.#self) this.#givenUp();
        return;
      case 'unbanned':
        if (from !== this.#self) this.#context.kicked.pardon(outcome.ended);
        return;
    }
  }

  /** Ends sessions that nobody holds and whose clients have not come back. To be called now and then. */
  expire(now: number): void {
    const [oldest] = this.#state.processes;
    if (oldest !== this.#self) return;
    for (const { memberId, unheldSince = now } of this.#state.unheld) {
      // Where all were stopped and started again, a client has the whole window for coming back.
      const awayMs = now - Math.max(unheldSince, this.#since);
      if (awayMs >= this.#context.options.resumeWindowMs) claimUnheldEnd(this.#context, memberId);
    }
  }

  get #counts(): { enter(address: string): void; leave(address: string): void } {
    return this.#context.addresses.sessions;
  }

  #held({ memberId }: SessionState): ReturnType<Sessions['byMember']> {
    return this.#context.sessions.byMember(memberId);
  }

  #taken({ session, former, place }: Extract<Outcome, { kind: 'session-taken' }>, from: number): void {
    // One that was held here is counted for as long as it is.
    if (former !== this.#self) this.#counts.leave(place?.address ?? '');
    if (from === this.#self) return;
    this.#counts.enter(addressOf(session));
    this.#letGo(session, CloseCode.SessionReplaced, 'the session goes on over another connection');
  }

  /** Keeps of a session what another process may need, should it come back here. */
  #letGo(state: SessionState, code: CloseCode, reason: string, retryAfterMs?: number): void {
    const session = this.#held(state);
    if (!session) return;
    const { record } = session.letGo(code, reason, retryAfterMs);
    this.#context.sessions.letGo(session);
    this.#context.elsewhere.letGo(state.memberId, record);
  }

  #endedElsewhere(session: SessionState): void {
    this.#counts.leave(addressOf(session));
    this.#context.elsewhere.ended(session.memberId);
  }

  #kicked({ session, kick }: Extract<Outcome, { kind: 'session-kicked' }>): void {
    const { kicked, options } = this.#context;
    kicked.remember(kick, options);
    const held = this.#held(session);
    if (held) held.expelled(kick);
    else if (session.holder !== this.#self) this.#endedElsewhere(session);
  }

  #evict(state: SessionState, key: string): void {
    const room = this.#context.rooms.byKey(key);
    if (room) this.#held(state)?.evict(room.name);
  }

  /** Those who have no way to resume have no use for the resume window. */
  #endThoseWhoCannotReturn(sessions: readonly SessionState[]): void {
    const [oldest] = this.#state.processes;
    if (oldest !== this.#self) return;
    for (const { memberId, isResumable } of sessions) {
      if (!isResumable) claimUnheldEnd(this.#context, memberId);
    }
  }

  /** The others have declared this process gone, and it is not right by itself: its clients go on with them. */
  #givenUp(): void {
    const { sessions, options } = this.#context;
    options.logger.error(
      { process: this.#self },
      'this process was declared gone: its clients are sent away',
    );
    for (const session of [...sessions]) {
      const state = this.#state.sessions.get(session.memberId);
      const retryAfterMs = Math.floor(options.random() * SPREAD_MS);
      if (state) this.#letGo(state, CloseCode.GoingAway, 'the server goes away', retryAfterMs);
    }
    this.#onGone();
  }
}

/** Clients of a process that was given up come back at a random time within this. */
const SPREAD_MS = 2000;

function addressOf({ place }: SessionState): string {
  return place?.address ?? '';
}
