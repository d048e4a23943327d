import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node20',
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  sourcemap: true,
  clean: true,
  // The addon is found relative to import.meta.url, which CommonJS does not have.
  shims: true,
  // No kill points in what is published (src/step.ts): false by definition, and then folded away.
  define: { __CHAT_SHM_STEPS__: 'false' },
  esbuildOptions(options) {
    options.minifySyntax = true;
  },
});
