/**
 * Sessions that were ended on purpose, remembered for as long as their clients would try to resume.
 *
 * A notice does not reach a client that is away, or whose connection breaks at that moment. It comes back by itself,
 * with the secrets of its session: it is told then.
 */
import { CloseCode } from '@chat/protocol';
import { hashSecret, isSecretOf } from '../log/claims.js';
import type { KickState } from '../log/state/chat-state.js';
import type { SteadyClock } from '../time/clock.js';

/** Why a session was ended, for its client. */
export interface Kick {
  readonly code: CloseCode;
  readonly reason: string;
  /** What was banned with it, as `banKeys`: unbanning either forgets the kick. */
  readonly banned?: readonly string[];
}

/** By what a client is known. */
export interface ClientProof {
  readonly id: string;
  readonly secretHash: string;
  readonly clientHash: string | undefined;
}

interface Remembered extends Kick, ClientProof {
  readonly until: number;
}

/** So many are remembered: beyond them the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;

export class KickedSessions {
  /** In the order of their time. */
  readonly #byId = new Map<string, Remembered>();
  readonly #byClient = new Map<string, Remembered>();

  /**
   * Remembers why the session of that client was ended.
   *
   * @param until monotonic time up to which it is remembered, as is `now`
   */
  add(client: ClientProof, kick: Kick, until: number, now: number): void {
    if (until <= now) return;
    const { id, secretHash } = client;
    // The client of a session that was replaced may begin anew, but not go on.
    const clientHash = kick.code === CloseCode.SessionReplaced ? undefined : client.clientHash;
    const { code, reason, banned = [] } = kick;
    const remembered = { id, secretHash, clientHash, code, reason, banned, until };
    this.#byId.set(id, remembered);
    if (clientHash !== undefined) this.#byClient.set(clientHash, remembered);
    for (const oldest of this.#byId.values()) {
      if (this.#byId.size <= MAX_REMEMBERED) break;
      this.#forget(oldest);
    }
  }

  /** Remembers what the log says of a kick; no longer than its client might try to go on, whatever the clock says. */
  remember(
    kick: KickState,
    { clock, resumeWindowMs }: { readonly clock: SteadyClock; readonly resumeWindowMs: number },
  ): void {
    const now = clock.monotonic();
    this.add(kick, kick, now + Math.min(kick.until - clock.now(), resumeWindowMs), now);
  }

  /** Why the client that shows these secrets is not let in; `undefined` when it was not shown out. */
  find(
    resume: { readonly session: string; readonly secret: string } | undefined,
    clientSecret: string | undefined,
    now: number,
  ): Kick | undefined {
    const session = resume && this.#byId.get(resume.session);
    if (session && session.until > now && isSecretOf(session.secretHash, resume.secret)) return session;
    const client = clientSecret === undefined ? undefined : this.#byClient.get(hashSecret(clientSecret));
    return client && client.until > now ? client : undefined;
  }

  /** Forgets the kicks that came with a ban of one of these keys. */
  pardon(keys: readonly string[]): void {
    for (const remembered of this.#byId.values()) {
      if (remembered.banned?.some((banned) => keys.includes(banned))) this.#forget(remembered);
    }
  }

  /** Forgets what is over. To be called now and then. */
  expire(now: number): void {
    for (const remembered of this.#byId.values()) if (remembered.until <= now) this.#forget(remembered);
  }

  /** Sessions that are remembered. */
  get size(): number {
    return this.#byId.size;
  }

  #forget({ id, clientHash }: Remembered): void {
    this.#byId.delete(id);
    if (clientHash === undefined) return;
    // The client may have been shown out once more since.
    if (this.#byClient.get(clientHash)?.id === id) this.#byClient.delete(clientHash);
  }
}
