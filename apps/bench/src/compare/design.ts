/**
 * The comparison that no stopwatch makes: what each way can do, what it costs to understand, how it fails, and
 * when to choose it. Every row leans on figures of the report or on files of this repository.
 */
import type { CompareReport } from './figures.js';
import { Quotes } from './quotes.js';

/** One row. `evidence` are paths in the repository, from its root. */
export interface DesignRow {
  readonly aspect: string;
  readonly sockets: string;
  readonly sharedMemory: string;
  /** In its place, where what is said depends on what was measured. */
  readonly measuredSharedMemory?: (quotes: Quotes) => string;
  /** What the run says about it. */
  readonly figures?: (quotes: Quotes) => string;
  readonly evidence: readonly string[];
}

/** A row as it is shown: with the figures of one report. */
export interface DesignEntry extends Omit<DesignRow, 'figures' | 'measuredSharedMemory'> {
  readonly figures: string;
}

/** The rows with the figures of a report. */
export function designEntries(report: CompareReport): DesignEntry[] {
  const quotes = new Quotes(report);
  return DESIGN_ROWS.map(({ measuredSharedMemory, figures, ...row }) => ({
    ...row,
    sharedMemory: measuredSharedMemory?.(quotes) ?? row.sharedMemory,
    figures: figures?.(quotes) ?? '',
  }));
}

/** Name of a reader of a log in shared memory, beside connections to servers. */
export const LOG_READER = 'log in shared memory';

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
    evidence: ['packages/client/src/connection/transports/tcp.ts', 'packages/shm/src/segment/path.ts'],
  },
  {
    aspect: 'speed',
    sockets:
      'Bytes are copied into the kernel and out again; one system call for each write and each wake-up.',
    sharedMemory:
      'Bytes are copied once into memory that the other side already sees; no system call while both are awake.',
    figures: (quotes) =>
      `CPU time for a message of 64 B: TCP ${quotes.cpuPerMessage('tcp')}, channel ${quotes.cpuPerMessage('shm-channel-polled')}`,
    evidence: ['packages/server/src/room/fan-out.ts', 'packages/shm/src/ring/writer.ts'],
  },
  {
    aspect: 'waiting',
    sockets: 'The kernel wakes the reader; an idle connection costs no CPU.',
    sharedMemory:
      'Either one polls and a core is busy, or a doorbell wakes the reader, which is a socket again.',
    figures: (quotes) =>
      `idle CPU: TCP ${quotes.idleCpu('tcp')}, doorbell ${quotes.idleCpu('shm-channel')}, polling ${quotes.idleCpu('shm-channel-polled')}; ` +
      `woken after: Unix socket ${quotes.wakeUp('unix')}, doorbell ${quotes.wakeUp('shm-channel')}`,
    evidence: ['packages/shm/src/waiting/bell.ts'],
  },
  {
    aspect: 'complexity',
    sockets:
      'A wire to specify, peers to distrust, connections that come and go. Each part can be tested from its bytes.',
    sharedMemory:
      'No wire, no peers from outside; but every store that publishes must name its partner and the order between them, on every CPU.',
    figures: (quotes) =>
      `server ${quotes.code('server')}, client ${quotes.code('client')}, protocol ${quotes.code('protocol')}; shared memory ${quotes.code('shared memory')}`,
    evidence: ['docs/protocol.md', 'docs/memory-layout.md', 'packages/shm/src/platform/atomics.ts'],
  },
  {
    aspect: 'failure: a peer dies',
    sockets:
      'The kernel tells: the connection ends. What was on its way is resent after a reconnect, and de-duplicated.',
    sharedMemory:
      'Nobody tells. What it left half done must be readable; its death must be proven before its lock is taken.',
    evidence: [
      'packages/client/src/connection/reconnect.ts',
      'packages/shm/src/platform/byte-lock.ts',
      'packages/shm/src/lock/mutex.ts',
    ],
  },
  {
    aspect: 'failure: a slow reader',
    sockets:
      'Costs the server a cursor; skipped while its socket is full, closed or moved on when history ends.',
    sharedMemory: 'Either the writer waits for it, or it is overtaken and told exactly how much it lost.',
    evidence: ['packages/server/src/room/fan-out.ts', 'packages/shm/src/log/cursor.ts'],
  },
  {
    aspect: 'scalability',
    sockets:
      'Members cost memory and one write each. Nothing ends at the machine; this server itself uses one core.',
    sharedMemory: 'Readers cost a cursor each, but all of them run on the cores of one machine.',
    figures: (quotes) =>
      `${quotes.fanOut()}, ${quotes.memory('chat')} each; ${quotes.logFanOut()}, ${quotes.memory(LOG_READER)} each`,
    evidence: ['packages/server/src/log', 'packages/shm/src/log/log.ts'],
  },
  {
    aspect: 'security',
    sockets: 'Strangers connect: every length, name and rate is checked before anything is done for it. TLS.',
    sharedMemory:
      'File permissions decide who is in; whoever is in can write any byte, so readers check what they read.',
    evidence: [
      'packages/server/src/limits',
      'packages/protocol/src/frame-decoder.ts',
      'packages/shm/src/segment/file.ts',
    ],
  },
  {
    aspect: 'portability',
    sockets: 'Linux, macOS, Windows, browsers; no native code.',
    sharedMemory: 'A native addon for each platform and Node version; measured on Linux only.',
    evidence: ['packages/shm/src/platform/addon.ts'],
  },
  {
    aspect: 'looking into it',
    sockets: 'nc, a browser, a packet capture; the line dialect is read with the eye.',
    sharedMemory: 'A file that must be decoded: chat-shm lists the segments, and who is in them.',
    evidence: ['packages/protocol/src/line-dialect.ts', 'packages/shm/src/tools/cli.ts'],
  },
  {
    aspect: 'choose it when',
    sockets: 'People or programs come and go, may be elsewhere, and must not trust each other.',
    sharedMemory:
      'A few programs of one owner on one machine exchange more than sockets carry, or need the answer sooner.',
    measuredSharedMemory: (quotes) =>
      `A few programs of one owner on one machine exchange ${quotes.millions() ? 'millions of messages a second' : 'more than sockets carry'}, ` +
      `or need ${quotes.microseconds() ? 'answers in microseconds' : 'the answer sooner'}.`,
    figures: (quotes) =>
      `round trip and rate: chat ${quotes.roundTrip('chat-tcp')}, ${quotes.mostMessages('chat-tcp')}; TCP ${quotes.roundTrip('tcp')}, ${quotes.mostMessages('tcp')}; ` +
      `channel ${quotes.roundTrip('shm-channel-polled')}, ${quotes.mostMessages('shm-channel-polled')}`,
    evidence: [],
  },
];
