#!/usr/bin/env node
// `npx chat-shm-build`: builds the addon of @chat/shm for the Node that runs this, where no prebuilt one fits.
//
// Needs a C++20 compiler, make and Python 3. mmap-io, nan and node-gyp are taken from where the package is developed, and
// are otherwise installed into a temporary folder in the versions that its package.json names. The headers of Node come
// from beside the running node, or are downloaded by node-gyp.
//
// With `--if-needed`, as the build of this repository calls it, an addon that loads is enough, and one that cannot be
// built is one line of warning and no failure: what does not map memory works without it.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonPath, compileAddon, headersAbi, installAside } from '../native/compile.mjs';

const require = createRequire(import.meta.url);
const packageDir = fileURLToPath(new URL('..', import.meta.url));
const ifNeeded = process.argv.includes('--if-needed');

const abi = process.versions.modules;
const target = { platform: process.platform, arch: process.arch, abi, libc: libc() };
const place = `${target.platform}-${target.arch} (${target.libc}), Node ${process.version}, ABI ${abi}`;
const outFile = join(packageDir, 'native/build', addonPath(target));

const unknown = process.argv.slice(2).find((argument) => !['--if-needed', '--help'].includes(argument));

if (unknown !== undefined) {
  console.error(`chat-shm-build: unknown argument '${unknown}'; there is --if-needed, and --help`);
  process.exitCode = 2;
} else if (process.argv.includes('--help')) {
  console.log('Usage: chat-shm-build [--if-needed]\nBuilds the native addon of @chat/shm for this Node.');
} else if (process.platform === 'win32') {
  fail('shared memory is not supported on Windows');
} else if (ifNeeded && loads(outFile, join(packageDir, 'prebuilds', addonPath(target)))) {
  console.log(`chat-shm-build: an addon for ${place} is here`);
} else {
  build();
}

function build() {
  let aside;
  try {
    let sources = sourcesHere();
    if (sources === undefined) {
      const { devDependencies } = require('../package.json');
      aside = installAside(['mmap-io', 'nan', 'node-gyp'].map((name) => `${name}@${devDependencies[name]}`));
      sources = sourcesBelow((name) => join(aside, 'node_modules', name));
    }
    const besideNode = dirname(dirname(process.execPath));
    compileAddon({
      sources,
      nodeDir: headersAbi(besideNode) === abi ? besideNode : undefined,
      nodeBinary: process.execPath,
      nodeVersion: process.version,
      abi,
      outFile,
    });
    console.log(`chat-shm-build: built ${outFile}`);
  } catch (error) {
    fail(ifNeeded ? error.message.split('\n')[0] : error.message);
  } finally {
    if (aside !== undefined) rmSync(aside, { recursive: true, force: true });
  }
}

function fail(reason) {
  const advice = ifNeeded ? '; all but shared memory works. To see why, run: npx chat-shm-build' : '';
  console.error(`chat-shm-build: no addon for ${place}: ${reason}${advice}`);
  process.exitCode = ifNeeded ? 0 : 1;
}

function loads(...files) {
  return files.some((file) => {
    try {
      return existsSync(file) && typeof require(file).map === 'function';
    } catch {
      return false;
    }
  });
}

/** The sources that the repository has installed. Elsewhere what happens to lie around may be of other versions. */
function sourcesHere() {
  if (!existsSync(join(packageDir, 'scripts/prebuilds.mjs'))) return undefined;
  return sourcesBelow((name) => dirname(require.resolve(`${name}/package.json`)));
}

function sourcesBelow(folderOf) {
  return { mmapIoDir: folderOf('mmap-io'), nanDir: folderOf('nan'), nodeGypDir: folderOf('node-gyp') };
}

function libc() {
  if (process.platform !== 'linux') return 'system';
  return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc';
}
