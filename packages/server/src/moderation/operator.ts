/**
 * What an operator may do to people who are connected: kick, ban, evict, ask again.
 */
import { CloseCode, closeCodeInfo } from '@chat/protocol';
import { NoticeKind } from '@chat/protocol/frames';
import type { AdmissionContext } from '../admission/context.js';
import { addressKey } from '../limits/addresses/address-limit.js';
import { isRange } from '../limits/addresses/address-ranges.js';
import { type Ban, claim } from '../log/claims.js';
import { ClaimKind } from '../log/entry.js';
import { banKeys, type SessionState } from '../log/state/chat-state.js';
import { looks } from '../names/names.js';
import type { Kick } from '../session/kicked-sessions.js';
import { claimKick, tellGone } from '../session/shared/claim-kick.js';

/** The name under which the program acts that gives none. */
export const OPERATOR = 'operator';

/** What the operator's commands need of the server. */
export type OperatorContext = Pick<
  AdmissionContext,
  'options' | 'log' | 'steady' | 'sessions' | 'bans' | 'kicked' | 'rooms'
>;

export class Operator {
  readonly #context: OperatorContext;

  constructor(context: OperatorContext) {
    this.#context = context;
  }

  /** Kicks the user of that name, with all its sessions; answers whether there was one. */
  kick(name: string, reason: string): boolean {
    return this.#kick(name, { code: CloseCode.Kicked, reason });
  }

  /** Kicks the user and refuses its name and the addresses of its sessions for a while; answers whether there was one. */
  ban(name: string, durationMs: number, reason: string, by: string = OPERATOR): boolean {
    const { bans, options, sessions } = this.#context;
    const until = options.clock.monotonic() + durationMs;
    bans.addName(name, until);
    const keys = new Set<string>();
    for (const { memberId, place } of sessions.allOf(name)) {
      const address = sessions.byMember(memberId)?.info.address ?? place?.address;
      if (address === undefined || !bans.addAddress(address, until)) continue;
      const key = addressKey(address);
      if (key !== undefined) keys.add(key);
    }
    const ban = { looks: looks(name), addresses: [...keys] };
    this.#claimBan({ ...ban, target: name, by, reason }, durationMs, name);
    return this.#kick(name, { code: CloseCode.Banned, reason, banned: banKeys(ban) });
  }

  /**
   * Refuses an address, or a range of them, for a while, and kicks all who came from there; answers whether it can be
   * banned.
   */
  banAddress(address: string, durationMs: number, reason: string, by: string = OPERATOR): boolean {
    const { bans, options, sessions } = this.#context;
    const until = options.clock.monotonic() + durationMs;
    const isOfMany = isRange(address);
    if (isOfMany ? !bans.addRange(address, until) : !bans.addAddress(address, until)) return false;
    const key = addressKey(address);
    const ban = isOfMany
      ? { looks: [], addresses: [], ranges: [address] }
      : { looks: [], addresses: key === undefined ? [] : [key] };
    this.#claimBan({ ...ban, target: address, by, reason }, durationMs);
    const kick = { code: CloseCode.Banned, reason, banned: banKeys(ban) };
    const now = options.clock.monotonic();
    const isMeant = (from: string): boolean =>
      isOfMany ? bans.isInRange(from, now) : addressKey(from) === key;
    for (const session of [...sessions]) if (isMeant(session.info.address)) session.kick(kick);
    for (const session of [...sessions.everybody]) {
      if (!sessions.isElsewhere(session) || !isMeant(session.place?.address ?? '')) continue;
      claimKick(this.#context, session.memberId, kick);
    }
    return true;
  }

  /** Ends the bans of a name or an address, and what they did to sessions; false when there was none. */
  unban(nameOrAddress: string): boolean {
    const key = addressKey(nameOrAddress);
    const { bans, steady, options } = this.#context;
    const wasBanned = bans.remove(nameOrAddress);
    const isOfMany = isRange(nameOrAddress);
    const ban = {
      looks: isOfMany ? [] : looks(nameOrAddress),
      addresses: key === undefined ? [] : [key],
      ...(isOfMany ? { ranges: [nameOrAddress] } : {}),
    };
    this.#context.kicked.pardon(banKeys(ban));
    steady.append(claim(ClaimKind.Unbanned, { at: options.clock.now() }, ban));
    return wasBanned;
  }

  /** Evicts the user of that name from a room; false when nobody has the name, or not in this room. */
  evict(name: string, room: string): boolean {
    return this.#context.sessions.allOf(name).filter((state) => this.#evict(state, room)).length > 0;
  }

  #evict(state: SessionState, room: string): boolean {
    const { sessions, rooms } = this.#context;
    const session = sessions.byMember(state.memberId);
    if (session) return session.evict(room);
    const place = rooms.find(room);
    if (!place?.everybody.has(state.memberId)) return false;
    if (state.holder === undefined) {
      tellGone(this.#context, state.memberId, state.name, place.key, NoticeKind.Left);
    } else this.#ask(ClaimKind.EvictionAsked, state, place.key);
    return true;
  }

  /** Asks `authorize` again about the rooms that members are in; answers how many were evicted from one. */
  async reauthorize(name: string | undefined): Promise<number> {
    const { options, sessions } = this.#context;
    const { authorize } = options.hooks;
    const asked =
      name === undefined
        ? [...sessions]
        : sessions.allOf(name).flatMap(({ memberId }) => sessions.byMember(memberId) ?? []);
    let evicted = 0;
    const failures: unknown[] = [];
    for (const session of asked) {
      for (const { room } of [...session.rooms.values()]) {
        try {
          if (!authorize || (await authorize(session.info, 'join', room.name))) continue;
          if (session.evict(room.name)) evicted++;
        } catch (error) {
          // What cannot be decided about one says nothing about the others.
          failures.push(error);
        }
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'authorize failed to decide');
    return evicted;
  }

  /** Asks the clients of that user for new credentials; false when nobody has the name. */
  reauthenticate(name: string): boolean {
    const { sessions } = this.#context;
    const all = sessions.allOf(name);
    for (const state of all) {
      if (sessions.isElsewhere(state)) this.#ask(ClaimKind.CredentialsAsked, state);
      else sessions.byMember(state.memberId)?.reauthenticate('new credentials are asked for');
    }
    return all.length > 0;
  }

  /** Has the process that holds a session do something. */
  #ask(
    kind: typeof ClaimKind.EvictionAsked | typeof ClaimKind.CredentialsAsked,
    { memberId: sender }: SessionState,
    room = '',
  ): void {
    const { log, options } = this.#context;
    log.append(claim(kind, { sender, room, at: options.clock.now() }, undefined));
  }

  /** Tells the log, so that the ban outlives the process where the log does. */
  #claimBan(ban: Ban, durationMs: number, name = ''): void {
    const { steady, options } = this.#context;
    const at = options.clock.now();
    const until = Number.isFinite(durationMs) ? { until: at + durationMs } : {};
    steady.append(claim(ClaimKind.Banned, { at, name: Buffer.from(name) }, { ...ban, ...until }));
  }

  #kick(name: string, kick: Kick): boolean {
    const { sessions } = this.#context;
    const told = { ...kick, reason: kick.reason || closeCodeInfo(kick.code).name };
    const all = sessions.allOf(name);
    for (const state of all) {
      if (sessions.isElsewhere(state)) claimKick(this.#context, state.memberId, told);
      else sessions.byMember(state.memberId)?.kick(told);
    }
    return all.length > 0;
  }
}
