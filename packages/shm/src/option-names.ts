/**
 * The names of all options. What has another name is refused, with the name that was likely meant: `openChannel('x', {
 * capcityBytes: 4096 })` would make a channel of another size without a word.
 *
 * The tables know no types, so that every file may use them; a test holds them against the types.
 */

type Names = Readonly<Record<string, true>>;

const OPEN: Names = {
  mode: true,
  directory: true,
  permissions: true,
  maxParticipants: true,
  trustOwners: true,
  onMismatch: true,
};
const READABLE: Names = { ...OPEN, access: true };
const DIRECTORY: Names = { directory: true };
const UNLINK: Names = { ...DIRECTORY, trustOwners: true };
const CLEANUP: Names = { ...UNLINK, removeAbandoned: true };
const SEGMENT: Names = { ...READABLE, payloadBytes: true };
const LATEST: Names = { ...READABLE, maxValueBytes: true, cells: true, codec: true };
const RECORDS = { ...OPEN, capacityBytes: true, maxQueuedBytes: true, keepAlive: true, codec: true } as const;
const RING: Names = RECORDS;
const CHANNEL: Names = { ...RECORDS, side: true };
const LOG: Names = RECORDS;

const TRY_LOCK: Names = { acceptPoisoned: true };
const LOCK: Names = { ...TRY_LOCK, signal: true, timeoutMs: true };
const WAIT: Names = { signal: true };
const SYNC: Names = { timeoutMs: true };
const MESSAGES: Names = { ...WAIT, endWithPeer: true };
const QUEUE: Names = RECORDS;
const LISTEN: Names = { ...OPEN, maxConnections: true, keepAlive: true, codec: true };
const CONNECT: Names = {
  ...WAIT,
  directory: true,
  capacityBytes: true,
  timeoutMs: true,
  keepAlive: true,
  codec: true,
};
const REQUEST: Names = { ...WAIT, timeoutMs: true };
const CHANGED: Names = { ...WAIT, since: true };
const LOG_READER: Names = {
  start: true,
  reliable: true,
  name: true,
  whenSlow: true,
  slowAfterMs: true,
  onLost: true,
};

/** What takes options. */
export type Taker =
  | 'openSegment'
  | 'openLatest'
  | 'openMutex'
  | 'openRing'
  | 'openChannel'
  | 'openLog'
  | 'inspect'
  | 'unlink'
  | 'listSegments'
  | 'cleanup'
  | 'withLock'
  | 'tryLock'
  | 'lockSync'
  | 'readableSync'
  | 'changedSync'
  | 'send'
  | 'receive'
  | 'readable'
  | 'messages'
  | 'log.append'
  | 'log.reader'
  | 'reader.readable'
  | 'reader.entries'
  | 'writable'
  | 'latest.changed'
  | 'segment.changed'
  | 'listen'
  | 'connect'
  | 'server.accepted'
  | 'requests.request'
  | 'openQueue'
  | 'queue.put'
  | 'queue.take';

/** Options by what takes them. */
export const OPTION_NAMES: Readonly<Record<Taker, Readonly<Record<string, true>>>> = {
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

const MODES = ['create', 'open', 'open-or-create'];
const ACCESSES = ['read-write', 'read-only'];

/**
 * Looks at the names alone, and at the two options that are words. Cheap enough for every call: without options nothing
 * is compared.
 *
 * @throws TypeError that names the first option which does not exist, and the one that was likely meant
 */
export function assertOptions(options: unknown, taker: Taker): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const kind = options === null ? 'null' : Array.isArray(options) ? 'an array' : `a ${typeof options}`;
    throw new TypeError(`the options of ${taker} must be an object, not ${kind}`);
  }
  const names = OPTION_NAMES[taker];
  for (const name in options) {
    if (!Object.hasOwn(names, name)) throw new TypeError(explain(name, Object.keys(names)));
  }
  const { mode, access } = options as { readonly mode?: string; readonly access?: string };
  assertOneOf('mode', mode, MODES);
  assertOneOf('access', access, ACCESSES);
}

function assertOneOf(option: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new TypeError(`${option} is '${allowed.join("', '")}', not ${JSON.stringify(value)}`);
}

function explain(name: string, names: readonly string[]): string {
  const meant = likelyMeant(name, names);
  if (meant !== undefined) return `unknown option "${name}"; did you mean "${meant}"?`;
  return `unknown option "${name}"; there is ${names.join(', ')}`;
}

/** The name that is the fewest edits away: at most a third of what was written, and one for short names. */
export function likelyMeant(name: string, names: readonly string[]): string | undefined {
  const [closest] = names
    .map((known) => ({ known, edits: editsBetween(name.toLowerCase(), known.toLowerCase()) }))
    .sort((one, other) => one.edits - other.edits);
  return closest && closest.edits <= Math.max(1, Math.floor(name.length / 3)) ? closest.known : undefined;
}

/** Insertions, deletions and substitutions that make `b` of `a` (Levenshtein); a swap of neighbours counts as one. */
function editsBetween(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row++) {
    const [last, current] = [rows[row - 1]!, [row]];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
        isSwapped ? rows[row - 2]![column - 2]! + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(current);
  }
  return rows[a.length]![b.length]!;
}
