import { cp } from 'node:fs/promises';
import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  // The server ships the web client, and never looks for it elsewhere.
  onSuccess: () => cp('../web/dist', 'dist/web', { recursive: true }),
});
