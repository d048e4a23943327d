import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@chat/source'] },
  ssr: { resolve: { conditions: ['@chat/source'] } },
  test: {
    name: 'app-processes',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build-child.mjs'],
  },
});
