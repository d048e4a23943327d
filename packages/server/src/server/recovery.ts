/**
 * What a server is again when its log has outlived the process: the same rooms, members, names and bans, and the newest
 * of the history. Sessions are away, and have a whole resume window to come back.
 */
import { FrameType } from '@chat/protocol/frames';
import type { InputAccounts } from '../limits/input-account.js';
import { inboxMember, isShown, type LogEntry } from '../log/entry.js';
import type { Recovered } from '../log/event-log.js';
import type { ChatState } from '../log/state/chat-state.js';
import type { Room } from '../room/room.js';
import type { SessionContext } from '../session/context.js';
import { Session } from '../session/session.js';
import type { Sessions } from '../session/sessions.js';

/** What recovery needs of the server. */
export interface RecoveryContext extends SessionContext {
  readonly sessions: Sessions;
  readonly accounts: InputAccounts;
}

/** Takes over what the log knows. To be called once, before the first entry comes. */
export function recover(context: RecoveryContext, state: ChatState, { state: known, tail }: Recovered): void {
  if (!known) return;
  const { rooms, sessions, bans, wheel, accounts, options } = context;
  state.load(known);
  bans.changed(state.bans, state.bans.keys(), options.clock);
  // What is older than the tail is not in the heap: positions before it are answered with a gap.
  const floor = tail.length > 0 ? tail[0]!.seq - 1 : state.position;
  const placesOf = new Map<number, Room[]>();
  for (const roomState of state.rooms.values()) {
    const room = rooms.opened(roomState, floor);
    for (const member of roomState.members.keys()) {
      const places = placesOf.get(member);
      if (places) places.push(room);
      else placesOf.set(member, [room]);
    }
  }
  for (const sessionState of state.sessions.values()) {
    sessions.recovered(new Session(context, sessionState, { input: accounts.open('') }));
  }
  for (const entry of tail) remember(context, entry, wheel.now - Math.max(0, options.clock.now() - entry.at));
  for (const session of [...sessions]) {
    const places = (placesOf.get(session.memberId) ?? []).map((room) => ({
      room,
      joinedSeq: state.rooms.get(room.key)!.members.get(session.memberId)!,
    }));
    session.recover(places);
  }
}

/** Puts an entry of the past into its room, and answers for it to the one who sent it. */
function remember({ rooms, sessions }: RecoveryContext, entry: LogEntry, since: number): void {
  if (!isShown(entry)) return;
  const member = inboxMember(entry.room);
  const room = member === undefined ? rooms.byKey(entry.room) : sessions.byMember(member)?.openInbox().room;
  if (room) room.log.append(entry, since);
  else if (member === undefined) rooms.missed(entry.seq);
  if (entry.type !== FrameType.Message || entry.publishId === 0) return;
  sessions.byMember(entry.sender)?.publisher.remember(entry.publishId, entry.seq, entry.at);
}
