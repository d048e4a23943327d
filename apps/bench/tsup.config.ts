import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    // What npm runs.
    fanout: 'src/commands/fanout.ts',
    durable: 'src/commands/durable.ts',
    compare: 'src/commands/compare.ts',
    shm: 'src/commands/shm.ts',
    check: 'src/commands/check.ts',
    diagrams: 'src/commands/diagrams.ts',
    // What those start.
    'fanout-load': 'src/fanout/load.ts',
    'durable-load': 'src/durable/load.ts',
    'durable-bare': 'src/durable/bare-sqlite.ts',
    'pair-near': 'src/pairs/ends/near.ts',
    'pair-far': 'src/pairs/ends/far.ts',
    'shm-log': 'src/pairs/log-process.ts',
    'shm-crowd': 'src/pairs/crowd-process.ts',
    'check-codecs': 'src/check/codec-process.ts',
    'bare-server': 'src/ways/servers/bare-server.ts',
    'ws-server': 'src/ways/servers/ws-server.ts',
    'socket-io-server': 'src/ways/servers/socket-io-server.ts',
  },
  external: ['playwright-core', 'libsql'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
});
