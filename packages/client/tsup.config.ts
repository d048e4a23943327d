import { defineConfig, type Options } from 'tsup';

const common: Options = {
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
};

export default defineConfig([
  {
    ...common,
    entry: { index: 'src/index.ts', browser: 'src/browser.ts', timeline: 'src/timeline/index.ts' },
    // Both parts are built at once: this one leaves what belongs to the other.
    clean: ['!react.*'],
  },
  {
    ...common,
    entry: { react: 'src/react/index.ts' },
    // By its name, so that a page gets the client for browsers, and the one class that it has of each.
    external: [/^@chat\/client/],
    banner: { js: "'use client';" },
  },
]);
