/**
 * What both builds of the package export, besides `connect` and `createChatClient`.
 */
export type { Member } from '@chat/protocol';
export type { ChatClient, ClientEvents, ClientState, RoomsOptions, RoomsPage } from './chat-client.js';
export type { Clock } from './clock.js';
export type {
  DirectMessage,
  EntryInfo,
  Gap,
  GapReason,
  Message,
  Notice,
  RoomEntry,
  UnreadableMessage,
} from './entry.js';
export { ClientError, ClientErrorCode, type ClientErrorDetails } from './errors.js';
export type { OverflowPolicy, Stream, StreamOptions } from './event-queue.js';
export type { HeartbeatOptions } from './heartbeat.js';
export type { ClientIdentity, IdentityStore } from './identity.js';
export type { Listener, ListenOptions } from './listeners.js';
export type { ConnectOptions, CredentialsProvider } from './options.js';
export type { OutboxOptions } from './outbox.js';
export type { ReconnectOptions } from './reconnect.js';
export type {
  HistoryOptions,
  HistoryPage,
  JoinOptions,
  LoadMembersOptions,
  Room,
  RoomEvents,
  SendOptions,
  Sent,
  Signal,
} from './room.js';
export { tabIdentity } from './tab-identity.js';
export type { OpenTransport, TlsOptions, Transport, TransportOptions, TransportSink } from './transport.js';
