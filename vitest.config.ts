import { defineConfig } from 'vitest/config';

const report = process.env.CHAT_TEST_REPORT;

export default defineConfig({
  test: {
    projects: ['packages/*', 'apps/*', 'test'],
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
