// Compiles the addon for one Node and proves that it works there before anybody can find it.
//
// Used by bin/chat-shm-build.mjs (this Node, on the user's machine) and scripts/prebuilds.mjs (every supported Node, by
// the maintainer). Everything happens in a temporary folder; the result is renamed into place as the last act, so a
// half-written addon is never loaded. What it does not do: find or fetch the sources; the callers bring them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const nativeDir = fileURLToPath(new URL('.', import.meta.url));

/** The majors of Node that addons are shipped for and tried with. */
export const NODE_MAJORS = [20, 22, 24, 26];

/** npm hands its settings down as variables; these four silently beat what node-gyp is told on its command line. */
const MISLEADING_SETTINGS = [
  'npm_config_nodedir',
  'npm_config_target',
  'npm_config_disturl',
  'npm_config_runtime',
];

/** The ABI that a folder of headers belongs to, or undefined when there are none. */
export function headersAbi(nodeDir) {
  try {
    const text = readFileSync(join(nodeDir, 'include/node/node_version.h'), 'utf8');
    return /#define NODE_MODULE_VERSION (\d+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** Where the addon for a Node lies below `prebuilds/` and `native/build/`; src/platform/addon.ts looks for the same name. */
export function addonPath({ platform, arch, abi, libc }) {
  return `${platform}-${arch}/node.abi${abi}.${libc}.node`;
}

/**
 * Installs `specs` with npm into a new temporary folder, without their scripts, and returns that folder.
 * The variables by which an outer npm describes its own run are taken away, or it would install for that.
 */
export function installAside(specs) {
  const folder = mkdtempSync(join(tmpdir(), 'chat-shm-sources-'));
  const env = cleanEnvironment(['npm_config_workspace', 'npm_config_workspaces', 'npm_config_local_prefix']);
  run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...specs], {
    cwd: folder,
    env,
  });
  return folder;
}

/** One hash over everything of ours and of mmap-io that goes into the compiler. */
export function sourcesHash(mmapIoDir) {
  const hash = createHash('sha256');
  for (const file of [
    join(nativeDir, 'binding.gyp'),
    join(nativeDir, 'addon.cc'),
    join(mmapIoDir, 'src/mmap-io.cc'),
  ]) {
    hash.update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/**
 * Compiles and verifies. `nodeDir` holds include/node, `nodeBinary` is the Node that is to load the result, `abi` its
 * process.versions.modules; without a `nodeDir` node-gyp downloads the headers of `nodeVersion` from nodejs.org.
 * Throws an Error whose message ends with the tail of the compiler's output.
 */
export function compileAddon({ sources, nodeDir, nodeBinary, nodeVersion, abi, outFile }) {
  if (nodeDir !== undefined && headersAbi(nodeDir) !== abi) {
    throw new Error(`headers in ${nodeDir} are for ABI ${headersAbi(nodeDir) ?? 'none'}, wanted ${abi}`);
  }
  const workDir = mkdtempSync(join(tmpdir(), 'chat-shm-build-'));
  try {
    copyFileSync(join(nativeDir, 'binding.gyp'), join(workDir, 'binding.gyp'));
    copyFileSync(join(nativeDir, 'addon.cc'), join(workDir, 'addon.cc'));
    for (const file of ['mmap-io.cc', 'mman.h'])
      copyFileSync(join(sources.mmapIoDir, 'src', file), join(workDir, file));
    mkdirSync(join(workDir, 'nan'));
    for (const file of readdirSync(sources.nanDir)) {
      if (file.endsWith('.h')) copyFileSync(join(sources.nanDir, file), join(workDir, 'nan', file));
    }
    const env = cleanEnvironment(MISLEADING_SETTINGS);
    const headers = nodeDir === undefined ? `--target=${nodeVersion}` : `--nodedir=${nodeDir}`;
    run(process.execPath, [join(sources.nodeGypDir, 'bin/node-gyp.js'), 'rebuild', headers], {
      cwd: workDir,
      env,
    });
    const built = join(workDir, 'build/Release/mmap_io.node');
    run(nodeBinary, [join(nativeDir, 'verify.cjs'), built, abi], { cwd: workDir, env });
    mkdirSync(dirname(outFile), { recursive: true });
    // The temporary folder may be on another file system: copy beside the target, then rename over it.
    const staged = `${outFile}.${process.pid}.tmp`;
    copyFileSync(built, staged);
    renameSync(staged, outFile);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

function cleanEnvironment(without) {
  const kept = Object.entries(process.env).filter(([name]) => !without.includes(name.toLowerCase()));
  return Object.fromEntries(kept);
}

function run(command, args, options) {
  const done = spawnSync(command, args, { ...options, encoding: 'utf8' });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) {
    const tail = `${done.stdout}${done.stderr}`.trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(
      `${[command, ...args].slice(0, 2).join(' ')} ended with ${done.status ?? done.signal}\n${tail}`,
    );
  }
}
