/**
 * Once per turn of the event loop, every session that is behind gets what it has not seen.
 *
 * Whatever arrives within a turn only marks its room; when the turn ends each member gets one write of the
 * bytes between its cursor and the end. So N members cost N writes a turn, however many messages came in.
 *
 * What can wait is marked for later and rides along with whatever is sent first: the comings and goings of a
 * large room would otherwise cost a write to everybody each.
 */

import type { Clock } from '../time/clock.js';
import type { EntryReceiver, Membership, Room } from './room.js';

export class FanOut {
  readonly #clock: Clock;
  readonly #coalesceMs: number;
  #rooms: Room[] = [];
  /** Those that wait for later. */
  readonly #later = new Set<Room>();
  #peers = new Set<EntryReceiver>();
  #members: Membership[] = [];
  #scheduled = false;
  #closed = false;
  readonly #flush = (): void => this.flush();
  /** Told after each turn how long it took, in milliseconds. */
  onTurn: ((durationMs: number) => void) | undefined;
  /** Told that something new is in a room, when its members get it. Must not throw. */
  onRoom: ((room: Room) => void) | undefined;

  /** @param coalesceMs waits this long for more before sending; 0 sends at the end of the turn */
  constructor(clock: Clock, coalesceMs: number) {
    this.#clock = clock;
    this.#coalesceMs = coalesceMs;
  }

  /** Something new is in the room. */
  markDirty(room: Room): void {
    if (room.dirty) return;
    room.dirty = true;
    this.#rooms.push(room);
    this.#schedule();
  }

  /** Something new is in the room, and may take up to `delayMs` to get to its members. */
  markDirtyLater(room: Room, delayMs: number): void {
    if (room.dirty || room.waiting) return;
    room.waiting = true;
    this.#later.add(room);
    this.#clock.after(delayMs, () => {
      room.waiting = false;
      this.#later.delete(room);
      this.markDirty(room);
    });
  }

  /** There is something for one member of a room, whether or not the others wait. */
  markMemberDirty(membership: Membership): void {
    this.#members.push(membership);
    this.#schedule();
  }

  /** The peer has answers to send. */
  queueAnswers(peer: EntryReceiver): void {
    this.#peers.add(peer);
    this.#schedule();
  }

  /** Sends everything now, what waits for later as well: something that nobody should miss is about to go. */
  flushAll(): void {
    for (const room of this.#later) this.markDirty(room);
    this.flush();
  }

  /** Sends everything of this turn now. */
  flush(): void {
    this.#scheduled = false;
    const startedAt = this.onTurn ? performance.now() : 0;
    const rooms = this.#rooms;
    this.#rooms = [];
    for (const room of rooms) {
      room.dirty = false;
      room.unsentBytes = 0;
      room.unsentEntries = 0;
      for (const membership of room.members.values()) membership.member.peer?.deliver(membership);
      this.onRoom?.(room);
    }
    if (this.#members.length > 0) {
      const members = this.#members;
      this.#members = [];
      for (const membership of members) {
        const { room, member } = membership;
        // It may have left within the turn, and is owed nothing then.
        if (room.members.get(member.memberId) === membership) member.peer?.deliver(membership);
      }
    }
    if (this.#peers.size > 0) {
      const peers = this.#peers;
      this.#peers = new Set();
      for (const peer of peers) peer.flush();
    }
    this.onTurn?.(performance.now() - startedAt);
  }

  close(): void {
    this.#closed = true;
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    if (this.#coalesceMs > 0) this.#clock.after(this.#coalesceMs, this.#flush);
    else setImmediate(this.#flush);
  }
}
