/**
 * An embeddable chat server: one log, a cursor for every session, one port for every client.
 *
 * @packageDocumentation
 */

export type { TlsCertificate, TlsCertificates, TlsOptions } from './connection/tls.js';
export { ServerError, ServerErrorCode } from './errors.js';
export type { Draft, LogEntry, Origin } from './log/entry.js';
export type {
  ChatSnapshot,
  Durability,
  EventLog,
  EventStore,
  FoundPage,
  LogCondition,
  LogConsumer,
  Recovered,
  RemovalWish,
  SearchHit,
  SearchScope,
  StoredPage,
  StoredScan,
  StoredWish,
} from './log/event-log.js';
export { createMemoryLog } from './log/memory-log.js';
export type { Forgotten, MessageChange, Reactor } from './log/messages/change-message.js';
export { BlockLog, type BlockLogOptions, createBlockLog } from './log/shared/block-log.js';
export type {
  BlockReceiver,
  BlockSnapshot,
  BlockTransport,
  OpenedStream,
} from './log/shared/block-transport.js';
export type {
  KickState,
  RoomState,
  SessionPlace,
  SessionState,
  StateSnapshot,
} from './log/state/chat-state.js';
export type { Change, Decision } from './log/state/decision.js';
export type { Outcome, VoidReason } from './log/state/outcome.js';
export { LEAST_ROLE, type ModerationAction } from './log/state/permissions.js';
export type { GivenRole, KeptSettings, KeyedSanction, Rule } from './log/state/rules.js';
export type { PlaceRead, ReadPosition } from './log/state/users/read-positions.js';
export { looks, userNameProblem } from './names/names.js';
export type { AddressCount, AddressCounts, AddressShare } from './options/address-counts.js';
export type {
  AuthenticateResult,
  AuthorizeAnswer,
  AuthorizedAction,
  AuthorizeQuestion,
  Awaitable,
  ClientRequest,
  Hooks,
  MessageDecision,
  SessionInfo,
  Visitor,
  VisitorRefusal,
} from './options/hooks.js';
export type { HttpOptions } from './options/http-options.js';
export {
  type AdjustableLimits,
  LIMITS,
  type Limit,
  type LimitName,
  type LimitOptions,
  type LimitProduct,
} from './options/limits.js';
export type { Logger } from './options/logger.js';
export {
  type ChatServerOptions,
  type DuplicateNamePolicy,
  type SlowConsumerPolicy,
  UNLIMITED,
} from './options/options.js';
export { ChatServer, createChatServer } from './server/chat-server.js';
export type { DrainOptions, DrainResult } from './server/drain.js';
export type { ListenOptions, ServerEvents } from './server/listeners.js';
export type { AttachOptions } from './server/listening/attachments.js';
export type {
  ListenAddress,
  ListeningAddress,
  TcpAddress,
  UnixAddress,
} from './server/listening/listening.js';
export type { MemberInfo, ServerStats, UserInfo } from './server/overview.js';
export type {
  RoomEntry,
  RoomEntryInfo,
  RoomGap,
  RoomMessage,
  RoomNotice,
  UnreadableRoomMessage,
} from './server/program/entry.js';
export type { FeedEntry, FeedInfo, FeedOptions } from './server/program/feed.js';
export type { ForgetWish } from './server/program/forget.js';
export type { RoomHistory, RoomHistoryOptions } from './server/program/history.js';
export type { ModerateOptions, SetRoleOptions } from './server/program/moderate.js';
export type { RoomsPage, RoomsQuery } from './server/program/program.js';
export type { Published, PublishedDirect, PublishOptions } from './server/program/publisher.js';
export type { SubscribeOptions } from './server/program/subscription.js';
export { listenOnSocket, type SocketFileOptions } from './server/unix-socket.js';
export type { SessionEvents } from './session/sessions.js';
export { type Clock, type SteadyClock, systemClock } from './time/clock.js';
