/**
 * What a tarball holds: nothing that is not on its list, and no more bytes than its budget. Sources may be any; all
 * other files are listed one by one, but for the parts that entries share, which have a hash in their name. A map stands
 * beside its code.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { npmOfThisNode } from '../scripts/npm-of-this-node.mjs';
import { ROOT, workspacesIn } from './support/workspaces.js';

/** Bytes to download, and files, by package. A budget is about a tenth above what it takes today. */
const TARBALLS: Readonly<Record<string, { readonly maxBytes: number; readonly files: readonly string[] }>> = {
  '@chat/protocol': {
    maxBytes: 166_000,
    files: [
      'dist/check.cjs',
      'dist/check.d.cts',
      'dist/check.d.ts',
      'dist/check.js',
      'dist/codecs/msgpack.LICENSE',
      'dist/codecs/msgpack.cjs',
      'dist/codecs/msgpack.d.cts',
      'dist/codecs/msgpack.d.ts',
      'dist/codecs/msgpack.js',
      'dist/frames.cjs',
      'dist/frames.d.cts',
      'dist/frames.d.ts',
      'dist/frames.js',
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/lines.cjs',
      'dist/lines.d.cts',
      'dist/lines.d.ts',
      'dist/lines.js',
    ],
  },
  '@chat/client': {
    maxBytes: 318_000,
    files: [
      'dist/browser.cjs',
      'dist/browser.d.cts',
      'dist/browser.d.ts',
      'dist/browser.js',
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/react.cjs',
      'dist/react.d.cts',
      'dist/react.d.ts',
      'dist/react.js',
      'dist/timeline.cjs',
      'dist/timeline.d.cts',
      'dist/timeline.d.ts',
      'dist/timeline.js',
    ],
  },
  '@chat/server': {
    // Three entries, each as ESM and CommonJS with maps, and the sources once.
    maxBytes: 1_100_000,
    files: [
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/nats.cjs',
      'dist/nats.d.cts',
      'dist/nats.d.ts',
      'dist/nats.js',
      'dist/sqlite-thread.cjs',
      'dist/sqlite-thread.js',
      'dist/sqlite.cjs',
      'dist/sqlite.d.cts',
      'dist/sqlite.d.ts',
      'dist/sqlite.js',
    ],
  },
  '@chat/shm': {
    maxBytes: 446_000,
    files: [
      'bin/chat-shm-build.mjs',
      'bin/chat-shm.mjs',
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/tools/cli.js',
      'native/addon.cc',
      'native/compile.mjs',
      'native/shim/nan.h',
      'native/shim/string',
      'native/verify.cjs',
      'prebuilds/LICENSE.mmap-io',
      'prebuilds/linux-arm64/chat-shm.node',
      'prebuilds/linux-x64/chat-shm.node',
      'prebuilds/manifest.json',
    ],
  },
};

/** Sources, parts that entries share, and documents that every package has. */
const ANYWHERE =
  /^(src\/[\w/-]+\.tsx?|dist\/[\w-]+-[\w-]{8}\.(js|d\.c?ts)|LICENSE|README\.md|CHANGELOG\.md|package\.json)$/;

it.each(workspacesIn('packages'))('the tarball of $name holds what it should', ({ name, folder }) => {
  const args = [npmOfThisNode(), 'pack', '--dry-run', '--json', '--ignore-scripts'];
  const printed = execFileSync(process.execPath, args, { cwd: join(ROOT, folder), encoding: 'utf8' });
  const [{ size, files }] = Object.values(JSON.parse(printed)) as [
    { size: number; files: readonly { path: string }[] },
  ];
  const paths = files.map(({ path }) => path);
  const listed = paths.filter((path) => !ANYWHERE.test(path) && !path.endsWith('.map'));
  const { maxBytes, files: expected } = TARBALLS[name]!;
  expect(listed.sort()).toEqual([...expected].sort());
  const maps = paths.filter((path) => path.endsWith('.map')).map((path) => path.slice(0, -'.map'.length));
  expect(maps.filter((path) => !paths.includes(path))).toEqual([]);
  expect(size).toBeLessThanOrEqual(maxBytes);
  expect(size).toBeGreaterThan(maxBytes / 2);
});
