/**
 * The rooms of a session: joining, leaving, and coming back to all of them on another connection.
 *
 * Streams are found by the handle of their room, which is valid for one connection. A room that the session
 * is still in goes on where it stopped. Any other is joined again after the last entry that was seen, and
 * tried again while the server's refusal may pass.
 */
import { type Codec, roomKey } from '@chat/protocol';
import {
  ENTRY_ROOM_OFFSET,
  encodeRequest,
  type Frame,
  type FrameType,
  type Joined,
  type RequestBody,
  type RoomPosition,
  readU32,
} from '@chat/protocol/frames';
import { assertKnown } from '../assert-known.js';
import type { Clock } from '../clock.js';
import { checkShape, JOINED_SHAPE } from '../connection/check-json.js';
import type { Connection } from '../connection/connection.js';
import { ClientError, type ClientErrorCode } from '../errors.js';
import { onAbort } from '../events/on-abort.js';
import type { EntrySink } from './entry-stream.js';
import { JoinedRoom, type RoomCalls } from './joined-room.js';
import type { JoinOptions, Room } from './room.js';
import { type RoomOwner, RoomStream } from './room-stream.js';

/** Between two tries to join a room again, when the server names no delay. */
const REJOIN_DELAY_MS = 1000;

/** Refusals of a join that may pass. */
const TRANSIENT: ReadonlySet<ClientErrorCode> = new Set([
  'ERR_CLIENT_RATE_LIMITED',
  'ERR_CLIENT_GOING_AWAY',
  'ERR_CLIENT_INTERNAL',
  'ERR_CLIENT_REQUEST_TIMEOUT',
]);

type JoinRequest = Extract<RequestBody, { readonly op: 'join' }>;

/** The part of a client that its rooms need. */
export interface RoomHost extends RoomOwner, RoomCalls {
  /** The room ended against the will of this side. */
  onRoomLost(room: string, error: ClientError): void;
  /** The room has an answer for the messages that waited for it: it is joined again, or has ended. */
  onRoomSettled(room: RoomStream<unknown>): void;
  /** How long to wait before a second try, when the server has asked for `retryAfterMs`. */
  retryDelayMs(retryAfterMs: number): number;
}

export class RoomStreams {
  readonly #host: RoomHost;
  readonly #clock: Clock;
  readonly #byName = new Map<string, RoomStream<unknown>>();
  readonly #joined = new Map<string, Room<unknown>>();
  readonly #streams = new Map<number, EntrySink>();
  #connection: Connection | undefined;

  constructor(host: RoomHost, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
  }

  /** The rooms as the user has them, by name; live. */
  get joined(): ReadonlyMap<string, Room<unknown>> {
    return this.#joined;
  }

  /**
   * The positions that a hello asks to resume from. Positions of another epoch are of no use to the server.
   */
  positions(epoch: string): RoomPosition[] {
    return [...this.#byName.values()]
      .filter((room) => room.entries.epoch === epoch)
      .map(({ name, entries }) => ({ room: name, after: entries.position }));
  }

  async join<T>(room: string, options: JoinOptions<T>): Promise<Room<T>> {
    const { history, since, signal } = options;
    assertKnown('codec,history,since,echo,signal', options);
    assertKnown('epoch,seq', since);
    const present = this.#find(room);
    // One that is being left ends with the answer to that, which comes before the answer to this.
    if (present && !this.#isAsked(room, 'leave')) return this.#same(present, options);
    let result: Room<T> | undefined;
    await this.#host.requests.ask(
      // Undefined fields are not in the JSON.
      { op: 'join', room, history, after: since?.seq, epoch: since?.epoch } as JoinRequest,
      {
        signal,
        // Before the next frame is looked at: it may be the first entry of the room.
        onAnswer: (joined) => {
          checkShape(JOINED_SHAPE, joined, 'joined');
          const before = this.#byName.get(joined.room);
          result = before ? this.#same(before, options) : this.#add(joined, options);
          if (before) this.#put(before, joined);
        },
        onLateAnswer: (joined) => this.#onUnwanted(joined),
      },
    );
    return result!;
  }

  async #leave(room: RoomStream<unknown>): Promise<void> {
    if (!room.joined) return;
    room.leaving = true;
    room.leaveCall ??= this.#askToLeave(room.name, () => room).finally(() => {
      room.leaveCall = undefined;
    });
    try {
      await room.leaveCall;
    } catch (error) {
      // Without an answer nobody can say.
      room.leaving = ClientError.is(error) && error.code === 'ERR_CLIENT_REQUEST_TIMEOUT';
      throw error;
    }
  }

  async leaveByName(name: string): Promise<boolean> {
    const find = () => this.#find(name);
    // Asked for later than a room that is here, which is being left then.
    if (this.#isAsked(name, 'join')) return this.#askToLeave(name, find);
    const room = find();
    if (room === undefined) return false;
    await this.#leave(room);
    return true;
  }

  async #askToLeave(name: string, find: () => RoomStream<unknown> | undefined): Promise<boolean> {
    const onAnswer = () => {
      const room = find();
      if (room) this.#remove(room);
    };
    const { left } = await this.#host.requests.ask(
      { op: 'leave', room: name },
      { onAnswer, onLateAnswer: onAnswer },
    );
    return left;
  }

  /** The server has shown this client out: the room ends, behind the notice that says so. */
  #drop(room: RoomStream<unknown>): void {
    const error = new ClientError('ERR_CLIENT_KICKED', `removed from ${room.name}`);
    queueMicrotask(() => {
      // One that it was put back into may have been left by what was asked before, and is asked again.
      if (room.leaving || this.#isAsked(room.name, 'leave')) this.#remove(room);
      else this.#lose(room, error);
    });
  }

  /**
   * Puts every room back on a new connection.
   *
   * @param held - the rooms that the session is still in; `undefined` when it is a new one. Of a session that
   *   goes on, a room that is missing was taken from the member while it was away
   * @param inbox - the stream of direct messages
   */
  comeBack(
    connection: Connection,
    held: readonly Joined[] | undefined,
    inbox: EntrySink & { readonly handle: number },
  ): void {
    this.#connection = connection;
    this.#streams.clear();
    this.#streams.set(inbox.handle, inbox);
    const absent = new Set(this.#byName.values());
    for (const joined of held ?? []) {
      const room = this.#byName.get(joined.room);
      if (room?.entries.epoch === this.#host.identity.epoch) {
        absent.delete(room);
        this.#put(room, joined);
      } else this.#onUnwanted(joined);
    }
    for (const room of absent) {
      // protocol.md, "Resuming": a room that the session had, and has no more, was taken from it.
      if (held && room.inSession) this.#drop(room);
      else {
        room.inSession = false;
        void this.#joinAgain(connection, room);
      }
    }
  }

  /** Takes an entry frame. Entries of a room that was just left may still be under way. */
  receive(type: number, bytes: Uint8Array, offset: number, length: number): void {
    this.#streams.get(readU32(bytes, offset + ENTRY_ROOM_OFFSET))?.receive(type, bytes, offset, length);
  }

  skip({ room, to }: Extract<Frame, { readonly type: typeof FrameType.Gap }>): void {
    const stream = this.#streams.get(room);
    if (stream && to > stream.position) stream.gap('skipped', stream.position, to);
  }

  signal(frame: Extract<Frame, { readonly type: typeof FrameType.Signal }>): void {
    for (const room of this.#byName.values()) if (room.entries.handle === frame.room) room.onSignal(frame);
  }

  /** Ends all rooms: cleanly, or with `error`. */
  end(error: ClientError | undefined): void {
    for (const room of [...this.#byName.values()]) this.#remove(room, error);
    this.#streams.clear();
    this.#connection = undefined;
  }

  async #joinAgain(connection: Connection, room: RoomStream<unknown>): Promise<void> {
    while (room.joined && !connection.ended) {
      const { name, wantedHistory } = room;
      const { epoch, position } = room.entries;
      // Also when the epoch is over: then all that the new log holds is news.
      const place = epoch === undefined ? { history: wantedHistory } : { after: position, epoch };
      try {
        await this.#host.requests.ask(
          { op: 'join', room: name, ...place },
          {
            repeat: false,
            onAnswer: (joined) => {
              checkShape(JOINED_SHAPE, joined, 'joined');
              if (room.joined) this.#put(room, joined);
              else this.#onUnwanted(joined);
            },
          },
        );
        return;
      } catch (cause) {
        if (connection.ended) return;
        const error = ClientError.is(cause)
          ? cause
          : new ClientError('ERR_CLIENT_PROTOCOL', `joining ${name}: ${cause}`, { cause });
        if (!TRANSIENT.has(error.code)) {
          this.#lose(room, error);
          return;
        }
        const delayMs = this.#host.retryDelayMs(error.retryAfterMs ?? REJOIN_DELAY_MS);
        await this.#pause(delayMs, connection.signal);
      }
    }
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#clock.clearTimeout(timer);
        stopWaiting();
        resolve();
      };
      const timer = this.#clock.setTimeout(done, delayMs);
      const stopWaiting = onAbort(signal, done);
    });
  }

  #add<T>(joined: Joined, options: JoinOptions<T>): Room<T> {
    const stream = new RoomStream(this.#host, () => this.#drop(anyRoom), joined, options);
    const anyRoom = stream as unknown as RoomStream<unknown>;
    const room = new JoinedRoom(stream, this.#host, () => this.#leave(anyRoom));
    this.#byName.set(joined.room, anyRoom);
    this.#joined.set(joined.room, room as unknown as Room<unknown>);
    this.#streams.set(joined.handle, stream.entries);
    return room;
  }

  /** A room that is joined already, for a second join. */
  #same<T>({ name, codec }: RoomStream<unknown>, options: JoinOptions<T>): Room<T> {
    if (options.codec !== undefined && (options.codec as Codec<unknown>) !== codec) {
      throw new TypeError(`the room ${name} is joined with another codec (${codec.name})`);
    }
    return this.#joined.get(name) as unknown as Room<T>;
  }

  #put(room: RoomStream<unknown>, joined: Joined): void {
    room.rejoin(joined);
    this.#streams.set(joined.handle, room.entries);
    this.#host.onRoomSettled(room);
  }

  #lose(room: RoomStream<unknown>, error: ClientError): void {
    // It may have been left meanwhile.
    if (!room.joined) return;
    this.#remove(room, error);
    this.#host.onRoomLost(room.name, error);
  }

  #remove(room: RoomStream<unknown>, error?: ClientError): void {
    if (this.#byName.get(room.name) !== room) return;
    this.#byName.delete(room.name);
    this.#joined.delete(room.name);
    this.#streams.delete(room.entries.handle);
    room.end(error);
    this.#host.onRoomSettled(room);
  }

  /**
   * Leaves a room that the session is in by a join whose answer came late, or was lost. Does nothing where
   * this side has the room, or has asked to join or leave it since: that request decides.
   *
   * Number 0 belongs to no request: the answer is ignored.
   */
  #onUnwanted({ room }: Joined): void {
    if (this.#byName.has(room) || this.#isAsked(room, 'join') || this.#isAsked(room, 'leave')) return;
    this.#connection?.send(encodeRequest(0, { op: 'leave', room }));
  }

  /** The room of that name, however it is written. */
  #find(name: string): RoomStream<unknown> | undefined {
    const key = roomKey(name);
    return [...this.#byName.values()].find((room) => roomKey(room.name) === key);
  }

  #isAsked(room: string, op: 'join' | 'leave'): boolean {
    const key = roomKey(room);
    return this.#host.requests.some((request) => request.op === op && roomKey(request.room) === key);
  }
}
