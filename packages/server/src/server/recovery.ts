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

/** Direct messages that wait may be older than the tail: each session gets its own from the store. */
async function recallInboxes(
  context: RecoveryContext,
  store: EventStore,
  floorOf: (key: string) => number,
): Promise<void> {
  const { inboxBytes: maxBytes, inboxEntries: limit } = context.options;
  const recall = async (session: SessionState): Promise<void> => {
    const key = inboxKey(session.memberId);
    const floor = floorOf(key);
    if (floor === 0) return;
    const open = (after: number): Room =>
      context.sessions.byMember(session.memberId)?.openInbox(after).room ??
      context.elsewhere.inboxOf(session, after);
    try {
      const page = behindDamage(await store.read(key, { limit, maxBytes }));
      const { log } = open(page.previous);
      for (const entry of page.entries) if (isShown(entry)) log.append(entry, sinceOf(context, entry));
    } catch {
      // What the tail has of it is there, and a gap before that.
      open(floor);
    }
  };
  await Promise.all(Array.from(context.sessions.everybody, recall));
}

/** Knows a session that another process holds, or held. */
function keep(
  { addresses, elsewhere, log }: RecoveryContext,
  session: SessionState,
  floorOf: (key: string) => number,
): void {
  addresses.sessions.enter(session.place?.address ?? '');
  const floor = floorOf(inboxKey(session.memberId));
  if (floor > 0 && !log.store) elsewhere.inboxOf(session, floor);
}

/** Puts an entry of the past into its room, and answers for it to the one who sent it. */
function remember(context: RecoveryContext, entry: LogEntry, floorOf: (key: string) => number): void {
  if (!isShown(entry)) return;
  const { rooms, sessions, elsewhere } = context;
  const inboxOf = (member: number): Room | undefined => {
    const state = sessions.stateOf(member);
    if (state && sessions.isElsewhere(state)) return elsewhere.inboxOf(state);
    return sessions.byMember(member)?.openInbox(floorOf(entry.room)).room;
  };
  const member = inboxMember(entry.room);
  const room = member === undefined ? rooms.byKey(entry.room) : inboxOf(member);
  if (!room) {
    if (member === undefined) rooms.missed(entry.seq);
  } else if (entry.seq > room.log.lastSeq) room.log.append(entry, sinceOf(context, entry));
  if (entry.type !== FrameType.Message || entry.publishId === 0) return;
  const { publishId, seq, at } = entry;
  const sender = sessions.stateOf(entry.sender);
  if (sender && sessions.isElsewhere(sender)) elsewhere.published(entry);
  // All who were here are away after a restart.
  else sessions.byMember(entry.sender)?.publisher.record.remember(publishId, seq, at, member !== undefined);
}

/** Monotonic time at which an entry of the past began to be old. */
function sinceOf({ wheel, options }: RecoveryContext, { at }: LogEntry): number {
  return wheel.now - Math.max(0, options.clock.now() - at);
}
