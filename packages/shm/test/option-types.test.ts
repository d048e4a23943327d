/** The table of options is complete: the compiler holds its names against the types of what takes them. */
import { expect, it } from 'vitest';
import type { ChannelOptions } from '../src/channel/channel.js';
import type { LatestOptions } from '../src/latest/latest.js';
import type { LockOptions, TryLockOptions } from '../src/lock/mutex.js';
import type { LogOptions } from '../src/log/log.js';
import type { LogReaderOptions } from '../src/log/reader.js';
import { OPTION_NAMES } from '../src/option-names.js';
import type { QueueOptions } from '../src/queue/queue.js';
import type { RecordOptions } from '../src/record/options.js';
import type { MessagesOptions } from '../src/ring/messages.js';
import type { RingOptions } from '../src/ring/ring.js';
import type { OpenOptions, ReadableOptions } from '../src/segment/segment.js';
import type { ChangedOptions, SegmentOptions } from '../src/segment/shared-segment.js';
import type { ConnectOptions } from '../src/server/connect.js';
import type { RequestOptions } from '../src/server/requests.js';
import type { ListenOptions } from '../src/server/server.js';
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
const RECORDS: Names<RecordOptions> = {
  ...OPEN,
  capacityBytes: true,
  maxQueuedBytes: true,
  keepAlive: true,
  codec: true,
};
const UNLINK: Names<UnlinkOptions> = { directory: true, trustOwners: true };
const TRY_LOCK: Names<TryLockOptions> = { acceptPoisoned: true };
const WAIT: Names<WaitOptions> = { signal: true };
const SYNC: Names<SyncOptions> = { timeoutMs: true };

/** The compiler wants every option of each type here, and no other. */
const OF_TYPES = {
  open: OPEN,
  segment: { ...READABLE, payloadBytes: true } satisfies Names<SegmentOptions>,
  latest: { ...READABLE, maxValueBytes: true, cells: true, codec: true } satisfies Names<LatestOptions>,
  records: RECORDS satisfies Names<RingOptions> & Names<LogOptions> & Names<QueueOptions>,
  channel: { ...RECORDS, side: true } satisfies Names<ChannelOptions>,
  listen: { ...OPEN, maxConnections: true, keepAlive: true, codec: true } satisfies Names<ListenOptions>,
  connect: {
    signal: true,
    directory: true,
    capacityBytes: true,
    timeoutMs: true,
    keepAlive: true,
    codec: true,
  } satisfies Names<ConnectOptions>,
  directory: { directory: true } satisfies Names<DirectoryOptions>,
  unlink: UNLINK,
  cleanup: { ...UNLINK, removeAbandoned: true, prefix: true } satisfies Names<CleanupOptions>,
  tryLock: TRY_LOCK,
  lock: { ...TRY_LOCK, signal: true, timeoutMs: true } satisfies Names<LockOptions>,
  lockSync: { ...TRY_LOCK, ...SYNC },
  sync: SYNC,
  wait: WAIT,
  messages: { ...WAIT, endWithPeer: true } satisfies Names<MessagesOptions>,
  changed: { ...WAIT, since: true } satisfies Names<ChangedOptions>,
  request: { ...WAIT, timeoutMs: true } satisfies Names<RequestOptions>,
  logReader: {
    start: true,
    reliable: true,
    name: true,
    whenSlow: true,
    slowAfterMs: true,
    onLost: true,
  } satisfies Names<LogReaderOptions>,
} satisfies Record<keyof typeof OPTION_NAMES, Readonly<Record<string, true>>>;

it.each(Object.entries(OF_TYPES))('the names of the options "%s" are those of their type', (group, names) => {
  const ofTable = OPTION_NAMES[group as keyof typeof OPTION_NAMES];
  expect([...ofTable].sort()).toEqual(Object.keys(names).sort());
});
