/** The programs of this repository as they are built, which start in a fraction of the time that their sources take. */
import { join } from 'node:path';
import { ROOT } from './workspaces.js';

/** The main file of an app, such as `server`. A project whose tests start it has `build-apps.ts` as its set-up. */
export function builtApp(app: string): string {
  return join(ROOT, 'apps', app, 'dist', 'main.js');
}
