// `npm run test:matrix -w @chat/shm`: the test of the packed package in every Node that the addon is for, and of a process that becomes
// another program in the newest.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SHIPPED } from '../native/compile.mjs';
import { installNodes } from './nodes.mjs';

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const { arch, majors } = SHIPPED.find((target) => target.arch === 'x64');
const nodes = installNodes(arch, majors);
try {
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', 'test/packed.test.ts', 'test/segment/death.test.ts', '--reporter=verbose'],
    {
      env: { ...process.env, CHAT_SHM_TEST_NODES: nodes.binaries.join(':') },
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
} finally {
  nodes.remove();
}
