import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@chat/source', 'browser'] },
  ssr: { resolve: { conditions: ['@chat/source', 'browser'] } },
  test: { name: 'web', include: ['test/**/*.test.{ts,tsx}'] },
});
