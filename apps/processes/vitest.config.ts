import { project } from '../../test/support/project.js';

export default project('app-processes', {
  globalSetup: ['test/support/build-child.mjs', '../../test/support/build-apps.ts'],
});
