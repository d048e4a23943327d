/**
 * An embeddable chat server: one log, a cursor for every session, one port for every client.
 *
 * @packageDocumentation
 */
export type { ChatEvents } from './chat.js';
export {
  ChatServer,
  createChatServer,
  type ListenAddress,
  type ListeningAddress,
  type MemberInfo,
  type ServerStats,
  type TcpAddress,
  type UnixAddress,
} from './chat-server.js';
export { type Clock, systemClock } from './clock.js';
export type { HttpOptions } from './dialects/http.js';
export type { DrainOptions, DrainResult } from './drain.js';
export { ServerError, ServerErrorCode } from './errors.js';
export type {
  AuthenticateResult,
  AuthorizedAction,
  Awaitable,
  Hooks,
  MessageDecision,
  SessionInfo,
} from './hooks.js';
export type { Draft, EventLog, LogConsumer, LogEntry, Origin } from './log/event-log.js';
export { createMemoryLog } from './log/memory-log.js';
export type { Logger } from './logger.js';
export {
  type AdjustableLimits,
  type ChatServerOptions,
  type DuplicateNamePolicy,
  type SlowConsumerPolicy,
  UNLIMITED,
} from './options.js';
export type { TlsCertificate, TlsCertificates, TlsOptions } from './tls.js';
