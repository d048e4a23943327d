import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'src/index.ts', browser: 'src/browser.ts', timeline: 'src/timeline/index.ts' },
  format: ['esm', 'cjs'],
  target: 'node20',
  // Symbol.asyncDispose is in the declarations, and in no `lib` that people have by themselves.
  dts: {
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
