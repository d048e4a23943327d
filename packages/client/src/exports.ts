/**
 * The exports of both builds of the package, besides `connect` and `createChatClient`.
 */
export type { Member } from '@chat/protocol';
export type { ChatClient, ClientEvents, ClientState, RoomsOptions, RoomsPage } from './chat-client.js';
export type { Clock } from './clock.js';
export type { ReconnectOptions } from './connection/reconnect.js';
export type {
  OpenTransport,
  TlsOptions,
  Transport,
  TransportSink,
  UpgradeHeaders,
} from './connection/transport.js';
export { ClientError, ClientErrorCode } from './errors.js';
export type { Stream, StreamOptions } from './events/event-queue.js';
export type { ListenOptions } from './events/listeners.js';
export type { ConnectOptions } from './options.js';
export type {
  DirectMessage,
  EntryInfo,
  Gap,
  Message,
  Notice,
  RoomEntry,
  UnreadableMessage,
} from './rooms/entry.js';
export type {
  HistoryOptions,
  HistoryPage,
  JoinOptions,
  ReadMark,
  Room,
  RoomAbout,
  RoomEvents,
  Signal,
} from './rooms/room.js';
export type { SearchHit, SearchOptions, SearchPage } from './rooms/search.js';
export type { Sent, SentDirect } from './sending/publisher.js';
export type { ClientIdentity, IdentityStore } from './session/identity.js';
export { tabIdentity } from './session/tab-identity.js';
