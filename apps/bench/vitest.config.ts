import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@chat/source'] },
  ssr: { resolve: { conditions: ['@chat/source'] } },
  test: { name: 'app-bench', include: ['src/**/*.test.ts'] },
});
