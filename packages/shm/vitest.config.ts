import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@chat/source'] },
  ssr: { resolve: { conditions: ['@chat/source'] } },
  test: {
    name: 'shm',
    include: ['test/**/*.test.ts'],
    // A test that hangs is to fail; one that is slow because the machine is busy is not.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/build-child.mjs'],
  },
});
