/**
 * Bundles a program of the harness with kill points compiled in, so that plain Node can run it without TypeScript.
 *
 * The bundle lies directly below the folder of the package, from where the addon is found as it is from `dist/`. Its name is its own, so that
 * several test runs at a time do not disturb each other.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

const packageDir = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @param {string} source path of the program, from the folder of the package
 * @param {{ steps: boolean }} options whether kill points are compiled in
 * @returns {Promise<{ file: string, remove: () => void }>}
 */
export async function buildHarness(source, { steps }) {
  const name = `${source.split('/').pop().replace('.ts', '')}-${process.pid}-${Date.now().toString(36)}`;
  await build({
    config: false,
    entry: { [name]: join(packageDir, source) },
    outDir: join(packageDir, 'test-output'),
    outExtension: () => ({ js: '.mjs' }),
    format: 'esm',
    target: 'node20',
    tsconfig: join(packageDir, 'tsconfig.test.json'),
    silent: true,
    clean: false,
    dts: false,
    splitting: false,
    noExternal: [/^@chat\//],
    esbuildOptions: (options) => {
      options.minifySyntax = true;
      options.conditions = ['@chat/source'];
    },
    define: { __CHAT_SHM_STEPS__: String(steps) },
  });
  const file = join(packageDir, 'test-output', `${name}.mjs`);
  return { file, remove: () => rmSync(file, { force: true }) };
}
