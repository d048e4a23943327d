import { project } from '../../test/support/project.js';

export default project('app-server', { globalSetup: ['../../test/support/build-apps.ts'] });
