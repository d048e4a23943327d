import { project } from './support/project.js';

// The examples and the packed packages start compilers and installers.
export default project('repo', {
  globalSetup: ['support/build-apps.ts'],
  include: ['*.test.ts', 'stress/**/*.test.ts'],
  testTimeout: 180_000,
  hookTimeout: 180_000,
});
