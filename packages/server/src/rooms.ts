/**
 * All rooms. A room comes into being with its first member and goes away, with its history, some time after
 * its last one left.
 */
import { type RoomInfo, roomKey } from '@chat/protocol';
import type { Retention } from './log/byte-log.js';
import { Room } from './room.js';
import type { TimerEntry, TimerWheel } from './timer-wheel.js';

/** What the directory of rooms needs to know. */
export interface RoomsOptions {
  readonly maxRooms: number;
  readonly emptyRoomTtlMs: number;
  readonly retention: Retention;
  readonly maxLogBytes: number;
}

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #wheel: TimerWheel;
  readonly #rooms = new Map<string, Room>();
  readonly #leases = new Map<Room, TimerEntry>();
  #handles = 0;
  #logBytes = 0;

  constructor(options: RoomsOptions, wheel: TimerWheel) {
    this.#options = options;
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#rooms.size;
  }

  /** Bytes of history in all rooms, as far as they were accounted. */
  get logBytes(): number {
    return this.#logBytes;
  }

  find(name: string): Room | undefined {
    return this.#rooms.get(roomKey(name));
  }

  byKey(key: string): Room | undefined {
    return this.#rooms.get(key);
  }

  /** The room of that name, made if there is space for one more; `undefined` if not. */
  open(name: string): Room | undefined {
    const key = roomKey(name);
    const known = this.#rooms.get(key);
    if (known) return known;
    if (this.#rooms.size >= this.#options.maxRooms) return undefined;
    const room = new Room(name, key, ++this.#handles, this.#options.retention);
    this.#rooms.set(key, room);
    this.release(room);
    return room;
  }

  /** Whether {@link Rooms.account} will have to drop something of a room that grew. */
  isFull(room: Room, bytesBefore: number): boolean {
    return this.#logBytes + room.log.bytes - bytesBefore > this.#options.maxLogBytes;
  }

  /** Keeps the total of all histories within its bound, at the cost of the room that grew. */
  account(room: Room, bytesBefore: number): void {
    this.#logBytes += room.log.bytes - bytesBefore;
    while (this.#logBytes > this.#options.maxLogBytes) {
      const freed = room.log.shed();
      if (freed === 0) return;
      this.#logBytes -= freed;
    }
  }

  /** Says that nobody may be in the room any more: after a while without members it is forgotten. */
  release(room: Room): void {
    if (room.members.size > 0 || this.#leases.has(room)) return;
    const lease = this.#wheel.schedule(
      {
        expire: () => {
          this.#leases.delete(room);
          if (room.members.size === 0) this.#forget(room);
          return undefined;
        },
      },
      this.#options.emptyRoomTtlMs,
    );
    this.#leases.set(room, lease);
  }

  /** Drops entries that are too old, in all rooms. */
  expire(now: number): void {
    for (const room of this.#rooms.values()) {
      const before = room.log.bytes;
      room.log.expire(now);
      this.#logBytes += room.log.bytes - before;
    }
  }

  /**
   * Up to `limit` rooms that have members, by name, beginning behind the cursor, as far as their JSON stays
   * within `maxBytes`.
   */
  list(
    prefix: string,
    limit: number,
    maxBytes: number,
    after = '',
  ): { readonly rooms: RoomInfo[]; readonly cursor?: string } {
    const key = roomKey(prefix);
    const matching = [...this.#rooms.values()]
      .filter((room) => room.members.size > 0 && room.key.startsWith(key) && room.key > after)
      .sort((left, right) => (left.key < right.key ? -1 : 1));
    const rooms: RoomInfo[] = [];
    let bytes = 0;
    let cursor = after;
    for (const room of matching) {
      const info = { room: room.name, memberCount: room.members.size };
      bytes += Buffer.byteLength(JSON.stringify(info)) + 1;
      if (rooms.length === limit || bytes > maxBytes) return { rooms, cursor };
      rooms.push(info);
      cursor = room.key;
    }
    return { rooms };
  }

  #forget(room: Room): void {
    this.#logBytes -= room.log.bytes;
    room.log.clear();
    this.#rooms.delete(room.key);
  }
}
