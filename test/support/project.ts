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
      // The files of a worker share what they import, which would take a second each time. Whoever replaces a module, a
      // global or a variable of the environment puts it back.
      isolate: false,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      ...test,
    },
  });
}
