import { project } from '../../test/support/project.js';

export default project('app-client', { globalSetup: ['../../test/support/build-apps.ts'] });
