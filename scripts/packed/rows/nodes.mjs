/** Nodes: every package and subpath, from ESM and CommonJS. */
import { everything } from '../programs.mjs';
import { NODES } from '../versions.mjs';

export const nodes = NODES.map((version) => ({
  what: `Node ${version}`,
  how: 'ESM and CommonJS, all packages and subpaths; TCP, WebSocket, shared memory',
  run: async ({ project, tools }) => {
    const node = await tools.node(version);
    await project.install();
    await useEverything(project, node);
  },
}));

/** Runs the programs that use all packages, in a project that has them. */
export async function useEverything(project, node = process.execPath) {
  const { files, prints } = everything();
  project.write(files);
  for (const file of Object.keys(files)) {
    const printed = await project.run(node, [file]);
    if (printed !== prints) throw new Error(`${file} printed\n${printed}\ninstead of\n${prints}`);
  }
}
