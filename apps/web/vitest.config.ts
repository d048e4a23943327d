import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@chat/source'] },
  ssr: { resolve: { conditions: ['@chat/source'] } },
  test: { name: 'web', include: ['test/**/*.test.{ts,tsx}'] },
});
