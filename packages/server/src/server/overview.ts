/** What there is to be seen of a server: sessions, the users that they belong to, totals and gauges. */

import type { SessionState } from '../log/state/chat-state.js';
import { deviceOf, userOf } from '../log/state/session-number.js';
import type { SessionInfo } from '../options/hooks.js';
import type { Rooms } from '../room/rooms.js';
import type { Counters } from '../session/counters.js';
import type { Sessions } from '../session/sessions.js';

/** A member as an operator sees it. */
export interface MemberInfo extends SessionInfo {
  /** False while the session is away. Of one that another process holds: false when that process is gone. */
  readonly isConnected: boolean;
  /** Names of the rooms that it is in. */
  readonly rooms: readonly string[];
}

/** A user: a name, and the sessions under it. */
export interface UserInfo {
  readonly name: string;
  /** How many there are, those included that are away. */
  readonly sessions: number;
  /** Whether one of them is connected. */
  readonly isConnected: boolean;
  /** Names of the rooms that one of them is in. */
  readonly rooms: readonly string[];
}

/** Totals and gauges at one moment. */
export interface ServerStats extends Readonly<Omit<Counters, 'closes' | 'closed'>> {
  /** Connections that are open, those included that have not said a name yet. */
  readonly openConnections: number;
  /** Sessions that this process holds, those included that are away. */
  readonly sessions: number;
  /** Rooms that exist, empty ones included that are still kept. */
  readonly rooms: number;
  /** Bytes of history of all rooms. */
  readonly logBytes: number;
  /** Closed connections by close code. */
  readonly closes: ReadonlyMap<number, number>;
}

/** All sessions, those included that are away. Those that this process holds come first. */
export function membersOf({
  sessions,
  rooms,
}: {
  readonly sessions: Sessions;
  readonly rooms: Rooms;
}): MemberInfo[] {
  const held = Array.from(sessions, (session) => ({
    ...session.info,
    isConnected: session.peer !== undefined,
    rooms: Array.from(session.rooms.values(), ({ room }) => room.name),
  }));
  const others = new Map<number, SessionState & { readonly in: string[] }>();
  for (const state of sessions.everybody) {
    if (sessions.isElsewhere(state)) others.set(state.memberId, { ...state, in: [] });
  }
  if (others.size === 0) return held;
  for (const room of rooms.all) {
    for (const member of room.everybody.keys()) others.get(member)?.in.push(room.name);
  }
  return [...held, ...Array.from(others.values(), infoOf)];
}

function infoOf({ memberId, name, place, holder, in: rooms }: SessionState & { in: string[] }): MemberInfo {
  const { address = '', dialect = 'binary' } = place ?? {};
  const [id, device] = [userOf(memberId), deviceOf(memberId)];
  return {
    memberId: id,
    device,
    name,
    address,
    dialect,
    claims: undefined,
    isConnected: holder !== undefined,
    rooms,
  };
}

/** The users of these sessions, in the order in which they came. */
export function usersOf(sessions: readonly MemberInfo[]): UserInfo[] {
  const byName = new Map<string, UserInfo>();
  for (const { name, isConnected, rooms } of sessions) {
    const user = byName.get(name);
    byName.set(name, {
      name,
      sessions: (user?.sessions ?? 0) + 1,
      isConnected: isConnected || user?.isConnected === true,
      rooms: [...new Set([...(user?.rooms ?? []), ...rooms])],
    });
  }
  return [...byName.values()];
}

export function statsOf(
  {
    counters,
    rooms,
    sessions,
  }: { readonly counters: Counters; readonly rooms: Rooms; readonly sessions: Sessions },
  openConnections: number,
): ServerStats {
  return {
    ...counters,
    closes: new Map(counters.closes),
    openConnections,
    sessions: sessions.count,
    rooms: rooms.size,
    logBytes: rooms.logBytes,
  };
}

/** How far behind the reader is that is furthest behind, in bytes. */
export function maxLagBytesOf(sessions: Sessions): number {
  let most = 0;
  for (const session of sessions) {
    if (!session.peer) continue;
    for (const membership of session.rooms.values()) {
      most = Math.max(most, membership.room.log.lagBytes(membership));
    }
  }
  return most;
}
