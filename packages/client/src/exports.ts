/**
 * What both builds of the package export, besides `connect` and `createChatClient`.
 */
export type { Member } from '@chat/protocol';
export type { ChatClient, ClientEvents, ClientState, RoomsOptions, RoomsPage } from './chat-client.js';
export type { Clock } from './clock.js';
export type { HeartbeatOptions } from './connection/heartbeat.js';
export type { ReconnectOptions } from './connection/reconnect.js';
export type {
  OpenTransport,
  TlsOptions,
  Transport,
  TransportOptions,
  TransportSink,
} from './connection/transport.js';
export { ClientError, ClientErrorCode, type ClientErrorDetails } from './errors.js';
export type { OverflowPolicy, Stream, StreamOptions } from './events/event-queue.js';
export type { Listener, ListenOptions } from './events/listeners.js';
export type { ConnectOptions, CredentialsProvider } from './options.js';
export type {
  DirectMessage,
  EntryInfo,
  Gap,
  GapReason,
  Message,
  Notice,
  RoomEntry,
  UnreadableMessage,
} from './rooms/entry.js';
export type {
  HistoryOptions,
  HistoryPage,
  JoinOptions,
  LoadMembersOptions,
  Room,
  RoomEvents,
  Signal,
} from './rooms/room.js';
export type { OutboxOptions } from './sending/outbox.js';
export type { SendOptions, Sent } from './sending/publisher.js';
export type { ClientIdentity, IdentityStore } from './session/identity.js';
export { tabIdentity } from './session/tab-identity.js';
