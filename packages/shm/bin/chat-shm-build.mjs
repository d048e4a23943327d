#!/usr/bin/env node
// `npx chat-shm-build`: builds the addon of @chat/shm for this machine, where no prebuilt one fits.
//
// Needs a C++17 compiler: CXX, or c++. mmap-io and the headers of Node-API are taken from where the package is developed, and are
// otherwise installed into a temporary folder in the versions that its package.json names.
//
// With `--out <file>` the addon goes there, for a store that cannot be written to: name it in CHAT_SHM_ADDON then. With
// `--if-needed`, as the build of this repository calls it, an addon that loads is enough, and one that cannot be built is one
// line of warning and no failure: what does not map memory works without it.
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { addonPath, compileAddon, installAside } from '../native/compile.mjs';

const require = createRequire(import.meta.url);
const packageDir = fileURLToPath(new URL('..', import.meta.url));
const options = readOptions();

const { platform, arch } = process;
const place = `${platform}-${arch}`;
const outFile = resolve(options?.out ?? join(packageDir, 'native/build', addonPath({ platform, arch })));

if (options === undefined) {
  process.exitCode = 2;
} else if (options.help) {
  console.log(
    'Usage: chat-shm-build [--if-needed] [--out <file>]\nBuilds the native addon of @chat/shm for this machine.',
  );
} else if (platform === 'win32') {
  fail('shared memory is not supported on Windows');
} else if (
  options['if-needed'] &&
  loads(outFile, join(packageDir, 'prebuilds', addonPath({ platform, arch })))
) {
  console.log(`chat-shm-build: an addon for ${place} is here`);
} else {
  build();
}

function readOptions() {
  try {
    return parseArgs({
      options: { 'if-needed': { type: 'boolean' }, out: { type: 'string' }, help: { type: 'boolean' } },
    }).values;
  } catch (error) {
    console.error(`chat-shm-build: ${error.message}`);
    return undefined;
  }
}

function build() {
  let aside;
  try {
    let sources = sourcesHere();
    if (sources === undefined) {
      const { devDependencies } = require('../package.json');
      aside = installAside(['mmap-io', 'node-api-headers'].map((name) => `${name}@${devDependencies[name]}`));
      sources = sourcesBelow((name) => join(aside, 'node_modules', name));
    }
    compileAddon({
      sources,
      compiler: process.env.CXX ?? 'c++',
      platform,
      arch,
      verifyWith: [process.execPath],
      outFile,
    });
    console.log(`chat-shm-build: built ${outFile}`);
  } catch (error) {
    fail(options['if-needed'] ? error.message.split('\n')[0] : error.message);
  } finally {
    if (aside !== undefined) rmSync(aside, { recursive: true, force: true });
  }
}

function fail(reason) {
  const advice = options['if-needed']
    ? '; all but shared memory works. To see why, run: npx chat-shm-build'
    : '';
  console.error(`chat-shm-build: no addon for ${place}: ${reason}${advice}`);
  process.exitCode = options['if-needed'] ? 0 : 1;
}

function loads(...files) {
  return files.some((file) => {
    try {
      return existsSync(file) && typeof require(file).hold === 'function';
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
  return { mmapIoDir: folderOf('mmap-io'), headersDir: join(folderOf('node-api-headers'), 'include') };
}
