/** The table of options is complete: the compiler holds its names against the types of what takes them. */
import { expect, it } from 'vitest';
import type { ChannelOptions } from '../src/channel/channel.js';
import type { LatestOptions } from '../src/latest/latest.js';
import type { LockOptions, TryLockOptions } from '../src/lock/mutex.js';
import type { LogOptions } from '../src/log/log.js';
import type { LogReaderOptions } from '../src/log/reader.js';
import { OPTION_NAMES, type Taker } from '../src/option-names.js';
import type { QueueOptions } from '../src/queue/queue.js';
import type { MessagesOptions } from '../src/ring/messages.js';
import type { RingOptions } from '../src/ring/ring.js';
import type { OpenOptions, ReadableOptions } from '../src/segment/segment.js';
import type { ChangedOptions, SegmentOptions } from '../src/segment/shared-segment.js';
import type { RequestOptions } from '../src/server/requests.js';
import type { ConnectOptions, ListenOptions } from '../src/server/server.js';
import type { CleanupOptions, DirectoryOptions, UnlinkOptions } from '../src/tools/inspect.js';
import type { SyncOptions, WaitOptions } from '../src/waiting/waiting.js';

type Names<T> = Readonly<Record<keyof T, true>>;

const OPEN: Names<OpenOptions> = {
  mode: true,
  directory: true,
  permissions: true,
  maxParticipants: true,
  trustOwners: true,
  onMismatch: true,
};
const READABLE: Names<ReadableOptions> = { ...OPEN, access: true };
const DIRECTORY: Names<DirectoryOptions> = { directory: true };
const UNLINK: Names<UnlinkOptions> = { ...DIRECTORY, trustOwners: true };
const CLEANUP: Names<CleanupOptions> = { ...UNLINK, removeAbandoned: true };
const SEGMENT: Names<SegmentOptions> = { ...READABLE, payloadBytes: true };
const LATEST: Names<LatestOptions> = { ...READABLE, maxValueBytes: true, cells: true, codec: true };
const RECORDS = { ...OPEN, capacityBytes: true, maxQueuedBytes: true, keepAlive: true, codec: true } as const;
const RING: Names<RingOptions> = RECORDS;
const CHANNEL: Names<ChannelOptions> = { ...RECORDS, side: true };
const LOG: Names<LogOptions> = RECORDS;

const TRY_LOCK: Names<TryLockOptions> = { acceptPoisoned: true };
const LOCK: Names<LockOptions> = { ...TRY_LOCK, signal: true, timeoutMs: true };
const WAIT: Names<WaitOptions> = { signal: true };
const SYNC: Names<SyncOptions> = { timeoutMs: true };
const MESSAGES: Names<MessagesOptions> = { ...WAIT, endWithPeer: true };
const QUEUE: Names<QueueOptions> = RECORDS;
const LISTEN: Names<ListenOptions> = { ...OPEN, maxConnections: true, keepAlive: true, codec: true };
const CONNECT: Names<ConnectOptions> = {
  ...WAIT,
  directory: true,
  capacityBytes: true,
  timeoutMs: true,
  keepAlive: true,
  codec: true,
};
const REQUEST: Names<RequestOptions> = { ...WAIT, timeoutMs: true };
const CHANGED: Names<ChangedOptions> = { ...WAIT, since: true };
const LOG_READER: Names<LogReaderOptions> = {
  start: true,
  reliable: true,
  name: true,
  whenSlow: true,
  slowAfterMs: true,
  onLost: true,
};

const COMPLETE: Readonly<Record<Taker, Readonly<Record<string, true>>>> = {
  openSegment: SEGMENT,
  openLatest: LATEST,
  openMutex: OPEN,
  openRing: RING,
  openChannel: CHANNEL,
  openLog: LOG,
  inspect: DIRECTORY,
  unlink: UNLINK,
  listSegments: DIRECTORY,
  cleanup: CLEANUP,
  withLock: LOCK,
  tryLock: TRY_LOCK,
  lockSync: { ...TRY_LOCK, ...SYNC },
  readableSync: SYNC,
  changedSync: SYNC,
  send: WAIT,
  receive: MESSAGES,
  readable: MESSAGES,
  messages: MESSAGES,
  'log.append': WAIT,
  'log.reader': LOG_READER,
  'reader.readable': WAIT,
  'reader.entries': WAIT,
  writable: WAIT,
  'latest.changed': WAIT,
  'segment.changed': CHANGED,
  listen: LISTEN,
  connect: CONNECT,
  'server.accepted': WAIT,
  'requests.request': REQUEST,
  openQueue: QUEUE,
  'queue.put': WAIT,
  'queue.take': WAIT,
};

it('the names of options are those of their types', () => {
  expect(OPTION_NAMES).toEqual(COMPLETE);
});
