/**
 * What a server is again when its log has outlived the process: the same rooms, members, names and bans, and the newest
 * of the history. Sessions are away, and have a whole resume window to come back. Where the log is shared, and others
 * hold the sessions, it is the same but for these.
 */
import { FrameType } from '@chat/protocol/frames';
import type { InputAccounts } from '../limits/input-account.js';
import { inboxKey, inboxMember, isShown, type LogEntry } from '../log/entry.js';
import type { EventStore, Recovered } from '../log/event-log.js';
import type { ChatState, SessionState } from '../log/state/chat-state.js';
import { userOf } from '../log/state/session-number.js';
import { behindDamage } from '../log/stored-history.js';
import type { Room } from '../room/room.js';
import type { SessionContext } from '../session/context.js';
import { Session } from '../session/session.js';
import type { Sessions } from '../session/sessions.js';
import type { SessionsElsewhere } from '../session/shared/elsewhere.js';

/** What recovery needs of the server. */
export interface RecoveryContext extends SessionContext {
  readonly sessions: Sessions;
  readonly elsewhere: SessionsElsewhere;
  readonly accounts: InputAccounts;
}

/** Takes over what the log knows. To be called once, before the first entry comes. */
export async function recover(
  context: RecoveryContext,
  state: ChatState,
  { state: known, tail, floors }: Recovered,
): Promise<void> {
  if (!known) return;
  const { rooms, sessions, bans, accounts, options } = context;
  state.load(known);
  bans.changed(state.bans, state.bans.keys(), options.clock);
  for (const kick of state.kicks.values()) context.kicked.remember(kick, options);
  const floorOf = (key: string): number => floors.get(key) ?? 0;
  const placesOf = new Map<number, Room[]>();
  for (const roomState of state.rooms.values()) {
    const room = rooms.opened(roomState, floorOf(roomState.key));
    for (const member of roomState.members.keys()) {
      const places = placesOf.get(member);
      if (places) places.push(room);
      else placesOf.set(member, [room]);
    }
  }
  for (const sessionState of state.sessions.values()) {
    if (sessions.isElsewhere(sessionState)) {
      keep(context, sessionState, floorOf);
      continue;
    }
    sessions.recovered(new Session(context, sessionState, { input: accounts.open('') }));
  }
  const { store } = context.log;
  if (store) await recallInboxes(context, store, floorOf);
  for (const entry of tail) remember(context, entry, floorOf);
  for (const session of [...sessions]) {
    const places = (placesOf.get(session.memberId) ?? []).map((room) => ({
      room,
      joinedSeq: state.rooms.get(room.key)!.members.get(session.memberId)!,
    }));
    session.recover(places);
  }
}

/** Direct messages that wait may be older than the tail: each user gets its own from the store. */
async function recallInboxes(
  context: RecoveryContext,
  store: EventStore,
  floorOf: (key: string) => number,
): Promise<void> {
  const { inboxBytes: maxBytes, inboxEntries: limit } = context.options;
  const recall = async (user: number): Promise<void> => {
    const key = inboxKey(user);
    const floor = floorOf(key);
    if (floor === 0) return;
    const open = (after: number): Room => openInbox(context, user, after);
    try {
      const page = behindDamage(await store.read(key, { limit, maxBytes }));
      const { log } = open(page.previous);
      for (const entry of page.entries) if (isShown(entry)) log.append(entry, sinceOf(context, entry));
    } catch {
      // What the tail has of it is there, and a gap before that.
      open(floor);
    }
  };
  const users = new Set(Array.from(context.sessions.everybody, ({ memberId }) => userOf(memberId)));
  await Promise.all(Array.from(users, recall));
}

/** The inbox of a user; each of its sessions that are held here reads what comes behind what is in it. */
function openInbox({ sessions, inboxes }: RecoveryContext, user: number, floor: number): Room {
  const states = sessions.ofUser(user);
  for (const { memberId } of states) sessions.byMember(memberId)?.openInbox(floor);
  return inboxes.open(user, states[0]?.place?.address ?? '', floor).room;
}

/** Knows a session that another process holds, or held. */
function keep(
  context: RecoveryContext,
  { memberId, place }: SessionState,
  floorOf: (key: string) => number,
): void {
  context.addresses.sessions.enter(place?.address ?? '');
  const user = userOf(memberId);
  const floor = floorOf(inboxKey(user));
  if (floor > 0 && !context.log.store) openInbox(context, user, floor);
}

/** Puts an entry of the past into its room, and answers for it to the one who sent it. */
function remember(context: RecoveryContext, entry: LogEntry, floorOf: (key: string) => number): void {
  if (!isShown(entry)) return;
  const { rooms, sessions, elsewhere } = context;
  const inboxOf = (user: number): Room | undefined =>
    sessions.ofUser(user).length === 0 ? undefined : openInbox(context, user, floorOf(entry.room));
  const member = inboxMember(entry.room);
  const room = member === undefined ? rooms.byKey(entry.room) : inboxOf(member);
  if (!room) {
    if (member === undefined) rooms.missed(entry.seq);
  } else if (entry.seq > room.log.lastSeq) room.log.append(entry, sinceOf(context, entry));
  if (entry.type !== FrameType.Message || entry.publishId === 0) return;
  const { publishId, seq, at } = entry;
  const sender = sessions.stateOf(entry.sender);
  // Of a former session of the same user, which had the same number.
  if (sender && publishId > sender.lastPublish) return;
  if (sender && sessions.isElsewhere(sender)) elsewhere.published(entry);
  // All who were here are away after a restart.
  else sessions.byMember(entry.sender)?.publisher.record.remember(publishId, seq, at, member !== undefined);
}

/** Monotonic time at which an entry of the past began to be old. */
function sinceOf({ wheel, options }: RecoveryContext, { at }: LogEntry): number {
  return wheel.now - Math.max(0, options.clock.now() - at);
}
