/**
 * Shared memory between Node processes, safe at any kill: the public surface of this package.
 *
 * Each structure has one verb that opens it by name, in any process: `openSegment`, `openLatest`, `openMutex`,
 * `openRing`, `openChannel`, `openLog`. What they return is closed with `close()`, and the name is given up with `unlink()`.
 */
export {
  type Channel,
  type ChannelEvents,
  type ChannelOptions,
  type ChannelSide,
  openChannel,
} from './channel/channel.js';
export { duplexOf } from './channel/duplex.js';
export { ShmError, ShmErrorCode } from './errors.js';
export type { HandleEvents, SegmentInfo } from './handle.js';
export { type Latest, type LatestOptions, openLatest } from './latest/latest.js';
export { type Lock, type LockOptions, type Mutex, openMutex, type TryLockOptions } from './lock/mutex.js';
export type { EntryHandler, LogStart } from './log/cursor.js';
export { type Log, type LogOptions, openLog } from './log/log.js';
export type { NamedCursorInfo } from './log/named.js';
export type { LogEntry, LogReader, LogReaderOptions } from './log/reader.js';
export type { Identity, Liveness } from './platform/liveness.js';
export { type Job, openQueue, type QueueOptions, type WorkQueue } from './queue/queue.js';
export {
  type Codec,
  cloneCodec,
  jsonCodec,
  type SchemaResult,
  type StandardSchema,
  schemaCodec,
  textCodec,
} from './record/codec.js';
export type { RecordOptions } from './record/options.js';
export type { MessagesOptions } from './ring/messages.js';
export type { Pipe } from './ring/pipe.js';
export type { MessageHandler } from './ring/reader.js';
export { openRing, type Ring, type RingOptions } from './ring/ring.js';
export type { ParticipantCounters } from './segment/counters.js';
export { SegmentKind } from './segment/layout.js';
export type { ParticipantInfo, RoleName } from './segment/participants.js';
export type { OpenOptions, ReadableOptions, Segment } from './segment/segment.js';
export {
  type ChangedOptions,
  openSegment,
  type SegmentOptions,
  type SharedSegment,
} from './segment/shared-segment.js';
export { type ConnectOptions, connect } from './server/connect.js';
export { type RequestHandler, type RequestOptions, type Requests, requestsOver } from './server/requests.js';
export { type ListenOptions, listen, type Server, type ServerEvents } from './server/server.js';
export type {
  ChannelDetails,
  ChannelSideDetails,
  LatestDetails,
  LogDetails,
  LogReaderDetails,
  QueueDetails,
  RingDetails,
  ServerDetails,
  StructureDetails,
} from './tools/details.js';
export {
  type CleanupOptions,
  type CleanupReport,
  cleanup,
  type DirectoryOptions,
  inspect,
  listSegments,
  type ParticipantReport,
  type SegmentReport,
  type UnlinkOptions,
  unlink,
} from './tools/inspect.js';
export type { PeerState } from './waiting/peer-watch.js';
export type { SyncOptions, WaitOptions } from './waiting/waiting.js';
