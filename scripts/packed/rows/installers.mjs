/** Package managers, with install scripts off: what they put on the disk must work with nothing else done. */
import { NEWEST_NODE, NPMS, PNPMS } from '../versions.mjs';
import { useEverything } from './nodes.mjs';

const npms = NPMS.map((version) => ({
  what: `npm ${version}`,
  how: '`npm install --ignore-scripts`, then `npm ci` from its lock file',
  run: async ({ project, tools }) => {
    const npm = await tools.npm(version);
    const node = await tools.node(NEWEST_NODE);
    await project.install([], { node, npm, args: ['--ignore-scripts', '--strict-peer-deps'] });
    await project.run(node, [npm, 'ci', '--ignore-scripts', '--prefer-offline']);
    await useEverything(project, node);
  },
}));

const pnpms = PNPMS.map((version) => ({
  what: `pnpm ${version}`,
  how: 'its strict layout, peers strict, scripts off',
  run: async ({ project, tools, registry }) => {
    const pnpm = await tools.pnpm(version);
    const node = await tools.node(NEWEST_NODE);
    // What it stores stays in the project, since the versions are the same in each run, and the packages are not.
    project.write({
      'pnpm-workspace.yaml':
        'storeDir: ./store\ncacheDir: ./cache\nstrictPeerDependencies: true\nignoreScripts: true\nminimumReleaseAge: 0\n',
    });
    await project.run(node, [pnpm, 'add', ...registry.names], { timeoutMs: 180_000 });
    await useEverything(project, node);
  },
}));

export const installers = [...npms, ...pnpms];
