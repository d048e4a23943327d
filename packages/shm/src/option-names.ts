/**
 * The names of all options. What has another name is refused, with the name that was likely meant: `openChannel('x', {
 * capcityBytes: 4096 })` would make a channel of another size without a word.
 *
 * The tables know no types, so that every file may use them; a test holds them against the types.
 */

/** What takes options, and which. */
const TAKERS = {
  openSegment: 'segment',
  openLatest: 'latest',
  openMutex: 'open',
  openRing: 'records',
  openChannel: 'channel',
  openLog: 'records',
  openQueue: 'records',
  listen: 'listen',
  connect: 'connect',
  inspect: 'directory',
  listSegments: 'directory',
  unlink: 'unlink',
  cleanup: 'cleanup',
  withLock: 'lock',
  tryLock: 'tryLock',
  lockSync: 'lockSync',
  readableSync: 'sync',
  changedSync: 'sync',
  send: 'wait',
  writable: 'wait',
  receive: 'messages',
  readable: 'messages',
  messages: 'messages',
  'latest.changed': 'wait',
  'segment.changed': 'changed',
  'log.append': 'wait',
  'log.reader': 'logReader',
  'reader.readable': 'wait',
  'reader.entries': 'wait',
  'queue.put': 'wait',
  'queue.take': 'wait',
  'server.accepted': 'wait',
  'requests.request': 'request',
} as const;
/** What takes options. */
export type Taker = keyof typeof TAKERS;

const OPEN = ['mode', 'directory', 'permissions', 'maxParticipants', 'trustOwners', 'onMismatch'];
const READABLE = [...OPEN, 'access'];
const RECORDS = [...OPEN, 'capacityBytes', 'maxQueuedBytes', 'keepAlive', 'codec'];

/** The names, by what {@link TAKERS} calls them. */
export const OPTION_NAMES: Readonly<Record<(typeof TAKERS)[Taker], readonly string[]>> = {
  open: OPEN,
  segment: [...READABLE, 'payloadBytes'],
  latest: [...READABLE, 'maxValueBytes', 'cells', 'codec'],
  records: RECORDS,
  channel: [...RECORDS, 'side'],
  listen: [...OPEN, 'maxConnections', 'keepAlive', 'codec'],
  connect: ['signal', 'directory', 'capacityBytes', 'timeoutMs', 'keepAlive', 'codec'],
  directory: ['directory'],
  unlink: ['directory', 'trustOwners'],
  cleanup: ['directory', 'trustOwners', 'removeAbandoned', 'prefix'],
  tryLock: ['acceptPoisoned'],
  lock: ['acceptPoisoned', 'signal', 'timeoutMs'],
  lockSync: ['acceptPoisoned', 'timeoutMs'],
  sync: ['timeoutMs'],
  wait: ['signal'],
  messages: ['signal', 'endWithPeer'],
  changed: ['signal', 'since'],
  request: ['signal', 'timeoutMs'],
  logReader: ['start', 'reliable', 'name', 'whenSlow', 'slowAfterMs', 'onLost'],
};

/** The options that are words, of whatever takes them. */
const WORDS: ReadonlyMap<string, readonly unknown[]> = new Map([
  ['mode', ['create', 'open', 'open-or-create']],
  ['access', ['read-write', 'read-only']],
  ['onMismatch', ['refuse', 'replace-abandoned']],
]);

/** The names of the options of `taker`. */
export function optionsOf(taker: Taker): readonly string[] {
  return OPTION_NAMES[TAKERS[taker]];
}
/**
 * Looks at the names alone, and at the options that are words. Cheap enough for every call: without options nothing
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
  const names = optionsOf(taker);
  for (const name in options) {
    if (!names.includes(name)) throw new TypeError(explain(name, names));
    const allowed = WORDS.get(name);
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (allowed === undefined || value === undefined || allowed.includes(value)) continue;
    throw new TypeError(`${name} is '${allowed.join("', '")}', not ${JSON.stringify(value)}`);
  }
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
