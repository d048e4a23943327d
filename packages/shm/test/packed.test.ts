import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PackedPackage } from './support/packed-package.js';

/** Paths of `node` binaries, separated by colons; `npm run test:matrix` sets it. */
const nodes = process.env.CHAT_SHM_TEST_NODES?.split(':') ?? [process.execPath];

/** What a user does first, as the tail of an ES module or a CommonJS one, after `shm` was imported. */
const use = `
const name = 'packed-' + process.pid;
async function main() {
  const writer = shm.openSegment(name, { payloadBytes: 64 });
  await writer.withLock(() => writer.payload.set([42]));
  const reader = shm.openSegment(name, { mode: 'open', access: 'read-only' });
  console.log('read back ' + reader.payload[0]);
  reader.close();
  if (!writer.closeAndRemoveIfLast()) throw new Error('left behind');

  const left = shm.openChannel(name, { side: 'a' });
  const right = shm.openChannel(name, { side: 'b', keepAlive: true });
  setImmediate(() => left.send(Uint8Array.of(1, 2, 3)));
  for await (const message of right) {
    console.log('received ' + message.join());
    break;
  }
  left.close();
  if (!right.closeAndRemoveIfLast()) throw new Error('left behind');
}
main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
`;

describe('the packed package', () => {
  let packed: PackedPackage;
  beforeAll(() => {
    packed = new PackedPackage();
  }, 120_000);
  afterAll(() => packed.remove());

  it.each(nodes)(
    'is installed without compiler, scripts or network, and used from ESM and CommonJS, by %s',
    (node) => {
      const project = packed.install(node);
      expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
        '@chat',
      ]);
      writeFileSync(join(project, 'use.mjs'), `import * as shm from '@chat/shm';\n${use}`);
      writeFileSync(join(project, 'use.cjs'), `const shm = require('@chat/shm');\n${use}`);
      for (const file of ['use.mjs', 'use.cjs']) {
        expect(packed.run(node, project, file), file).toBe('read back 42\nreceived 1,2,3\n');
      }
    },
    120_000,
  );

  it('brings a program that shows what is there, and says with its exit code what is wrong', () => {
    const project = packed.install(process.execPath);
    const directory = mkdtempSync('/dev/shm/chat-shm-packed-');
    try {
      writeFileSync(
        join(project, 'make.mjs'),
        `import { openLog } from '@chat/shm';
         openLog('orders', { directory: ${JSON.stringify(directory)} }).tryAppend(new Uint8Array(8));`,
      );
      packed.run(process.execPath, project, 'make.mjs');
      writeFileSync(join(directory, 'foreign.cshm'), 'foreign');
      const program = 'node_modules/.bin/chat-shm';
      expect(statSync(join(project, program)).mode & 0o111).not.toBe(0);
      const show = (...args: string[]) =>
        packed.run(process.execPath, project, program, ...args, '--directory', directory);
      expect(show('list')).toMatch(/^orders +log +\d+ +1 dead +free$/m);
      expect(show('inspect', 'orders')).toMatch(/^ +entries +1\n +kept bytes +24$/m);
      expect(JSON.parse(show('inspect', 'orders', '--json'))).toMatchObject({ details: { entries: 1 } });
      expect(() => show('inspect', 'foreign')).toThrow(
        expect.objectContaining({
          status: 1,
          stderr: expect.stringMatching(/^chat-shm: .*ERR_SHM_FOREIGN.*\n$/),
        }),
      );
      expect(show('cleanup', '--remove-abandoned')).toContain('removed the segment orders');
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 60_000);

  it('brings prebuilt addons, what builds others, and the licence of what they contain', () => {
    const project = packed.install(process.execPath);
    const folder = join(project, 'node_modules/@chat/shm');
    for (const file of [
      'prebuilds/linux-x64/chat-shm.node',
      'prebuilds/linux-arm64/chat-shm.node',
      'prebuilds/LICENSE.mmap-io',
      'native/addon.cc',
      'native/shim/nan.h',
      'native/shim/string',
      'bin/chat-shm-build.mjs',
      'bin/chat-shm.mjs',
      'dist/index.js',
      'dist/index.cjs',
    ]) {
      expect(existsSync(join(folder, file)), file).toBe(true);
    }
    expect(existsSync(join(project, 'node_modules/.bin/chat-shm-build'))).toBe(true);
    const { dependencies, scripts } = createRequire(import.meta.url)(join(folder, 'package.json'));
    expect(dependencies ?? {}).toEqual({});
    expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining(['install', 'postinstall']));
  }, 60_000);
});
