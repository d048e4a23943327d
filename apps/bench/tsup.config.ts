import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    fanout: 'src/fanout/main.ts',
    'fanout-load': 'src/fanout/load.ts',
    compare: 'src/compare/main.ts',
    check: 'src/check/main.ts',
    'check-codecs': 'src/check/codec-process.ts',
    'compare-near': 'src/compare/near.ts',
    'compare-far': 'src/compare/far.ts',
    diagrams: 'src/diagrams/main.ts',
    'ws-server': 'src/peers/ws-server.ts',
    'socket-io-server': 'src/peers/socket-io-server.ts',
  },
  external: ['playwright-core'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
});
