/**
 * Who may come in, and as whom.
 *
 * A stranger is decided about by a hook, gets a name that nobody else has, and becomes a session. A client that
 * comes back proves it by the secret of its session; where the welcome never reached it, by a secret of its own.
 * A client counts its hellos, so that one which was held up on its way undoes nothing that came after it.
 */
import { randomBytes } from 'node:crypto';
import {
  CloseCode,
  encodeFrame,
  FrameType,
  type Hello,
  type Joined,
  NoticeKind,
  PROTOCOL_VERSION,
  roomKey,
  type Welcome,
} from '@chat/protocol';
import type { Peer } from '../connection/peer.js';
import type { AuthenticateResult } from '../options/hooks.js';
import type { Chat } from '../server/chat.js';
import { isSecret } from './kicked-sessions.js';
import { userNameProblem } from './names.js';
import { Session } from './session.js';

/** What a client is told to wait when there is no room for it. */
const OVERLOADED_RETRY_MS = 5000;
/** Names that are tried for one whose name is taken: a few in order, then random ones with more and more digits. */
const MAX_SUFFIXES = 30;
const ORDERED_SUFFIXES = 9;

/** What is asked of admission. Parts that a dialect does not have are left out. */
export type AdmissionRequest = Pick<Hello, 'name' | 'credentials' | 'resume' | 'clientSecret' | 'attempt'>;

/** Why somebody is not let in. */
export interface Refusal {
  readonly code: CloseCode;
  readonly reason: string;
  readonly retryAfterMs?: number;
  /** Whether `authenticate` chose the name: wishing for another one would not help. */
  readonly isGiven?: boolean;
}

/** The answer to a request. */
export type AdmissionResult =
  | {
      readonly session: Session;
      readonly welcome: Welcome;
      /** Direct messages that are no longer held; to be told behind the welcome. */
      readonly inboxGap?: Joined['gap'];
    }
  | Refusal;

const DRAINING: Refusal = { code: CloseCode.GoingAway, reason: 'the server goes away' };

export class Admission {
  readonly #chat: Chat;
  #members = 0;
  #deciding = 0;

  constructor(chat: Chat) {
    this.#chat = chat;
  }

  /** Decides about somebody who wants in. Never throws: a hook that does is answered with `internal`. */
  async decide(
    request: AdmissionRequest,
    peer: Peer,
    signal: AbortSignal | undefined,
  ): Promise<AdmissionResult> {
    if (this.#chat.draining) return DRAINING;
    const unwelcome = this.#unwelcome(request, peer);
    if (unwelcome) return unwelcome;
    const { hooks } = this.#chat.options;
    const known = this.#known(request);
    if (known && !(known.mustAuthenticate && hooks.authenticate)) {
      const resumed = this.#resume(known, request, peer);
      if (resumed) return resumed;
    }
    const full = known ? undefined : this.#full(peer);
    if (full) return full;
    this.#deciding++;
    try {
      return await this.#decideAnew(request, peer, signal, known?.ended ? undefined : known);
    } catch (error) {
      const fields = { address: peer.address };
      this.#chat.strangerLog.failed(error, 'authentication failed to decide', fields);
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
    const bannedMs = this.#chat.bannedMs(undefined, address);
    if (bannedMs > 0) return banned(bannedMs);
    const theirs = resume?.epoch === this.#chat.log.epoch ? resume : undefined;
    return this.#chat.kicked.find(theirs, clientSecret, this.#chat.options.clock.now());
  }

  /** Why there is no place for one more session. */
  #full({ address }: Peer): Refusal | undefined {
    const { maxSessions } = this.#chat.options;
    while (this.#chat.sessionCount + this.#deciding >= maxSessions) {
      if (this.#chat.silentLines.tryMakeRoom()) continue;
      const reason = `the server has ${maxSessions} sessions`;
      this.#chat.strangerLog.refused('maxSessions', address, `${reason}: newcomers are sent away`);
      return overloaded(reason);
    }
    // The guard tells the operator itself.
    return this.#chat.memory.isShort ? overloaded('the server is short of memory') : undefined;
  }

  /** The session that the request proves to have had. */
  #known({ resume }: AdmissionRequest): Session | undefined {
    if (!resume || resume.epoch !== this.#chat.log.epoch) return undefined;
    const session = this.#chat.sessionById(resume.session);
    return session && isSecret(session.secret, resume.secret) ? session : undefined;
  }

  #resume(session: Session, request: AdmissionRequest, peer: Peer): AdmissionResult | undefined {
    const wanted = request.resume;
    if (session.ended || !wanted) return undefined;
    if (isOutdated(request, session)) return outdated();
    const positions = new Map(wanted.rooms.map(({ room, after }) => [roomKey(room), after]));
    const { joined, inboxGap } = session.resume(peer, positions, wanted.inbox, request.attempt);
    let welcome = this.#welcome(session, wanted.inbox, joined);
    if (!this.#fits(welcome)) {
      // The members of many large rooms are too much for one frame; the client asks for them page by page.
      welcome = { ...welcome, rooms: joined.map((room) => ({ ...room, members: [] })) };
    }
    if (!this.#fits(welcome)) {
      // In more rooms than a frame can name. It begins anew, and joins each of them from where it was.
      session.end(NoticeKind.Gone);
      return undefined;
    }
    this.#chat.sessionResumed(session);
    return { session, welcome, inboxGap };
  }

  async #decideAnew(
    request: AdmissionRequest,
    peer: Peer,
    signal: AbortSignal | undefined,
    known: Session | undefined,
  ): Promise<AdmissionResult> {
    const verdict = await this.#authenticate(request, peer, signal, known);
    if ('code' in verdict) return verdict;
    // A hook takes its time: whoever would come in now would not be told that the server goes away.
    if (this.#chat.draining) return DRAINING;
    const unwelcome = this.#unwelcome(request, peer);
    if (unwelcome) return unwelcome;
    // Credentials of another account do not go on with this session, though the client has its secret.
    if (known && known.account === verdict.name) {
      if (isOutdated(request, known)) return outdated();
      if (!known.ended) known.authenticated(verdict.claims, verdict.expiresInMs);
      const resumed = this.#resume(known, request, peer);
      if (resumed) return resumed;
    } else if (known) {
      const full = this.#full(peer);
      if (full) return full;
    }
    const wanted = verdict.name ?? request.name;
    const problem = userNameProblem(wanted);
    const isGiven = verdict.name !== undefined;
    if (problem) return { code: CloseCode.NameInvalid, reason: problem, isGiven };
    const bannedMs = this.#chat.bannedMs(wanted, peer.address);
    if (bannedMs > 0) return banned(bannedMs);
    const name = this.#claim(wanted, request);
    if (typeof name !== 'string') return { ...name, isGiven };
    if (!this.#chat.mayHoldMore(peer.address)) {
      const { maxSessionsPerAddress } = this.#chat.options;
      return {
        code: CloseCode.TooManyConnections,
        reason: `your address has ${maxSessionsPerAddress} sessions`,
      };
    }
    const session = new Session(this.#chat, peer, {
      id: randomBytes(9).toString('base64url'),
      secret: randomBytes(18).toString('base64url'),
      memberId: ++this.#members,
      name,
      clientSecret: request.clientSecret,
      attempt: request.attempt,
      account: verdict.name,
    });
    session.authenticated(verdict.claims, verdict.expiresInMs);
    this.#chat.sessionOpened(session);
    return { session, welcome: this.#welcome(session, 0, undefined) };
  }

  async #authenticate(
    { name, credentials }: AdmissionRequest,
    peer: Peer,
    signal: AbortSignal | undefined,
    known: Session | undefined,
  ): Promise<Extract<AuthenticateResult, { ok: true }> | Refusal> {
    const { authenticate } = this.#chat.options.hooks;
    if (!authenticate) return { ok: true };
    const { address, dialect } = peer;
    const visitor = known
      ? { ...known.info, address, dialect }
      : { memberId: 0, name, address, dialect, claims: undefined };
    const decision = authenticate(credentials, visitor, signal ?? new AbortController().signal);
    const result = await unlessAborted(decision, signal);
    if (result === TOO_LATE)
      return { code: CloseCode.HandshakeTimeout, reason: 'the handshake took too long' };
    if (!result.ok) return { code: CloseCode.Unauthorized, reason: result.reason ?? 'not authorized' };
    const { expiresInMs } = result;
    if (expiresInMs !== undefined && !(expiresInMs > 0)) {
      throw new RangeError(`expiresInMs of authenticate must be positive, got ${expiresInMs}`);
    }
    return result;
  }

  /** The name that a new session gets: free at the moment of the answer. */
  #claim(wanted: string, request: AdmissionRequest): string | Refusal {
    const { bans, names, options } = this.#chat;
    const holder = names.find(wanted);
    if (!holder) return wanted;
    if (request.clientSecret !== undefined && isSecret(holder.clientSecret, request.clientSecret)) {
      // The welcome of that session never arrived, or it was given up: its client begins anew.
      if (isOutdated(request, holder)) return outdated();
      const reason = 'the client began anew over another connection';
      holder.kick({ code: CloseCode.SessionReplaced, reason });
      return this.#claimNext(wanted, request, holder);
    }
    switch (options.duplicateNames) {
      case 'refuse':
        break;
      case 'takeover':
        // Without a hook that knows people, anybody could show anybody out by saying a name.
        if (!options.hooks.authenticate) break;
        holder.kick({ code: CloseCode.SessionReplaced, reason: 'somebody came in under this name' });
        return this.#claimNext(wanted, request, holder);
      case 'suffix': {
        const isFree = (name: string): boolean =>
          names.find(name) === undefined && bans.remainingMs(name, '', options.clock.now()) === 0;
        const free = suffixed(wanted, options.random, isFree);
        if (free !== undefined) return free;
      }
    }
    return { code: CloseCode.NameTaken, reason: 'this name, or one that looks like it, is taken' };
  }

  /** Goes on once `former` has let go of the name: a name may look like those of two members. */
  #claimNext(wanted: string, request: AdmissionRequest, former: Session): string | Refusal {
    return this.#chat.names.find(wanted) === former ? wanted : this.#claim(wanted, request);
  }

  #welcome(session: Session, inboxStart: number, joined: readonly Joined[] | undefined): Welcome {
    const { options, log, maxMessageBytes } = this.#chat;
    return {
      version: PROTOCOL_VERSION,
      session: session.id,
      secret: session.secret,
      epoch: log.epoch,
      member: { id: session.memberId, name: session.name },
      inbox: { handle: session.inboxHandle, start: inboxStart },
      limits: {
        maxFrameBytes: options.maxFrameBytes,
        maxMessageBytes,
        maxSignalBytes: options.maxSignalBytes,
        maxInFlight: options.maxInFlight,
        maxRoomsPerSession: Number.isFinite(options.maxRoomsPerSession)
          ? options.maxRoomsPerSession
          : Number.MAX_SAFE_INTEGER,
        idleTimeoutMs: options.idleTimeoutMs,
        resumeWindowMs: options.resumeWindowMs,
      },
      resumed: joined !== undefined,
      lastPublishId: session.lastPublishId,
      rooms: joined ?? [],
      agent: options.agent,
    };
  }

  #fits(welcome: Welcome): boolean {
    return encodeFrame({ type: FrameType.Welcome, welcome }).length <= this.#chat.options.maxFrameBytes;
  }
}

/** protocol.md, "Beginning": whether a later hello of the same client has been answered already. */
function isOutdated({ clientSecret, attempt }: AdmissionRequest, session: Session): boolean {
  return (
    attempt !== undefined &&
    session.attempt !== undefined &&
    isSecret(session.clientSecret, clientSecret) &&
    attempt <= session.attempt
  );
}

function overloaded(reason: string): Refusal {
  return { code: CloseCode.Overloaded, reason, retryAfterMs: OVERLOADED_RETRY_MS };
}

function banned(retryAfterMs: number): Refusal {
  return { code: CloseCode.Banned, reason: 'banned', retryAfterMs };
}

function outdated(): Refusal {
  return { code: CloseCode.SessionReplaced, reason: 'a later connection of this client was there before' };
}

/** `name-2`, `name-3` … or the like, whatever is free and a name; as much of `name` as there is space for. */
function suffixed(name: string, random: () => number, isFree: (name: string) => boolean): string | undefined {
  for (let i = 2; i < MAX_SUFFIXES; i++) {
    const digits = Math.max(2, Math.ceil(i / 3));
    const number = i <= ORDERED_SUFFIXES ? i : 10 + Math.floor(random() * 10 ** digits);
    const letters = [...name];
    while (letters.length > 0) {
      const candidate = `${letters.join('').trimEnd()}-${number}`;
      if (!userNameProblem(candidate)) {
        if (isFree(candidate)) return candidate;
        break;
      }
      letters.pop();
    }
  }
  return undefined;
}

const TOO_LATE = Symbol('nobody waits any more');

/** What a hook decides; `TOO_LATE` once nobody waits for it any more, whether or not it ever settles. */
async function unlessAborted<T>(
  decision: T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | typeof TOO_LATE> {
  if (!signal) return decision;
  const aborted = new Promise<typeof TOO_LATE>((resolve) => {
    if (signal.aborted) resolve(TOO_LATE);
    else signal.addEventListener('abort', () => resolve(TOO_LATE), { once: true });
  });
  return Promise.race([decision, aborted]);
}
