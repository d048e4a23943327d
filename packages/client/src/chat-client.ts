/**
 * The client, as its user sees it. `ClientSession` is what stands behind it.
 */
import type {
  BlockBody,
  ModerationBody,
  ReadNews,
  ResponseBodies,
  SessionLimits,
} from '@chat/protocol/frames';
import type { AllNames } from './assert-known.js';
import type { ClientError } from './errors.js';
import type { Stream, StreamOptions } from './events/event-queue.js';
import type { ListenOptions } from './events/listeners.js';
import type { DirectMessage, Gap, UnreadableMessage } from './rooms/entry.js';
import type { JoinOptions, ReadMark, Room } from './rooms/room.js';
import type { SearchOptions, SearchPage } from './rooms/search.js';
import type { SentDirect } from './sending/publisher.js';

/** One moment in the life of a client. */
export type ClientState =
  /** Not connected yet. */
  | { readonly status: 'idle' }
  /** The first attempt is under way. */
  | { readonly status: 'connecting' }
  /** Connected. `resumed` tells whether an earlier session goes on. */
  | { readonly status: 'open'; readonly resumed: boolean }
  /** The connection was lost because of `error`; `attempt` is made at `nextAt` (ms since 1970). */
  | {
      readonly status: 'reconnecting';
      readonly attempt: number;
      readonly nextAt: number;
      readonly error: ClientError;
    }
  /** Over. `reason.code` is `ERR_CLIENT_CLOSED` after `close()`. */
  | { readonly status: 'closed'; readonly reason: ClientError };

/** Events of a {@link ChatClient}. */
export interface ClientEvents<D> {
  /** Each change of {@link ChatClient.state}, once. */
  readonly state: ClientState;
  /** A message to this client alone. */
  readonly direct: DirectMessage<D>;
  /** A direct message that `directCodec` cannot read. */
  readonly unreadable: UnreadableMessage;
  /** Something is missing, in any room or (`room` undefined) among the direct messages. */
  readonly gap: Gap;
  /** A room was left against the will of this side, for instance because it could not be joined again. */
  readonly 'room-lost': { readonly room: string; readonly error: ClientError };
  /** The server will close soon; the client comes back after `retryAfterMs`. */
  readonly 'going-away': { readonly reason: string; readonly retryAfterMs: number };
  /**
   * This user has read on another session: up to the position `read` of the room `room`, or of the direct messages with
   * `user`. Told to programs with the feature `reads`, see {@link ChatClient.markRead}.
   */
  readonly read: ReadNews;
  /** The own name changed. */
  readonly renamed: { readonly name: string; readonly oldName: string };
  /**
   * A listener threw, or its promise rejected. Without a listener here the error is thrown in a task of its
   * own, where the platform reports it.
   */
  readonly 'listener-error': { readonly error: unknown; readonly event: string };
}

/** Their names, for a check at run time. */
export const CLIENT_EVENTS: AllNames<
  keyof ClientEvents<never>,
  'state,direct,unreadable,gap,room-lost,going-away,read,renamed,listener-error'
> = 'state,direct,unreadable,gap,room-lost,going-away,read,renamed,listener-error';

/** Options of {@link ChatClient.rooms}. */
export interface RoomsOptions {
  /** Only rooms whose name begins so. */
  readonly prefix?: string;
  /** How many at once. */
  readonly limit?: number;
  /** Continues an earlier list. */
  readonly cursor?: string;
  readonly signal?: AbortSignal;
}

/** One page of the list of rooms. */
export type RoomsPage = ResponseBodies['rooms'];

/** A connection to a chat server that comes back by itself. */
export interface ChatClient<D = string> {
  readonly url: string;
  /** The present moment in the life of this client. */
  readonly state: ClientState;
  /** Own user name, as the server accepted it. Before that, the wanted one. */
  readonly name: string;
  /** Own member id: the `sender.id` of own messages. Another one after a lost session. */
  readonly id: number;
  /** Names the session, for logs. Undefined before the first welcome. */
  readonly sessionId: string | undefined;
  /** Names the life of the server's log. Positions of another epoch mean nothing. */
  readonly epoch: string;
  /** The limits that the server grants. Undefined before the first welcome. */
  readonly limits: SessionLimits | undefined;
  /** Rooms this client is in, by name; live. */
  readonly joined: ReadonlyMap<string, Room<unknown>>;

  /**
   * Connects. Further calls give the same promise until the client is closed; then it begins anew.
   *
   * @returns a promise that is resolved after the server's welcome
   * @throws ClientError (as a rejection) why it could not; or the reason of `signal`
   */
  connect(): Promise<void>;

  /**
   * Joins a room. Joining it again gives the same {@link Room}, whose stream goes on as the first join began
   * it. A join that comes while the room is being left joins anew.
   *
   * @throws ClientError `ERR_CLIENT_ROOM_INVALID`, `ERR_CLIENT_ROOM_FULL`, `ERR_CLIENT_TOO_MANY_ROOMS`,
   *   `ERR_CLIENT_FORBIDDEN`, `ERR_CLIENT_REQUEST_TIMEOUT`, `ERR_CLIENT_CLOSED`
   * @throws TypeError when it is joined already with another codec
   */
  join<T = string>(room: string, options?: JoinOptions<T>): Promise<Room<T>>;

  /**
   * Leaves a room.
   *
   * @returns whether this client was in it
   */
  leave(room: string): Promise<boolean>;

  /**
   * Takes another name.
   *
   * @returns the name as the server accepted it
   * @throws ClientError `ERR_CLIENT_NAME_TAKEN`, `ERR_CLIENT_NAME_INVALID`, `ERR_CLIENT_FORBIDDEN`
   */
  rename(name: string): Promise<string>;

  /**
   * Says how far this user has read. The server keeps it with the account, and tells the user's other sessions, so that all
   * count the same as unread: by the event `read`, and by `about.read` of a room that is joined. It only moves forwards, and a
   * few times in a second are as good as one. For users with an account, to programs that connect with
   * `features: ['reads']`. A timeline with the option `client` does all of this.
   *
   * @throws ClientError `ERR_CLIENT_NOT_MEMBER`, `ERR_CLIENT_NAME_INVALID`, `ERR_CLIENT_BAD_REQUEST` when the server is too
   *   old to know it, `ERR_CLIENT_RATE_LIMITED`
   */
  markRead(mark: ReadMark): Promise<void>;

  /** Lists the rooms of the server. */
  rooms(options?: RoomsOptions): Promise<RoomsPage>;

  /**
   * Finds messages of text in the rooms that this client is in, the newest first. Direct messages are not searched.
   *
   * @param query words that all have to be there, `"phrases"`, `begin*` of words, in any script; 1024 bytes of UTF-8
   *   at the most
   * @throws ClientError `ERR_CLIENT_UNAVAILABLE` when the server keeps nothing that can be searched, or, with
   *   `retryAfterMs`, not now; `ERR_CLIENT_BAD_REQUEST` when it is too old to search; `ERR_CLIENT_NOT_MEMBER`,
   *   `ERR_CLIENT_TOO_LARGE`, `ERR_CLIENT_RATE_LIMITED`
   *
   * @example
   * ```ts no-run
   * import { connect } from '@chat/client';
   *
   * const client = await connect('wss://chat.example.org', { name: 'ada' });
   * const lobby = await client.join('lobby');
   * const { hits, cursor } = await client.search('"release notes" jan*', { room: 'lobby', limit: 20 });
   * for (const { at, sender, snippet } of hits) console.log(new Date(at), sender.name, snippet);
   * const older = cursor === undefined ? undefined : await client.search('jan*', { before: cursor });
   *
   * // The message itself, with nine that came before it.
   * if (hits[0]) await lobby.history({ before: hits[0].seq + 1, limit: 10 });
   * ```
   */
  search(query: string, options?: SearchOptions): Promise<SearchPage>;

  /**
   * Asks for what takes a role, such as `{ op: 'mute', room: 'lobby', user: 'eve', durationMs: 600_000 }`, and for what
   * becomes of own messages: `{ op: 'edit', room, seq, text }`, `{ op: 'take-back', room, seq }`. Without `room` the whole
   * server is meant. `docs/moderation.md` has all of them, and who may. Also says from whom this user
   * takes no direct messages: `{ op: 'block', user }`, `{ op: 'unblock', user }`, `{ op: 'blocks' }`.
   *
   * @throws ClientError `ERR_CLIENT_FORBIDDEN`, `ERR_CLIENT_NO_SUCH_USER`, `ERR_CLIENT_NO_SUCH_ROOM`,
   *   `ERR_CLIENT_NO_SUCH_MESSAGE`, `ERR_CLIENT_BAD_REQUEST`, `ERR_CLIENT_TOO_LARGE`, `ERR_CLIENT_RATE_LIMITED`
   */
  moderate<Request extends ModerationBody | BlockBody>(
    request: Request,
  ): Promise<ResponseBodies[Request['op']]>;

  /**
   * Sends a message to one user, with the promises of {@link Room.send}. There is no echo. It waits for a user who is
   * away, and the result says so.
   *
   * @throws ClientError (as a rejection) `ERR_CLIENT_NO_SUCH_USER`, `ERR_CLIENT_INBOX_FULL`, and as {@link Room.send}
   *
   * @example
   * ```ts
   * import assert from 'node:assert';
   * import { connect } from '@chat/client';
   * import { createChatServer } from '@chat/server'; // here only so that the example runs by itself
   *
   * const server = createChatServer();
   * const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
   * const ada = await connect(`tcp://127.0.0.1:${port}`, { name: 'ada' });
   * const bob = await connect(`tcp://127.0.0.1:${port}`, { name: 'bob' });
   * const directs = bob.directs();
   *
   * const { delivery } = await ada.direct('bob', 'for you alone');
   * assert.equal(delivery, 'delivered'); // bob is connected
   * const { value: message } = await directs.next();
   * assert.equal(message?.value, 'for you alone');
   * await assert.rejects(ada.direct('eve', 'hello'), { code: 'ERR_CLIENT_NO_SUCH_USER' });
   *
   * await Promise.all([ada.close(), bob.close()]);
   * await server.close();
   * ```
   */
  direct(name: string, value: D, options?: { readonly signal?: AbortSignal }): Promise<SentDirect>;

  /** Direct messages from now on. The first subscription also gets what arrived before it. */
  directs(options?: StreamOptions): Stream<DirectMessage<D>>;

  /**
   * The state, now and after each change. Ends when the client is closed.
   *
   * @example
   * ```ts no-run
   * import { connect } from '@chat/client';
   *
   * const client = await connect('wss://chat.example.org', { name: 'ada' });
   * for await (const state of client.status()) {
   *   if (state.status === 'reconnecting') console.log(`again at ${new Date(state.nextAt).toLocaleTimeString()}`);
   *   else console.log(state.status);
   * }
   * ```
   */
  status(options?: StreamOptions): Stream<ClientState>;

  /**
   * Adds a listener.
   *
   * @returns a function that removes it
   * @throws TypeError for an event that does not exist
   */
  on<Name extends keyof ClientEvents<D>>(
    event: Name,
    listener: (value: ClientEvents<D>[Name]) => unknown,
    options?: ListenOptions,
  ): () => void;

  /**
   * Measures the way to the server and back, in milliseconds. @throws ClientError when there is no connection
   */
  ping(): Promise<number>;

  /** Makes the next attempt now instead of waiting for it. */
  reconnectNow(): void;

  /**
   * Says goodbye and closes. Rejects the messages that were not acknowledged. Closing twice is fine.
   *
   * @returns a promise that is resolved when the connection is closed
   */
  close(): Promise<void>;

  /** {@link ChatClient.close}. */
  [Symbol.asyncDispose](): Promise<void>;
}
