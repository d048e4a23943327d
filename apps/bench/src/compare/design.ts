/**
 * The comparison that no stopwatch makes: what each way can do, what it costs to understand, how it fails, and
 * when to choose it. Every row leans on a figure of the report or on a file of this repository.
 */

/** One row. `evidence` are paths in the repository, from its root. */
export interface DesignRow {
  readonly aspect: string;
  readonly sockets: string;
  readonly sharedMemory: string;
  readonly evidence: readonly string[];
}

/** The parts whose code is counted. The first folder has the `index.ts` that users import. */
export const CODE_PARTS: readonly { readonly part: string; readonly folders: readonly string[] }[] = [
  { part: 'protocol', folders: ['packages/protocol/src'] },
  { part: 'server', folders: ['packages/server/src'] },
  { part: 'client', folders: ['packages/client/src'] },
  { part: 'shared memory', folders: ['packages/shm/src'] },
];

/** The rows, in reading order. */
export const DESIGN_ROWS: readonly DesignRow[] = [
  {
    aspect: 'scope',
    sockets:
      'Any machine that can be reached. The same program talks to itself, to the next room and to a browser.',
    sharedMemory:
      'Processes of one machine that may open the same file. In containers, only with a shared folder.',
    evidence: ['packages/client/src/transports/tcp.ts', 'packages/shm/src/segment-path.ts'],
  },
  {
    aspect: 'what moves',
    sockets:
      'Bytes are copied into the kernel and out again; one system call for each write and each wake-up.',
    sharedMemory:
      'Bytes are copied once into memory that the other side already sees; no system call while both are awake.',
    evidence: ['packages/server/src/fan-out.ts', 'packages/shm/src/ring-writer.ts'],
  },
  {
    aspect: 'waiting',
    sockets: 'The kernel wakes the reader; an idle connection costs no CPU.',
    sharedMemory:
      'Either one asks all the time and a core is busy, or a doorbell wakes the reader, which is a socket again.',
    evidence: ['packages/shm/src/doorbell.ts'],
  },
  {
    aspect: 'synchronisation',
    sockets: 'None to write: the stream is ordered, and one process owns the state.',
    sharedMemory:
      'Every store that publishes must name its partner and the order between them, on every CPU.',
    evidence: ['packages/shm/src/atomics.ts', 'packages/shm/src/mutex.ts'],
  },
  {
    aspect: 'a peer dies',
    sockets:
      'The kernel tells: the connection ends. What was on its way is resent after a reconnect, and de-duplicated.',
    sharedMemory:
      'Nobody tells. What it left half done must be readable; its death must be proven before its lock is taken.',
    evidence: ['packages/client/src/reconnect.ts', 'packages/shm/src/liveness.ts'],
  },
  {
    aspect: 'a slow reader',
    sockets:
      'Costs the server a cursor; skipped while its socket is full, closed or moved on when history ends.',
    sharedMemory: 'Either the writer waits for it, or it is overtaken and told exactly how much it lost.',
    evidence: ['packages/server/src/fan-out.ts', 'packages/shm/src/log-cursor.ts'],
  },
  {
    aspect: 'scalability',
    sockets: 'Members cost memory and one write each; more cores and machines by sharing the log.',
    sharedMemory: 'Readers cost nearly nothing, but all of them run on the cores of one machine.',
    evidence: ['packages/server/src/log', 'packages/shm/src/log.ts'],
  },
  {
    aspect: 'security',
    sockets: 'Strangers connect: every length, name and rate is checked before anything is done for it. TLS.',
    sharedMemory:
      'File permissions decide who is in; whoever is in can write any byte, so readers check what they read.',
    evidence: [
      'packages/server/src/limits',
      'packages/protocol/src/frame-decoder.ts',
      'packages/shm/src/segment-file.ts',
    ],
  },
  {
    aspect: 'portability',
    sockets: 'Linux, macOS, Windows, browsers; no native code.',
    sharedMemory: 'A native addon for each platform and Node version; measured on Linux only.',
    evidence: ['packages/shm/src/addon.ts'],
  },
  {
    aspect: 'looking into it',
    sockets: 'nc, a browser, a packet capture; the line dialect is read with the eye.',
    sharedMemory: 'A file that must be decoded; the package brings a tool that does.',
    evidence: ['packages/protocol/src/line-dialect.ts', 'packages/shm/src/inspect.ts'],
  },
  {
    aspect: 'choose it when',
    sockets: 'People or programs come and go, may be elsewhere, and must not trust each other.',
    sharedMemory:
      'A few programs of one owner on one machine exchange millions of messages a second, or need answers in microseconds.',
    evidence: [],
  },
];
