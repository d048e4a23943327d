import { defineConfig } from 'vitest/config';

// biome-ignore lint/suspicious/noUndeclaredEnvVars: set by .ci/run, which counts the tests; no task of turbo.
const report = process.env.CHAT_TEST_REPORT;

export default defineConfig({
  test: {
    projects: ['packages/*', 'apps/*', 'test'],
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
