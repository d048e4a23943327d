/** What the tests of all workspaces have in common. */
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Sources stand for packages, so that nothing has to be built. A test that hangs is to fail; one that is slow because the machine is busy is not. */
export function project(name: string, test: ViteUserConfig['test'] = {}): ViteUserConfig {
  return defineConfig({
    resolve: { conditions: ['@chat/source'] },
    ssr: { resolve: { conditions: ['@chat/source'] } },
    test: {
      name,
      include: ['test/**/*.test.{ts,tsx}'],
      testTimeout: 60_000,
      hookTimeout: 60_000,
      ...test,
    },
  });
}
