import { defineConfig } from 'vite';

export default defineConfig({
  // The page may stand under a path that a proxy takes off: what it needs is beside it.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: {
    alias: {
      'react-dom': 'preact/compat',
      'react/jsx-runtime': 'preact/jsx-runtime',
      react: 'preact/compat',
    },
  },
  // `npm run dev`: the page as it is written, the chat of a server at its usual port.
  server: { proxy: { '/ws': { target: 'ws://127.0.0.1:12345', ws: true } } },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      // A mark for frameworks that render on a server; there is none here.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
});
