/**
 * All rooms. A room comes into being with its first member and goes away, with its history, some time after
 * its last one left. One address makes so many and no more; the place of the lobby is never taken.
 */
import { type Failure, FailureCode, LOBBY, MAX_NAME_BYTES, roomKey } from '@chat/protocol';
import type { RoomInfo } from '@chat/protocol/frames';
import { type AddressLimit, addressKey } from '../limits/addresses/address-limit.js';
import type { Retention } from '../log/byte-log.js';
import { claim } from '../log/claims.js';
import { ClaimKind, isShown, type Origin } from '../log/entry.js';
import type { EventLog, EventStore, StoredPage } from '../log/event-log.js';
import { LogBudget, type LogShare } from '../log/log-budget.js';
import type { RoomState } from '../log/state/chat-state.js';
import { behindDamage } from '../log/stored-history.js';
import { RoomLooks } from '../names/names.js';
import type { Awaitable } from '../options/hooks.js';
import type { ResolvedOptions } from '../options/options.js';
import type { Clock } from '../time/clock.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import { type MembersPage, Room } from './room.js';

/** What the directory of rooms needs to know. */
export type RoomsOptions = Pick<
  ResolvedOptions,
  | 'clock'
  | 'maxRooms'
  | 'emptyRoomTtlMs'
  | 'maxLogBytes'
  | 'retentionBytes'
  | 'retentionEntries'
  | 'retentionMs'
>;

/** Rooms that one page of the list looks at, at the most. */
const MAX_LOOKED_AT = 1000;
const LOBBY_KEY = roomKey(LOBBY);
/** A room that is made again begins with so much of what the store has of it. */
const RECALLED_ENTRIES = 1000;
const RECALLED_BYTES = 262_144;
const GONE_AGAIN: Failure = { code: FailureCode.Internal, message: 'the room was forgotten meanwhile' };

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #clock: Clock;
  readonly #log: EventLog;
  readonly #wheel: TimerWheel;
  readonly #people: ReadonlyMap<number, { readonly name: string }>;
  readonly #rooms = new Map<string, Room>();
  readonly #looks = new RoomLooks();
  /** Keys in order, for {@link Rooms.list}: whoever asks for pages again and again must not make us sort each time. */
  readonly #keys: string[] = [];
  /** When a room may be forgotten if it is empty then: those that emptied first come first. */
  readonly #leases = new Map<Room, number>();
  /** Rooms by the addresses that made them. */
  readonly #makers: AddressLimit | undefined;
  /** The bytes of all histories, inboxes included. */
  readonly budget: LogBudget = new LogBudget();
  /** Rooms that are on their way through the log; the lobby is not counted. */
  #underway = 0;
  /** What was said in rooms that are made again, by key, until they are. */
  readonly #pasts = new Map<string, StoredPage>();
  /** Keys of rooms that the log is asked to forget. */
  readonly #forgetting = new Set<string>();
  /** Addresses of those who make rooms that are not in the log yet, by key. */
  readonly #making = new Map<string, string>();
  /**
   * The newest entry of all rooms that were forgotten. A room that is made may have been before, and what it had is
   * not remembered for each: it begins here, so that an older position in it is answered with a gap.
   */
  #forgottenSeq = 0;
  /** Told that a room was made, with what is known of it. Must not throw. */
  onOpened: ((room: Room) => void) | undefined;
  /** Told that a room is about to be forgotten. Must not throw. */
  onForgotten: ((room: Room) => void) | undefined;
  /** Rooms that lists have looked at so far, for what it cost. */
  lookedAt = 0;

  /**
   * @param makers counts rooms by the addresses that made them
   * @param people everybody who is here, by member id
   */
  constructor(
    options: RoomsOptions,
    log: EventLog,
    wheel: TimerWheel,
    makers?: AddressLimit,
    people: ReadonlyMap<number, { readonly name: string }> = new Map(),
  ) {
    this.#people = people;
    this.#options = options;
    this.#clock = options.clock;
    this.#log = log;
    this.#wheel = wheel;
    this.#makers = makers;
  }

  get size(): number {
    return this.#rooms.size;
  }

  /** Bytes of history in all rooms and inboxes. */
  get logBytes(): number {
    return this.budget.bytes;
  }

  /** All of them, those that are empty included. */
  get all(): Iterable<Room> {
    return this.#rooms.values();
  }

  /** Whether one more may be made. The lobby is there for all, and does not count. */
  get hasSpace(): boolean {
    const others = this.#rooms.size - (this.#rooms.has(LOBBY_KEY) ? 1 : 0);
    return others + this.#underway < this.#options.maxRooms;
  }

  find(name: string): Room | undefined {
    if (isTooLong(name)) return undefined;
    const key = roomKey(name);
    return this.#forgetting.has(key) ? undefined : this.#rooms.get(key);
  }

  /** The room of that key, also while the log is asked to forget it. */
  byKey(key: string): Room | undefined {
    return this.#rooms.get(key);
  }

  /**
   * Has a room made. What becomes of it is told once the log has it: the room, or why the log refused it.
   *
   * @param maker address of the member that wants it
   * @param owner member that it belongs to then, unless it belongs to somebody; 0 for none
   * @returns the limit that forbids it, and nothing is told then
   */
  make(
    name: string,
    maker: string,
    told: (made: Room | Failure) => void,
    owner = 0,
  ): 'maxRooms' | 'maxRoomsPerAddress' | undefined {
    const key = roomKey(name);
    if (key !== LOBBY_KEY) {
      if (!this.hasSpace && !this.#forgetEmptyRoom()) return 'maxRooms';
      if (!this.#mayMake(maker)) return 'maxRoomsPerAddress';
    }
    const unmade = (): void => {
      if (key !== LOBBY_KEY) this.#makers?.leave(maker);
    };
    if (key !== LOBBY_KEY) this.#underway++;
    const origin: Origin = {
      appended: (_entry, outcome) => {
        this.#making.delete(key);
        if (key !== LOBBY_KEY) this.#underway--;
        // Somebody else has made it meanwhile.
        if (outcome.kind !== 'room-opened') unmade();
        this.#pasts.delete(key);
        told(this.#rooms.get(key) ?? GONE_AGAIN);
      },
      refused: (failure) => {
        this.#making.delete(key);
        if (key !== LOBBY_KEY) this.#underway--;
        this.#pasts.delete(key);
        unmade();
        told(failure);
      },
    };
    const append = (): void => {
      // The first of several who want it makes it.
      if (!this.#making.has(key)) this.#making.set(key, maker);
      const subject = { room: key, sender: owner, name: Buffer.from(name), at: this.#clock.now(), origin };
      this.#log.append(claim(ClaimKind.RoomOpened, subject, undefined));
    };
    const { store } = this.#log;
    if (store) void this.#recall(store, key).then(append);
    else append();
    return undefined;
  }

  /** Reads the newest of what was said in a room before it was forgotten: it begins with that. */
  async #recall(store: EventStore, key: string): Promise<void> {
    const { retentionBytes, retentionEntries } = this.#options;
    const limit = Math.min(retentionEntries, RECALLED_ENTRIES);
    const maxBytes = Math.min(retentionBytes / 2, RECALLED_BYTES);
    try {
      this.#pasts.set(key, behindDamage(await store.read(key, { limit, maxBytes })));
    } catch {
      // Who asks for it page by page is told why it cannot be read.
    }
  }

  /** Makes a room that the log knows; empty ones are kept for a while. */
  opened(state: RoomState, floor?: number): Room {
    const { name, key, handle } = state;
    const maker = this.#making.get(key) ?? '';
    this.#making.delete(key);
    const past = this.#pasts.get(key);
    this.#pasts.delete(key);
    const start = floor ?? past?.previous ?? this.#forgottenSeq;
    const share = this.share(maker, key);
    const { retentionBytes, retentionEntries, retentionMs } = this.#options;
    const retention: Retention = {
      maxBytes: retentionBytes,
      maxEntries: retentionEntries,
      maxAgeMs: retentionMs,
    };
    const room = new Room(name, key, handle, retention, start, maker, share, state);
    this.#rooms.set(key, room);
    const now = this.#clock.now();
    for (const entry of past?.entries ?? []) {
      if (isShown(entry)) room.log.append(entry, this.#wheel.now - Math.max(0, now - entry.at));
    }
    this.#looks.add(name);
    this.#keys.splice(this.#indexOf(key), 0, key);
    this.release(room);
    this.onOpened?.(room);
    return room;
  }

  /** Whether there is no such room, but one that looks like it by letters of another script. */
  looksLikeAnother(name: string): boolean {
    return !this.#rooms.has(roomKey(name)) && this.#looks.isTaken(name);
  }

  /** Says that there was an entry of a room that was forgotten already. */
  missed(seq: number): void {
    this.#forgottenSeq = Math.max(this.#forgottenSeq, seq);
  }

  /**
   * Whose history it is: that of the address, or of `key` alone where the address says nothing, as a Unix socket or
   * one behind which many stand.
   */
  share(address: string, key: string): LogShare {
    const holder = this.#makers?.isExempt(address) ? undefined : addressKey(address);
    return this.budget.open(holder ?? `key ${key}`);
  }

  /** Whether histories hold more than they may; see {@link Rooms.shrink}. */
  get isFull(): boolean {
    return this.budget.bytes > this.#options.maxLogBytes;
  }

  /** Keeps the total of all histories within its bound, at the cost of those who hold most. */
  shrink(growing: Room): void {
    this.budget.keepWithin(this.#options.maxLogBytes, growing.log);
  }

  /** Says that nobody may be in the room any more: after a while without members it is forgotten. */
  release(room: Room): void {
    if (!room.isEmpty) return;
    const { emptyRoomTtlMs } = this.#options;
    const freeAt = this.#wheel.now + emptyRoomTtlMs;
    // One that has emptied again is put behind those that have been empty for longer; its timer runs already.
    const isTimed = this.#leases.delete(room);
    this.#leases.set(room, freeAt);
    if (isTimed) return;
    this.#wheel.repeat(emptyRoomTtlMs, (now) => this.#expireLease(room, now));
  }

  /** Drops entries that are too old, in all rooms. */
  expire(now: number): void {
    for (const room of this.#rooms.values()) room.log.expire(now);
  }

  /**
   * Up to `limit` rooms that have members, unless `includesEmpty`, and may be seen, by name, beginning behind the cursor, as far as their
   * JSON stays within `maxBytes`.
   *
   * @param maySee asked about one room after the other, when it is given
   */
  async list(
    prefix: string,
    limit: number,
    maxBytes: number,
    after = '',
    maySee?: (room: string) => Awaitable<boolean>,
    includesEmpty = false,
  ): Promise<{ readonly rooms: RoomInfo[]; readonly cursor?: string }> {
    if (isTooLong(prefix)) return { rooms: [] };
    const start = roomKey(prefix);
    const rooms: RoomInfo[] = [];
    let bytes = 0;
    let cursor = after;
    let looked = 0;
    for (let key = this.#keyBehind(after, start); key?.startsWith(start); key = this.#keyBehind(key, start)) {
      const room = this.#rooms.get(key)!;
      const { memberCount } = room;
      if ((includesEmpty || memberCount > 0) && (maySee === undefined || (await maySee(room.name)))) {
        const info = { room: room.name, memberCount };
        bytes += Buffer.byteLength(JSON.stringify(info)) + 1;
        if (rooms.length === limit || bytes > maxBytes) return { rooms, cursor };
        rooms.push(info);
      }
      cursor = key;
      this.lookedAt++;
      // A page may be empty: one request is not to look at all that there is.
      if (++looked === MAX_LOOKED_AT) return { rooms, cursor };
    }
    return { rooms };
  }

  /** See {@link Room.listMembers}. */
  listMembers(room: Room, limit: number, maxBytes: number, after?: number): MembersPage {
    return room.listMembers((member) => this.#people.get(member)?.name, limit, maxBytes, after);
  }

  /** The first key behind `after` that is not before `start`. */
  #keyBehind(after: string, start: string): string | undefined {
    const index = this.#indexOf(after < start ? start : after);
    return this.#keys[index] === after ? this.#keys[index + 1] : this.#keys[index];
  }

  /** Where `key` is, or would be, among the keys in order. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #expireLease(room: Room, now: number): number | undefined {
    const freeAt = this.#leases.get(room);
    if (freeAt !== undefined && room.isEmpty && now < freeAt) return freeAt - now;
    this.#leases.delete(room);
    if (freeAt !== undefined && room.isEmpty) this.#claimForgotten(room);
    return undefined;
  }

  /** Counts a room more of an address, in the place of an empty one of the same address if it must. */
  #mayMake(maker: string): boolean {
    const makers = this.#makers;
    if (!makers || makers.tryEnter(maker)) return true;
    const key = addressKey(maker);
    return this.#forgetEmptyRoom((room) => addressKey(room.maker) === key) && makers.tryEnter(maker);
  }

  /** Makes a place: who leaves empty rooms behind must not keep others from making theirs. */
  #forgetEmptyRoom(isMeant: (room: Room) => boolean = () => true): boolean {
    for (const room of this.#leases.keys()) {
      if (!room.isEmpty || room.key === LOBBY_KEY || !isMeant(room)) continue;
      this.#leases.delete(room);
      this.#claimForgotten(room);
      return true;
    }
    return false;
  }

  /** Asks the log to forget a room. Until it has, nobody finds it: who wants it makes it anew. */
  #claimForgotten(room: Room): void {
    const { key, handle } = room;
    this.#forgetting.add(key);
    const origin: Origin = {
      appended: () => void this.#forgetting.delete(key),
      refused: () => {
        this.#forgetting.delete(key);
        // It is empty for a while longer.
        this.release(room);
      },
    };
    const subject = { room: key, at: this.#clock.now(), origin };
    this.#log.append(claim(ClaimKind.RoomForgotten, subject, { handle }));
  }

  /** Lets go of a room, and of its history in the heap. */
  forgotten(key: string): void {
    const room = this.#rooms.get(key);
    if (!room) return;
    this.onForgotten?.(room);
    this.#leases.delete(room);
    this.missed(room.log.lastSeq);
    room.log.clear();
    if (room.share) this.budget.close(room.share);
    if (room.key !== LOBBY_KEY) this.#makers?.leave(room.maker);
    this.#rooms.delete(room.key);
    this.#looks.remove(room.name);
    this.#keys.splice(this.#indexOf(room.key), 1);
  }
}

/** No room is called so; and what a stranger sends can be so long that finding its key takes milliseconds. */
function isTooLong(name: string): boolean {
  return name.length > MAX_NAME_BYTES;
}
