/**
 * The rule by which entries change the state: state and entry in, state and outcome out. It is asked in the order of the
 * log, once for each entry, by everybody who reads the log, and all come to the same answer.
 */
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { looks } from '../../names/names.js';
import { type Ban, claimFields } from '../claims.js';
import { CLAIM, ClaimKind, inboxMember, type LogEntry } from '../entry.js';
import { banKey, type ChatState } from './chat-state.js';
import type { Outcome, VoidReason } from './outcome.js';

// The outcomes of most entries: they are made once.
const SHOWN: Outcome = { kind: 'shown' };
const REPEATED: Outcome = { kind: 'repeated' };
const NO_READER: Outcome = { kind: 'void', reason: 'no-such-session' };

/** Applies the entry that comes next; `state` is changed. */
export function applyEntry(state: ChatState, entry: LogEntry): Outcome {
  state.position = entry.seq;
  if (entry.type === FrameType.Message) return applyMessage(state, entry);
  return entry.type === CLAIM ? applyClaim(state, entry) : applyNotice(state, entry);
}

function applyMessage(state: ChatState, { room, sender, publishId }: LogEntry): Outcome {
  // What the program around the server says is no publish of a session.
  const session = publishId === 0 ? undefined : state.sessions.get(sender);
  if (session) {
    if (publishId <= session.lastPublish) return REPEATED;
    session.lastPublish = publishId;
  }
  const reader = inboxMember(room);
  return reader === undefined || state.sessions.has(reader) ? SHOWN : NO_READER;
}

function applyNotice(state: ChatState, { kind, room: key, sender, seq }: LogEntry): Outcome {
  const room = state.rooms.get(key);
  switch (kind) {
    case NoticeKind.Joined:
      if (!state.sessions.has(sender)) return ignored('no-such-session');
      if (!room) return ignored('no-such-room');
      if (room.members.has(sender)) return ignored('already-in-room');
      state.enter(room, sender, seq);
      return { kind: 'joined', room, member: sender };
    case NoticeKind.Left:
    case NoticeKind.Gone:
      // Shown in any case: a member may have ended while it was on its way into the room.
      if (room) state.leave(room, sender);
      return { kind: 'left', room, member: sender };
    default:
      return SHOWN;
  }
}

function applyClaim(state: ChatState, entry: LogEntry): Outcome {
  const { kind, sender, room: key } = entry;
  switch (kind as ClaimKind) {
    case ClaimKind.SessionOpened: {
      const name = decode(entry.name);
      if (isBanned(state, name, entry.at)) return ignored('banned');
      if (state.names.find(name)) return ignored('name-taken');
      const fields = claimFields(ClaimKind.SessionOpened, entry.body);
      const { id, secretHash, clientHash, account, isResumable } = fields;
      const memberId = ++state.lastMember;
      const session = {
        memberId,
        id,
        name,
        secretHash,
        clientHash,
        account,
        isResumable,
        lastPublish: 0,
      };
      state.addSession(session);
      return { kind: 'session-opened', session };
    }
    case ClaimKind.SessionRenamed: {
      const session = state.sessions.get(sender);
      if (!session) return ignored('no-such-session');
      const name = decode(entry.name);
      if (!state.names.tryRename(session.name, name, session)) return ignored('name-taken');
      session.name = name;
      return { kind: 'session-renamed', session };
    }
    case ClaimKind.SessionEnded: {
      const session = state.sessions.get(sender);
      if (!session) return ignored('no-such-session');
      state.removeSession(session);
      const rooms = state.roomsOf(sender);
      for (const room of rooms) state.leave(room, sender);
      return { kind: 'session-ended', session, rooms };
    }
    case ClaimKind.RoomOpened: {
      if (state.rooms.has(key)) return ignored('room-exists');
      const room = { handle: ++state.lastRoom, key, name: decode(entry.name), members: new Map() };
      state.rooms.set(key, room);
      return { kind: 'room-opened', room };
    }
    case ClaimKind.RoomForgotten: {
      const room = state.rooms.get(key);
      if (!room) return ignored('no-such-room');
      if (room.members.size > 0) return ignored('room-in-use');
      state.rooms.delete(key);
      return { kind: 'room-forgotten', room };
    }
    case ClaimKind.Banned: {
      const ban = claimFields(ClaimKind.Banned, entry.body);
      const { until = Number.POSITIVE_INFINITY } = ban;
      const keys = banKeys(ban);
      for (const [key, end] of state.bans) if (end <= entry.at) state.bans.delete(key);
      for (const banned of keys) state.bans.set(banned, until);
      return { kind: 'banned', keys };
    }
    case ClaimKind.Unbanned: {
      const keys = banKeys(claimFields(ClaimKind.Unbanned, entry.body)).filter((banned) =>
        state.bans.delete(banned),
      );
      return { kind: 'unbanned', keys };
    }
    default:
      // Of a newer version: passed over, by everybody alike.
      return ignored('unknown-claim');
  }
}

function isBanned({ bans }: ChatState, name: string, at: number): boolean {
  return bans.size > 0 && looks(name).some((look) => (bans.get(banKey('look', look)) ?? 0) > at);
}

function banKeys(ban: Ban): string[] {
  return [
    ...ban.looks.map((look) => banKey('look', look)),
    ...ban.addresses.map((key) => banKey('address', key)),
  ];
}

function ignored(reason: VoidReason): Outcome {
  return { kind: 'void', reason };
}

function decode(name: Uint8Array): string {
  return new TextDecoder().decode(name);
}
