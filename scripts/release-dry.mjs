#!/usr/bin/env node
/**
 * `npm run release:dry`: what a release of the last commit would be. Versions, changelogs, and tarballs with their
 * sizes; nothing is published, and nothing here is changed. Works in a clone that it throws away.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmOfThisNode } from './npm-of-this-node.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const clone = mkdtempSync(join(tmpdir(), 'chat-release-'));
const node = (...args) =>
  execFileSync(process.execPath, args, {
    cwd: clone,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });

try {
  execFileSync('git', ['clone', '--quiet', '--shared', ROOT, clone]);
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction');
  const before = versions();
  node(join(ROOT, 'node_modules/@changesets/cli/bin.js'), 'version');
  for (const [name, { folder, version }] of versions()) {
    console.log(`\n${name} ${before.get(name).version} → ${version}\n`);
    console.log(newest(join(clone, folder, 'CHANGELOG.md')));
    console.log(tarball(folder));
  }
} finally {
  rmSync(clone, { recursive: true, force: true, maxRetries: 3 });
}

/** The packages of the clone: version and folder by name. */
function versions() {
  return new Map(
    readdirSync(join(clone, 'packages')).map((entry) => {
      const folder = join('packages', entry);
      const { name, version } = JSON.parse(readFileSync(join(clone, folder, 'package.json'), 'utf8'));
      return [name, { folder, version }];
    }),
  );
}

/** The chapter of the newest version. */
function newest(changelog) {
  const [, chapter] = readFileSync(changelog, 'utf8').split(/^## .*$/m);
  return chapter.trim();
}

/** Packs with what was built here: the clone has the sources alone. */
function tarball(folder) {
  cpSync(join(ROOT, folder, 'dist'), join(clone, folder, 'dist'), { recursive: true });
  const printed = node(
    npmOfThisNode(),
    'pack',
    '--dry-run',
    '--json',
    '--ignore-scripts',
    join(clone, folder),
  );
  const [{ filename, size, unpackedSize, files }] = Object.values(JSON.parse(printed));
  const kb = (bytes) => `${Math.round(bytes / 1000)} kB`;
  return `\n${filename}: ${files.length} files, ${kb(size)}, unpacked ${kb(unpackedSize)}`;
}
