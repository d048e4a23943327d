/**
 * The rule by which entries change the state: state and entry in, state and outcome out. It is asked in the order of the
 * log, once for each entry, by everybody who reads the log, and all come to the same answer.
 *
 * Where several processes share the log, a session is held by one of them at a time, and entries of it that another one
 * appended do not count; neither do those of a process that is not here. So a process that was given up may still append
 * what it likes. What a newer version appends, and this one does not know, is passed over: it has its position, and
 * changes nothing.
 */
import { jsonCodec } from '@chat/protocol';
import { type Edited, FrameType, NoticeKind, type Reacted, type TakenBack } from '@chat/protocol/frames';
import { CLAIM, ClaimKind, inboxMember, type LogEntry, SIGNAL } from '../entry.js';
import { applyClaim } from './apply-claim.js';
import type { ChatState } from './chat-state.js';
import { ignored, isHeldElsewhere, type Outcome } from './outcome.js';
import { userOf } from './session-number.js';

// The outcomes of most entries: they are made once.
const SHOWN: Outcome = { kind: 'shown' };
const REPEATED: Outcome = { kind: 'repeated' };
const NO_READER: Outcome = { kind: 'void', reason: 'no-such-session' };
const BLOCKED: Outcome = { kind: 'void', reason: 'blocked' };
const MUTED: Outcome = { kind: 'void', reason: 'muted' };
const SIGNALLED: Outcome = { kind: 'signal' };

/**
 * Applies the entry that comes next; `state` is changed.
 *
 * @param from the process that appended it; 0 where there is but one
 */
export function applyEntry(state: ChatState, entry: LogEntry, from = 0): Outcome {
  state.position = entry.seq;
  if (from !== 0 && !state.processes.has(from) && !isArrival(entry)) return ignored('no-such-process');
  switch (entry.type) {
    case FrameType.Message:
      return applyMessage(state, entry, from);
    case FrameType.Notice:
      return applyNotice(state, entry, from);
    case CLAIM:
      return applyClaim(state, entry, from);
    case SIGNAL:
      return SIGNALLED;
    default:
      return ignored('unknown-entry');
  }
}

function isArrival({ type, kind }: LogEntry): boolean {
  return type === CLAIM && kind === ClaimKind.ProcessCame;
}

function applyMessage(state: ChatState, { room, sender, publishId, at }: LogEntry, from: number): Outcome {
  // What the program around the server says is no publish of a session.
  const session = publishId === 0 ? undefined : state.sessions.get(sender);
  if (session) {
    if (isHeldElsewhere(session, from)) return ignored('held-elsewhere');
    if (publishId <= session.lastPublish) return REPEATED;
    session.lastPublish = publishId;
    const to = inboxMember(room);
    if (state.rules.muteOf(session, to === undefined ? room : undefined, at)) return MUTED;
    const person = to === undefined ? undefined : state.personOfUser(to);
    if (person !== undefined && state.rules.blocks(person, session, at)) return BLOCKED;
  }
  const reader = inboxMember(room);
  return reader === undefined || state.hasUser(reader) ? SHOWN : NO_READER;
}

function applyNotice(state: ChatState, entry: LogEntry, from: number): Outcome {
  const { kind, room: key, sender, seq } = entry;
  const room = state.rooms.get(key);
  const session = state.sessions.get(sender);
  if (session && isHeldElsewhere(session, from)) return ignored('held-elsewhere');
  switch (kind) {
    case NoticeKind.Joined: {
      if (!session) return ignored('no-such-session');
      if (!room) return ignored('no-such-room');
      if (room.members.has(sender)) return ignored('already-in-room');
      const isThere = state.isUserIn(room, userOf(sender));
      state.enter(room, sender, seq);
      return { kind: isThere ? 'also-joined' : 'joined', room, member: sender };
    }
    case NoticeKind.Left:
    case NoticeKind.Gone:
      // Shown in any case: a member may have ended while it was on its way into the room.
      if (!room) return { kind: 'left', room, member: sender };
      state.leave(room, sender);
      return { kind: state.isUserIn(room, userOf(sender)) ? 'also-left' : 'left', room, member: sender };
    case NoticeKind.TakenBack: {
      const by = new TextDecoder().decode(entry.name);
      const { seq: position } = jsonCodec.decode(entry.body) as TakenBack;
      return { kind: 'corrected', seq: position, change: { what: 'taken-back', by } };
    }
    case NoticeKind.Edited: {
      const { seq: position, ...edited } = jsonCodec.decode(entry.body) as Edited;
      return { kind: 'corrected', seq: position, change: { what: 'edited', ...edited } };
    }
    case NoticeKind.Reacted: {
      // One that was muted meanwhile does not react any more, nor does one that has left.
      if (sender !== 0 && !room?.members.has(sender)) return ignored('no-such-session');
      if (session && state.rules.muteOf(session, key, entry.at)) return MUTED;
      const { seq: position, reaction, removed, maxBytes } = jsonCodec.decode(entry.body) as Reacted;
      const name = new TextDecoder().decode(entry.name);
      const by = { id: userOf(sender), name, account: session?.account };
      const change = { what: 'reacted', by, reaction, maxBytes, ...(removed ? { removed } : {}) } as const;
      return { kind: 'corrected', seq: position, change };
    }
    default:
      return SHOWN;
  }
}
