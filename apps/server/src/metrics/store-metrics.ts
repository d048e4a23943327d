/** How the data folder is doing, as Prometheus reads it. */
import type { SqliteLog, StoreStats } from '@chat/server/sqlite';
import { Gauge, type Registry } from 'prom-client';

const FIGURES: readonly (readonly [name: string, help: string, read: (stats: StoreStats) => number])[] = [
  ['chat_store_position', 'Position of the newest stored entry', (stats) => stats.storedPosition],
  ['chat_store_file_bytes', 'Bytes of the database and its journal', (stats) => stats.fileBytes],
  ['chat_store_pending_bytes', 'Bytes of entries that wait for the disk', (stats) => stats.pendingBytes],
  [
    'chat_store_commit_p50_seconds',
    'Median duration of the latest 256 transactions',
    ({ commitMs }) => commitMs.p50 / 1000,
  ],
  [
    'chat_store_commit_p99_seconds',
    '99th percentile of the duration of the latest 256 transactions',
    ({ commitMs }) => commitMs.p99 / 1000,
  ],
  [
    'chat_store_slow_searches',
    'Searches so far that were given up because they took too long',
    (stats) => stats.slowQueries,
  ],
];

/** Adds what the store of a server counts to its other figures. */
export function registerStoreMetrics(register: Registry, log: Pick<SqliteLog, 'stats' | 'condition'>): void {
  // One look at the store serves all that are asked for together.
  let look: Promise<StoreStats> | undefined;
  const stats = (): Promise<StoreStats> => {
    look ??= log.stats().finally(() => {
      look = undefined;
    });
    return look;
  };
  for (const [name, help, read] of FIGURES) {
    new Gauge({
      name,
      help,
      registers: [register],
      async collect() {
        this.set(read(await stats()));
      },
    });
  }
  new Gauge({
    name: 'chat_store_open',
    help: '1 while the store takes entries, 0 while it is full or has failed',
    registers: [register],
    collect() {
      this.set(log.condition.state === 'open' ? 1 : 0);
    },
  });
}
