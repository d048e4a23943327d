import { defineConfig, type Options } from 'tsup';

const common: Options = {
  target: 'node20',
  sourcemap: true,
  // No kill points in what is published (src/platform/step.ts): false by definition, and then folded away.
  define: { __CHAT_SHM_STEPS__: 'false' },
  esbuildOptions(options) {
    options.minifySyntax = true;
    // The sources are in the package beside their maps.
    options.sourcesContent = false;
  },
};

export default defineConfig([
  {
    ...common,
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    // Symbol.asyncDispose is in the declarations, and in no `lib` that people have by themselves.
    dts: {
      banner: '/// <reference lib="esnext.disposable" />',
      compilerOptions: { ignoreDeprecations: '6.0' },
    },
    // Both parts are built at once: this one leaves what belongs to the other.
    clean: ['!tools/**'],
    // The addon is found relative to import.meta.url, which CommonJS does not have.
    shims: true,
  },
  // The program uses the library as everybody does, from the file beside it.
  { ...common, entry: { 'tools/cli': 'src/tools/cli.ts' }, format: 'esm', external: ['../index.js'] },
]);
