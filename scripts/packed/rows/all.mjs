/** All rows, in the order of the table. */
import { bundlers } from './bundlers.mjs';
import { compilers } from './compilers.mjs';
import { environments } from './environments.mjs';
import { installers } from './installers.mjs';
import { nodes } from './nodes.mjs';

export const GROUPS = [
  { title: 'Node', rows: nodes },
  { title: 'Package managers', rows: installers },
  { title: 'TypeScript', rows: compilers },
  { title: 'Bundlers', rows: bundlers },
  { title: 'Test runners and frameworks', rows: environments },
];
