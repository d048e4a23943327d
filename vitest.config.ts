import { defineConfig } from 'vitest/config';

const report = process.env.CHAT_TEST_REPORT;

export default defineConfig({
  test: {
    // Most of a test is waiting: for a browser, a terminal, a process that starts. One file for each core, also where there are two.
    maxWorkers: '100%',
    projects: ['packages/*', 'apps/*', 'test'],
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
