import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@chat/source'] },
  ssr: { resolve: { conditions: ['@chat/source'] } },
  test: { name: 'server', include: ['test/**/*.test.ts'], testTimeout: 30_000 },
});
