/** The part of the rule of `apply-entry.ts` that is about claims. */
import { looks } from '../../names/names.js';
import { type Ban, claimFields } from '../claims.js';
import { ClaimKind, type LogEntry } from '../entry.js';
import { applyDecision, giveOwner } from './apply-decision.js';
import { banKey, banKeys, type ChatState, type RoomState, type SessionState } from './chat-state.js';
import { ignored, isHeldElsewhere, type Outcome } from './outcome.js';
import { blockScope, personOf } from './rules.js';
import { userOf } from './session-number.js';
import { isTalk } from './users/read-positions.js';

/** @param from the process that appended it */
export function applyClaim(state: ChatState, entry: LogEntry, from: number): Outcome {
  const { kind, sender, room: key } = entry;
  switch (kind as ClaimKind) {
    case ClaimKind.SessionOpened: {
      const wanted = decode(entry.name);
      if (isBanned(state, wanted, entry.at)) return ignored('banned');
      const fields = claimFields(ClaimKind.SessionOpened, entry.body);
      const { id, secretHash, clientHash, account, isFurther, isResumable, place } = fields;
      const user = isFurther && account !== undefined ? state.userOfAccount(account) : undefined;
      const [{ name } = { name: wanted }] = user ? user.sessions.values() : [];
      if (!user && state.holderOf(name)) return ignored('name-taken');
      const memberId = user ? state.nextNumber(user) : ++state.lastMember;
      if (memberId === undefined) return ignored('name-taken');
      const session = {
        memberId,
        id,
        name,
        secretHash,
        clientHash,
        account,
        isResumable,
        lastPublish: 0,
        // Where one process has the log for itself, nobody asks.
        ...(from === 0 ? {} : { holder: from, place }),
      };
      state.addSession(session);
      return { kind: 'session-opened', session };
    }
    case ClaimKind.SessionRenamed: {
      const session = state.sessions.get(sender);
      if (!session) return ignored('no-such-session');
      if (isHeldElsewhere(session, from)) return ignored('held-elsewhere');
      const name = decode(entry.name);
      if (!state.tryRename(session, name)) return ignored('name-taken');
      return { kind: 'session-renamed', session };
    }
    case ClaimKind.SessionEnded: {
      const session = state.sessions.get(sender);
      if (!session) return ignored('no-such-session');
      if (isHeldElsewhere(session, from)) return ignored('held-elsewhere');
      return { kind: 'session-ended', session, ...end(state, session) };
    }
    case ClaimKind.SessionKicked: {
      const session = state.sessions.get(sender);
      if (!session) return ignored('no-such-session');
      const { code, reason, until, banned = [] } = claimFields(ClaimKind.SessionKicked, entry.body);
      const { id, secretHash, clientHash } = session;
      const kick = { position: entry.seq, id, secretHash, clientHash, code, reason, banned, until };
      state.addKick(kick, entry.at);
      return { kind: 'session-kicked', session, ...end(state, session), kick };
    }
    case ClaimKind.SessionTaken: {
      const session = state.sessions.get(sender);
      if (!session) return ignored('no-such-session');
      const place = claimFields(ClaimKind.SessionTaken, entry.body);
      const { holder: former, place: formerPlace } = session;
      // protocol.md, "Beginning": a hello that was held up on its way undoes nothing that came after it.
      if ((place.attempt ?? Number.POSITIVE_INFINITY) <= (formerPlace?.attempt ?? 0))
        return ignored('outdated');
      session.place = { ...place, attempt: place.attempt ?? formerPlace?.attempt };
      state.hold(session, from, entry.at);
      return { kind: 'session-taken', session, former, place: formerPlace };
    }
    case ClaimKind.EvictionAsked:
    case ClaimKind.CredentialsAsked: {
      const session = state.sessions.get(sender);
      if (!session) return ignored('no-such-session');
      return { kind: kind === ClaimKind.EvictionAsked ? 'eviction-asked' : 'credentials-asked', session };
    }
    case ClaimKind.Barrier:
      return { kind: 'barrier' };
    case ClaimKind.ProcessCame:
      if (state.processes.has(from)) return ignored('process-exists');
      state.processes.add(from);
      return { kind: 'process-came', process: from };
    case ClaimKind.ProcessGone: {
      const { process } = claimFields(ClaimKind.ProcessGone, entry.body);
      if (!state.processes.delete(process)) return ignored('no-such-process');
      const sessions = [...state.sessions.values()].filter(({ holder }) => holder === process);
      for (const session of sessions) state.hold(session, undefined, entry.at);
      return { kind: 'process-gone', process, sessions };
    }
    case ClaimKind.RoomOpened: {
      if (state.rooms.has(key)) return ignored('room-exists');
      const room = {
        handle: ++state.lastRoom,
        key,
        name: decode(entry.name),
        members: new Map(),
        further: 0,
      };
      state.rooms.set(key, room);
      giveOwner(state, key, sender);
      return { kind: 'room-opened', room };
    }
    case ClaimKind.RoomForgotten: {
      const room = state.rooms.get(key);
      if (!room) return ignored('no-such-room');
      const { handle = room.handle } = claimFields(ClaimKind.RoomForgotten, entry.body) ?? {};
      if (handle !== room.handle) return ignored('room-exists');
      if (room.members.size > 0) return ignored('room-in-use');
      state.rooms.delete(key);
      state.rules.forgotten(key);
      state.reads.forgotten(key);
      return { kind: 'room-forgotten', room };
    }
    case ClaimKind.Banned: {
      const ban = claimFields(ClaimKind.Banned, entry.body);
      const { until = Number.POSITIVE_INFINITY } = ban;
      const keys = banKeys(ban);
      for (const [key, end] of state.bans) if (end <= entry.at) state.bans.delete(key);
      for (const banned of keys) state.bans.set(banned, until);
      listBan(state, entry, ban, keys);
      return { kind: 'banned', keys };
    }
    case ClaimKind.Unbanned: {
      const ended = banKeys(claimFields(ClaimKind.Unbanned, entry.body));
      const pardoned = [...state.kicks.values()].filter(({ banned }) =>
        banned.some((key) => ended.includes(key)),
      );
      for (const { position } of pardoned) state.kicks.delete(position);
      state.rules.pardon('', 'ban', ended);
      return { kind: 'unbanned', keys: ended.filter((key) => state.bans.delete(key)), ended, pardoned };
    }
    case ClaimKind.ReadUpTo:
      return applyRead(state, entry, from);
    case ClaimKind.BlocksChanged:
      return applyBlocks(state, entry, from);
    case ClaimKind.Moderated:
      return applyDecision(state, entry, claimFields(ClaimKind.Moderated, entry.body));
    default:
      // Of a newer version: passed over, by everybody alike.
      return ignored('unknown-claim');
  }
}

/** Somebody with an account has read further; a guest is one session, and knows by itself. */
function applyRead(state: ChatState, entry: LogEntry, from: number): Outcome {
  const session = state.sessions.get(entry.sender);
  if (session?.account === undefined) return ignored('no-such-session');
  if (isHeldElsewhere(session, from)) return ignored('held-elsewhere');
  const { account } = session;
  const reads = claimFields(ClaimKind.ReadUpTo, entry.body)
    .reads.filter(([place, seq]) => seq < entry.seq && (isTalk(place) || state.rooms.has(place)))
    // The order in which they are let go of, should they become too many.
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .filter(([place, seq]) => state.reads.note({ account, place, seq, changed: entry.seq }));
  return reads.length === 0 ? ignored('outdated') : { kind: 'read', session, reads };
}

function applyBlocks(state: ChatState, { sender, seq, at, body }: LogEntry, from: number): Outcome {
  const session = state.sessions.get(sender);
  if (!session) return ignored('no-such-session');
  if (isHeldElsewhere(session, from)) return ignored('held-elsewhere');
  const { block, unblock } = claimFields(ClaimKind.BlocksChanged, body);
  const scope = blockScope(personOf(session));
  if (block) state.rules.impose(scope, seq, { kind: 'block', ...block, by: session.name, at });
  if (unblock) state.rules.pardon(scope, 'block', unblock);
  return { kind: 'blocks-changed', session };
}

/** Bans of which it is known what was given are in the list of those of the server. */
function listBan(
  { rules }: ChatState,
  { at, seq }: LogEntry,
  { target, by = '', until, reason }: Ban,
  keys: readonly string[],
): void {
  if (target === undefined) return;
  const more = { ...(until === undefined ? {} : { until }), ...(reason === undefined ? {} : { reason }) };
  rules.impose('', seq, { kind: 'ban', target, by, at, ...more, keys });
}

function isBanned({ bans }: ChatState, name: string, at: number): boolean {
  return bans.size > 0 && looks(name).some((look) => (bans.get(banKey('look', look)) ?? 0) > at);
}

/** Takes a session out of everything; answers the rooms that it was in, and those that its user is in no more. */
function end(
  state: ChatState,
  session: SessionState,
): { readonly rooms: readonly RoomState[]; readonly left: readonly RoomState[] } {
  const rooms = state.roomsOf(session.memberId);
  for (const room of rooms) state.leave(room, session.memberId);
  const left = rooms.filter((room) => !state.isUserIn(room, userOf(session.memberId)));
  state.removeSession(session);
  return { rooms, left };
}

function decode(name: Uint8Array): string {
  return new TextDecoder().decode(name);
}
