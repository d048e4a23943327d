import { project } from '../../test/support/project.js';

export default project('shm', { globalSetup: ['test/support/build-child.mjs'] });
