import { project } from '../../test/support/project.js';

export default project('app-bench', { include: ['src/**/*.test.ts'] });
