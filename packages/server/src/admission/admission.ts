/**
 * Who may come in, and as whom.
 *
 * A stranger is decided about by a hook, gets a name that nobody else has, and becomes a session. A client that
 * comes back proves it by the secret of its session; where the welcome never reached it, by a secret of its own.
 * A client counts its hellos, so that one which was held up on its way undoes nothing that came after it.
 */
import { randomBytes } from 'node:crypto';
import { CloseCode, roomKey } from '@chat/protocol';
import { type Joined, NoticeKind, type Welcome } from '@chat/protocol/frames';
import { claim, hashSecret, isSecretOf } from '../log/claims.js';
import { ClaimKind, type Origin } from '../log/entry.js';
import type { SessionState } from '../log/state/chat-state.js';
import { userNameProblem } from '../names/names.js';
import type { Peer } from '../session/peer.js';
import { Session } from '../session/session.js';
import { authenticated, type Verdict } from './authenticated.js';
import type { AdmissionContext, AdmissionRequest } from './context.js';
import { findName, isOutdated, mayShare } from './find-name.js';
import { endOldestAway } from './oldest-away.js';
import { banned, DRAINING, nameTaken, outdated, overloaded, type Refusal } from './refusals.js';
import { SilentLines } from './silent-lines.js';
import { behindBarrier, placeOf, takeSession } from './take-session.js';
import { fitsIntoFrame, welcomeOf } from './welcome.js';

/** What a client is told to wait whose name was banned while it came in. */
const BANNED_RETRY_MS = 60_000;

/** The answer to a request. */
export type AdmissionResult =
  | {
      readonly session: Session;
      readonly welcome: Welcome;
      /** Direct messages that are no longer held; to be told behind the welcome. */
      readonly inboxGap?: Joined['gap'];
    }
  | Refusal;

export class Admission {
  readonly #context: AdmissionContext;
  /** Who goes first when there is no place for a newcomer. */
  readonly #silentLines: SilentLines;
  #isClosed = false;
  /** Why nobody is let in for now. */
  #suspension: string | undefined;
  #deciding = 0;

  constructor(context: AdmissionContext) {
    this.#context = context;
    this.#silentLines = new SilentLines(context);
  }

  /** Whether the server goes away, and nobody is let in any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Lets nobody in from now on. */
  close(): void {
    this.#isClosed = true;
  }

  /** Lets nobody in for a while: newcomers are told why, and to try again later. */
  suspend(reason: string): void {
    this.#suspension = reason;
  }

  resume(): void {
    this.#suspension = undefined;
  }

  /** Decides about somebody who wants in. Never throws: a hook that does is answered with `internal`. */
  async decide(
    request: AdmissionRequest,
    peer: Peer,
    signal: AbortSignal | undefined,
  ): Promise<AdmissionResult> {
    if (this.#isClosed) return DRAINING;
    if (this.#suspension !== undefined) return overloaded(this.#suspension);
    const unwelcome = this.#unwelcome(request, peer);
    if (unwelcome) return unwelcome;
    const { hooks } = this.#context.options;
    let known = this.#known(request);
    if (!known && this.#mayBeBehind(request)) {
      await behindBarrier(this.#context);
      known = this.#known(request);
    }
    if (known && !(hooks.authenticate && this.#mustAuthenticate(known))) {
      const resumed = await this.#resume(known, request, peer);
      if (resumed) return resumed;
    }
    const full = known ? undefined : this.#full(peer);
    if (full) return full;
    this.#deciding++;
    try {
      const isHere = known && this.#context.sessions.isHere(known);
      return await this.#decideAnew(request, peer, signal, isHere ? known : undefined);
    } catch (error) {
      const fields = { address: peer.address };
      this.#context.refusals.failed(error, 'authentication failed to decide', fields);
      return { code: CloseCode.Internal, reason: 'the server failed' };
    } finally {
      this.#deciding--;
    }
  }

  /**
   * Why somebody is not let in, whatever it asks for: its address is banned, or its session was ended on purpose. To be
   * asked again after each hook, which takes its time.
   */
  #unwelcome({ resume, clientSecret }: AdmissionRequest, { address }: Peer): Refusal | undefined {
    const bannedMs = this.#bannedMs(undefined, address);
    if (bannedMs > 0) return banned(bannedMs);
    const theirs = resume?.epoch === this.#context.log.epoch ? resume : undefined;
    return this.#context.kicked.find(theirs, clientSecret, this.#context.options.clock.monotonic());
  }

  #bannedMs(name: string | undefined, address: string): number {
    return this.#context.bans.refusedMs(name, address, this.#context.options.clock.monotonic());
  }

  /** Whether the address may have one session more, after one of its own that is away has gone if it must. */
  #mayHoldMore(address: string): boolean {
    const { addresses, sessions } = this.#context;
    if (addresses.sessions.hasRoom(address)) return true;
    if (endOldestAway(sessions, address) && addresses.sessions.hasRoom(address)) return true;
    addresses.refuseSession(address);
    return false;
  }

  /** Why there is no place for one more session. */
  #full({ address }: Peer): Refusal | undefined {
    const { maxSessions } = this.#context.options;
    while (this.#context.sessions.total + this.#deciding >= maxSessions) {
      if (this.#silentLines.tryMakeRoom()) continue;
      const reason = `the server has ${maxSessions} sessions`;
      this.#context.refusals.refused('maxSessions', address, `${reason}: newcomers are sent away`);
      return overloaded(reason);
    }
    // The guard tells the operator itself.
    return this.#context.memory.isShort ? overloaded('the server is short of memory') : undefined;
  }

  /** The session that the request proves to have had. */
  #known({ resume }: AdmissionRequest): SessionState | undefined {
    if (!resume || resume.epoch !== this.#context.log.epoch) return undefined;
    const session = this.#context.sessions.byId(resume.session);
    return session && isSecretOf(session.secretHash, resume.secret) ? session : undefined;
  }

  /** Whether another process may have let it in a moment ago, whose entries have not come here yet. */
  #mayBeBehind({ resume }: AdmissionRequest): boolean {
    const { log } = this.#context;
    return log.process !== undefined && resume?.epoch === log.epoch;
  }

  /** Whether its credentials are to be shown again: they have run out, or are known to another process. */
  #mustAuthenticate({ memberId }: SessionState): boolean {
    return this.#context.sessions.byMember(memberId)?.mustAuthenticate ?? true;
  }

  /** Goes on with a session; `undefined` when there is none any more. */
  #resume(
    known: SessionState,
    request: AdmissionRequest,
    peer: Peer,
    verdict?: Verdict,
  ): Promise<AdmissionResult | undefined> | AdmissionResult | undefined {
    const { log, sessions } = this.#context;
    if (!request.resume || !sessions.isHere(known)) return undefined;
    if (isOutdated(this.#context, request, known)) return outdated();
    if (log.process === undefined)
      return this.#goOn(sessions.byMember(known.memberId), request, peer, verdict);
    return takeSession(this.#context, known, request, peer, (session) =>
      this.#goOn(session, request, peer, verdict),
    );
  }

  #goOn(
    session: Session | undefined,
    request: AdmissionRequest,
    peer: Peer,
    verdict: Verdict | undefined,
  ): AdmissionResult | undefined {
    const wanted = request.resume;
    if (!session || session.ended || !wanted) return undefined;
    if (verdict) session.authenticated(verdict.claims, verdict.expiresInMs);
    const positions = new Map(wanted.rooms.map(({ room, after }) => [roomKey(room), after]));
    const { joined, inboxGap } = session.resume(peer, positions, wanted.inbox, request.attempt);
    let welcome = welcomeOf(this.#context, session, wanted.secret, wanted.inbox, joined);
    if (!fitsIntoFrame(this.#context, welcome)) {
      // The members of many large rooms are too much for one frame; the client asks for them page by page.
      welcome = { ...welcome, rooms: joined.map((room) => ({ ...room, members: [] })) };
    }
    if (!fitsIntoFrame(this.#context, welcome)) {
      // In more rooms than a frame can name. It begins anew, and joins each of them from where it was.
      session.end(NoticeKind.Gone);
      return undefined;
    }
    this.#context.sessions.resumed(session);
    return { session, welcome, inboxGap };
  }

  async #decideAnew(
    request: AdmissionRequest,
    peer: Peer,
    signal: AbortSignal | undefined,
    known: SessionState | undefined,
  ): Promise<AdmissionResult> {
    const verdict = await authenticated(this.#context, request, peer, signal, known);
    if ('code' in verdict) return verdict;
    // A hook takes its time: whoever would come in now would not be told that the server goes away.
    if (this.#isClosed) return DRAINING;
    const unwelcome = this.#unwelcome(request, peer);
    if (unwelcome) return unwelcome;
    // Credentials of another account do not go on with this session, though the client has its secret.
    if (known && known.account === verdict.name) {
      if (isOutdated(this.#context, request, known)) return outdated();
      const resumed = await this.#resume(known, request, peer, verdict);
      if (resumed) return resumed;
    } else if (known) {
      const full = this.#full(peer);
      if (full) return full;
    }
    const wanted = verdict.name ?? request.name;
    const problem = userNameProblem(wanted);
    const isGiven = verdict.name !== undefined;
    if (problem) return { code: CloseCode.NameInvalid, reason: problem, isGiven };
    if (!isGiven && this.#context.options.hooks.isReserved?.(wanted)) return nameTaken();
    const bannedMs = this.#bannedMs(wanted, peer.address);
    if (bannedMs > 0) return banned(bannedMs);
    return this.#open(wanted, isGiven, request, peer, verdict);
  }

  /** Opens a session under the name that is wanted, or one in its place. */
  async #open(
    wanted: string,
    isGiven: boolean,
    request: AdmissionRequest,
    peer: Peer,
    verdict: Verdict,
  ): Promise<AdmissionResult> {
    const { addresses, options, sessions } = this.#context;
    const secret = randomBytes(18).toString('base64url');
    for (;;) {
      const name = findName(this.#context, wanted, request, verdict);
      if (typeof name !== 'string') return { ...name, isGiven };
      if (!this.#mayHoldMore(peer.address)) {
        const reason = `your address has ${options.maxSessionsPerAddress} sessions`;
        return { code: CloseCode.TooManyConnections, reason };
      }
      addresses.sessions.enter(peer.address);
      const opened = await this.#claim(name, secret, request, peer, verdict);
      if (opened && 'session' in opened) return opened;
      addresses.sessions.leave(peer.address);
      if (opened) return opened;
      // Somebody else claimed the name while this claim was on its way: looks again, unless it is gone already.
      if (!sessions.holderOf(name)) return { ...nameTaken(), isGiven };
    }
  }

  /** Claims a name in the log; `undefined` when somebody had it first. */
  #claim(
    name: string,
    secret: string,
    { clientSecret, attempt }: AdmissionRequest,
    peer: Peer,
    verdict: Verdict,
  ): Promise<AdmissionResult | undefined> {
    const { log, options, sessions } = this.#context;
    const { name: account, claims, expiresInMs } = verdict;
    const isFurther = mayShare(options, verdict);
    return new Promise((resolve) => {
      const origin: Origin = {
        appended: (_entry, outcome) => {
          if (outcome.kind === 'session-opened') {
            const session = new Session(this.#context, outcome.session, peer, attempt);
            session.authenticated(claims, expiresInMs);
            sessions.opened(session);
            resolve({
              session,
              welcome: welcomeOf(
                this.#context,
                session,
                secret,
                session.inbox?.room.log.lastSeq ?? 0,
                undefined,
              ),
            });
          } else if (outcome.kind !== 'void') resolve(undefined);
          else if (outcome.reason === 'banned') resolve(banned(BANNED_RETRY_MS));
          else if (outcome.reason === 'no-such-process') resolve(DRAINING);
          else resolve(undefined);
        },
        refused: ({ message }) => resolve(overloaded(message)),
      };
      const fields = {
        id: randomBytes(9).toString('base64url'),
        secretHash: hashSecret(secret),
        ...(clientSecret === undefined ? {} : { clientHash: hashSecret(clientSecret) }),
        ...(account === undefined ? {} : { account }),
        ...(isFurther ? { isFurther } : {}),
        isResumable: peer.dialect !== 'line',
        ...(log.process === undefined ? {} : { place: placeOf(peer, attempt) }),
      };
      const subject = { name: Buffer.from(name), at: options.clock.now(), origin };
      log.append(claim(ClaimKind.SessionOpened, subject, fields));
    });
  }
}
