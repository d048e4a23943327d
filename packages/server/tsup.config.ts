import { defineConfig } from 'tsup';

export default defineConfig({
  // The thread of the store is a file of its own, beside the file that starts it.
  entry: {
    index: 'src/index.ts',
    nats: 'src/nats/index.ts',
    sqlite: 'src/sqlite/index.ts',
    'sqlite-thread': 'src/sqlite/thread/main.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  // That file is found relative to import.meta.url, which CommonJS does not have.
  shims: true,
  // Symbol.asyncDispose is in the declarations, and in no `lib` that people have by themselves.
  dts: {
    entry: { index: 'src/index.ts', nats: 'src/nats/index.ts', sqlite: 'src/sqlite/index.ts' },
    banner: '/// <reference lib="esnext.disposable" />',
    compilerOptions: { ignoreDeprecations: '6.0' },
  },
  sourcemap: true,
  // The sources are in the package beside their maps.
  esbuildOptions: (options) => {
    options.sourcesContent = false;
  },
  clean: true,
});
