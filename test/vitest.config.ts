import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@chat/source'] },
  ssr: { resolve: { conditions: ['@chat/source'] } },
  // The examples and the packed packages start compilers and installers.
  test: { name: 'repo', include: ['*.test.ts'], testTimeout: 180_000, hookTimeout: 180_000 },
});
