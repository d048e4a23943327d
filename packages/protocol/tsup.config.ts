import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/frames.ts', 'src/lines.ts', 'src/check.ts', 'src/codecs/msgpack.ts'],
  format: ['esm', 'cjs'],
  target: 'node20',
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  sourcemap: true,
  // The sources are in the package beside their maps.
  esbuildOptions: (options) => {
    options.sourcesContent = false;
  },
  clean: true,
  // MessagePack is inside, with its licence, so that the subpath works without installing anything.
  noExternal: ['@msgpack/msgpack'],
  onSuccess: async () => {
    const library = createRequire(import.meta.url).resolve('@msgpack/msgpack');
    copyFileSync(join(library, '../../LICENSE'), 'dist/codecs/msgpack.LICENSE');
  },
});
