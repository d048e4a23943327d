/**
 * A joined room, as its user sees it. `RoomStream` is what stands behind it.
 */

import type { Codec, Member } from '@chat/protocol';
import type { Joined } from '@chat/protocol/frames';
import type { AllNames } from '../assert-known.js';
import type { ClientError } from '../errors.js';
import type { Stream, StreamOptions } from '../events/event-queue.js';
import type { ListenOptions } from '../events/listeners.js';
import type { Sent } from '../sending/publisher.js';
import type { Gap, Message, Notice, RoomEntry, UnreadableMessage } from './entry.js';

/**
 * How a room is, the own role in it, what of the option `features` the server knows, and how far this user had read. Each may
 * be absent: a room as any other, a server that knows no roles, one where nothing was read yet.
 */
export type RoomAbout = Pick<Joined, 'settings' | 'role' | 'features' | 'read'>;

/** Options of `client.join`. */
export interface JoinOptions<T> {
  /** Codec of the messages. @defaultValue textCodec */
  readonly codec?: Codec<T>;
  /**
   * How many entries from before the join are wanted. The server may have, or give, fewer. @defaultValue 0
   */
  readonly history?: number;
  /** Continues after an entry that an earlier run of the program has seen, instead of `history`. */
  readonly since?: { readonly epoch: string; readonly seq: number };
  /** Whether messages of this session are delivered as everybody's are; those of other sessions are. @defaultValue true */
  readonly echo?: boolean;
  /** Gives up joining. */
  readonly signal?: AbortSignal;
}

/** A volatile event of a member: typing, a cursor. Not stored, and the first to be dropped. */
export interface Signal {
  readonly room: string;
  readonly sender: Member;
  /** The value that was sent; its codec is text, JSON or bytes. */
  readonly value: unknown;
}

/** Events of a {@link Room}. */
export interface RoomEvents<T> {
  /** A message, own ones included unless `echo` is false. */
  readonly message: Message<T>;
  /** A member joined, left, is gone or was renamed. */
  readonly notice: Notice;
  /** Entries that will not be delivered. */
  readonly gap: Gap;
  /** A message that the room's codec cannot read. */
  readonly unreadable: UnreadableMessage;
  /** A volatile event. */
  readonly signal: Signal;
  /** {@link Room.members} changed, by a notice, a page, or because the room was joined again. */
  readonly members: ReadonlyMap<number, Member>;
  /** The room was left: by `leave()`, by closing the client (no error), or against the will of this side. */
  readonly closed: { readonly error: ClientError | undefined };
}

/** Their names, for a check at run time. */
export const ROOM_EVENTS: AllNames<
  keyof RoomEvents<never>,
  'message,notice,gap,unreadable,signal,members,closed'
> = 'message,notice,gap,unreadable,signal,members,closed';

/** How far this user has read: in a room, or of the direct messages with a user. */
export interface ReadMark {
  readonly room?: string;
  readonly user?: string;
  /** Position of the newest message that was read: the `seq` of an entry. */
  readonly seq: number;
}

/** Options of {@link Room.history}. */
export interface HistoryOptions {
  /** Entries before this position. @defaultValue the newest, without `after` */
  readonly before?: number;
  /** Entries after this position. */
  readonly after?: number;
  /** How many. The server may give fewer. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Part of the log of a room. */
export interface HistoryPage<T> {
  /**
   * In order, oldest first. A gap stands where some are missing: behind `after`, if the server holds them no
   * longer.
   */
  readonly entries: readonly RoomEntry<T>[];
  /** Whether nothing lies beyond, in the direction that was asked for. */
  readonly end: boolean;
}

/**
 * A room that this client is in.
 *
 * All entries come once and in the order of the log. Subscriptions see what arrives from then on; the first
 * one also gets what arrived since the join, history included.
 *
 * @typeParam T - what messages consist of, by the codec of the room
 */
export interface Room<T = string> {
  /** Canonical name. */
  readonly name: string;
  readonly codec: Codec<T>;
  /** Whether this client is in it, or on its way back after a reconnect. */
  readonly joined: boolean;
  /** Last entry that arrived: with {@link ChatClient.epoch} it is what `since` of a later join takes. */
  readonly position: number;
  /**
   * Members that are known, by id; live. The first 64, those that came since, and what `loadMembers` added.
   */
  readonly members: ReadonlyMap<number, Member>;
  /** Number of members, known or not. */
  readonly memberCount: number;
  /**
   * How the room was when it was joined last, and the own role in it. What is changed later comes as a notice of kind
   * `changed`; the snapshot of a timeline has both together.
   */
  readonly about: RoomAbout;

  /**
   * Sends a message. While the connection is away it waits in the outbox, and goes out once afterwards.
   *
   * A rejection that nobody handles is not reported as unhandled.
   *
   * @returns a promise that is resolved when the message is in the log
   * @throws ClientError (as a rejection) `ERR_CLIENT_RATE_LIMITED`, `ERR_CLIENT_TOO_LARGE`,
   *   `ERR_CLIENT_NOT_MEMBER`, `ERR_CLIENT_REJECTED`, `ERR_CLIENT_UNCONFIRMED`, `ERR_CLIENT_OUTBOX_FULL`,
   *   `ERR_CLIENT_OUTBOX_EXPIRED`, `ERR_CLIENT_CLOSED`; what the codec throws; the reason of `signal`, after
   *   which the message may still be delivered if it was on its way
   */
  send(value: T, options?: { readonly signal?: AbortSignal }): Promise<Sent>;
  /** Sends a message of another codec than that of the room, which its readers have to know. */
  send<V>(value: V, options: { readonly signal?: AbortSignal; readonly codec: Codec<V> }): Promise<Sent>;

  /**
   * Sends a volatile event, as JSON, to the members that are here now. Dropped when the connection is away,
   * or so slow that 64 KiB of what was sent before still wait.
   *
   * @returns whether it was handed to the connection
   * @throws ClientError `ERR_CLIENT_TOO_LARGE` when it exceeds `limits.maxSignalBytes`; what JSON cannot hold
   *   is a ProtocolError
   *
   * @example
   * ```ts no-run
   * import { connect } from '@chat/client';
   *
   * const client = await connect('wss://chat.example.org', { name: 'ada' });
   * const lobby = await client.join('lobby');
   * lobby.on('signal', ({ sender, value }) => console.log(sender.name, value));
   * lobby.signal({ typing: true }); // shown now, or never
   * ```
   */
  signal(value: unknown): boolean;

  /** Messages from now on. Ends when the room is left; throws when the client closes for good. */
  messages(options?: StreamOptions): Stream<Message<T>>;

  /**
   * Messages, notices, gaps and unreadable messages from now on, in order. Ends as {@link Room.messages}.
   *
   * @example
   * ```ts no-run
   * import { connect } from '@chat/client';
   *
   * const client = await connect('wss://chat.example.org', { name: 'ada' });
   * const lobby = await client.join('lobby');
   * for await (const entry of lobby.entries()) {
   *   if (entry.type === 'message') console.log(`${entry.sender.name}: ${entry.value}`);
   *   else if (entry.type === 'notice') console.log(`${entry.member.name} ${entry.kind}`);
   *   else if (entry.type === 'gap') console.log('something is missing here');
   * }
   * ```
   */
  entries(options?: StreamOptions): Stream<RoomEntry<T>>;

  /**
   * Adds a listener.
   *
   * @returns a function that removes it
   * @throws TypeError for an event that does not exist
   */
  on<Name extends keyof RoomEvents<T>>(
    event: Name,
    listener: (value: RoomEvents<T>[Name]) => unknown,
    options?: ListenOptions,
  ): () => void;

  /**
   * Reads the log. Does not move the position of the stream.
   *
   * @throws ClientError `ERR_CLIENT_NOT_MEMBER`, `ERR_CLIENT_REQUEST_TIMEOUT`, `ERR_CLIENT_CLOSED`
   *
   * @example
   * ```ts no-run
   * import { connect } from '@chat/client';
   *
   * const client = await connect('wss://chat.example.org', { name: 'ada' });
   * const lobby = await client.join('lobby');
   *
   * // From the newest page back to the beginning.
   * let before: number | undefined;
   * for (let end = false; !end; ) {
   *   const page = await lobby.history({ ...(before !== undefined && { before }), limit: 100 });
   *   const first = page.entries.find((entry) => entry.type !== 'gap');
   *   before = first?.seq ?? before;
   *   end = page.end || first === undefined;
   *   console.log(`${page.entries.length} entries`);
   * }
   * ```
   */
  history(options?: HistoryOptions): Promise<HistoryPage<T>>;

  /**
   * Loads members that are not in {@link Room.members} yet: all, or until `limit` were loaded.
   *
   * @returns whether all are known now
   */
  loadMembers(options?: { readonly limit?: number; readonly signal?: AbortSignal }): Promise<boolean>;

  /** Leaves the room. Its iterators end. Leaving twice is fine. */
  leave(): Promise<void>;
}
