/**
 * Finds and loads the native addon: mmap-io's C++ compiled for one platform, one ABI of Node and one C library.
 *
 * A published package ships addons in `prebuilds/`; `npx chat-shm-build` puts one for this machine into `native/build/`,
 * which wins, because somebody asked for it. Nothing is looked for at import: types, errors and everything that maps no
 * memory work where there is no addon. There is no cache here either, since Node keeps loaded addons by path; so a
 * process that failed may call again once the addon has been built.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShmError } from '../errors.js';

/**
 * What the addon exports: mmap-io's functions and constants as they are, and `unmap`.
 *
 * Sizes and offsets are 32-bit and unchecked, errors are plain `Error`s that hold the `errno` as text, and a write to
 * memory mapped without `PROT_WRITE` kills the process. Callers check first.
 */
export interface MmapAddon {
  /** Maps `size` bytes of the open file `fd` from `offset`, a multiple of `PAGESIZE`, and returns a view of them. */
  map(
    size: number,
    protection: number,
    flags: number,
    fd: number,
    offset?: number,
    advise?: number,
  ): Uint8Array;
  /**
   * Lets go of the file behind a view that `map` returned. The view stays readable and writable, but as private zeros;
   * its addresses are given back when the garbage collector finds it. Not for any other memory.
   */
  unmap(view: Uint8Array): void;
  /** Tells the kernel how the view will be used (`MADV_…`). */
  advise(view: Uint8Array, advise: number): void;
  /** Counts the pages of a view that are `[not in memory, in memory]`. */
  incore(view: Uint8Array): [number, number];
  readonly PROT_NONE: number;
  readonly PROT_READ: number;
  readonly PROT_WRITE: number;
  readonly PROT_EXEC: number;
  readonly MAP_SHARED: number;
  readonly MAP_PRIVATE: number;
  /** Linux only. */
  readonly MAP_POPULATE?: number;
  /** Linux only. */
  readonly MAP_NONBLOCK?: number;
  readonly MADV_NORMAL: number;
  readonly MADV_RANDOM: number;
  readonly MADV_SEQUENTIAL: number;
  readonly MADV_WILLNEED: number;
  readonly MADV_DONTNEED: number;
  /** Bytes of one page of memory: 4096 on most machines, 16384 on Apple's. */
  readonly PAGESIZE: number;
}

/** The Node that an addon must fit. */
export interface AddonTarget {
  /** `process.platform`. */
  readonly platform: string;
  /** `process.arch`. */
  readonly arch: string;
  /** `process.versions.modules`. */
  readonly abi: string;
  /** `glibc` or `musl` on Linux, `system` elsewhere. */
  readonly libc: string;
  /** `process.versions.electron`, where there is one. */
  readonly electron?: string | undefined;
  /** Name and version of a runtime that is not Node. */
  readonly runtime?: string | undefined;
}

/** Describes the running Node. */
export function currentTarget(): AddonTarget {
  return {
    platform: process.platform,
    arch: process.arch,
    abi: process.versions.modules,
    libc: process.platform === 'linux' ? linuxLibc() : 'system',
    electron: process.versions.electron,
    runtime: otherRuntime(process.versions),
  };
}

function otherRuntime({ bun, deno }: NodeJS.ProcessVersions): string | undefined {
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? undefined : `Deno ${deno}`;
}

/** The path of an addon below a folder of addons, for example `linux-x64/node.abi115.glibc.node`. */
export function addonPath(target: AddonTarget): string {
  return `${target.platform}-${target.arch}/node.abi${target.abi}.${target.libc}.node`;
}

/**
 * Loads the addon that fits `target`, the running Node unless told otherwise.
 *
 * @throws {@link ShmError} `ERR_SHM_UNSUPPORTED` on Windows, where mapped files behave differently, and in Electron,
 * whose V8 forbids memory that it did not allocate itself.
 * @param place where to look: the folder of this module, undefined in a bundle that does not know it; and the path of an
 * addon that the environment names (`CHAT_SHM_ADDON`), which is then the only one that is tried.
 * @throws {@link ShmError} `ERR_SHM_ADDON_MISSING` when no addon fits or none loads; the message names platform, ABI
 * and what helps, `cause` says why the one that was found did not load.
 */
export function loadAddon(
  target: AddonTarget = currentTarget(),
  place: AddonPlace = { module: import.meta.url, named: process.env.CHAT_SHM_ADDON },
): MmapAddon {
  if (target.electron !== undefined) {
    throw new ShmError(
      'ERR_SHM_UNSUPPORTED',
      `Electron ${target.electron} forbids memory that V8 did not allocate, so shared memory cannot be mapped; use it from a plain Node process`,
    );
  }
  if (target.platform === 'win32') {
    throw new ShmError(
      'ERR_SHM_UNSUPPORTED',
      'shared memory is not supported on Windows (win32); it is on Linux',
    );
  }
  const candidates = place.named ? [resolve(place.named)] : filesBeside(place.module, addonPath(target));
  let cause: unknown;
  for (const file of candidates) {
    if (!existsSync(file)) continue;
    try {
      return createRequire(file)(file) as MmapAddon;
    } catch (error) {
      cause = error;
    }
  }
  const found = cause === undefined ? 'no addon for' : 'the addon does not load on';
  throw new ShmError(
    'ERR_SHM_ADDON_MISSING',
    `${found} ${target.platform}-${target.arch} (${target.libc}), Node ABI ${target.abi}${remedy(target, place)}`,
    cause === undefined ? undefined : { cause },
  );
}

/** Where to look for an addon. */
export interface AddonPlace {
  /** URL of this module; a bundler that makes CommonJS leaves it out. */
  readonly module: string | undefined;
  /** Path of an addon. */
  readonly named: string | undefined;
}

/** The folder of the package is one above dist/, and two above this file. */
const ABOVE = ['../', '../../'];

function filesBeside(module: string | undefined, path: string): string[] {
  if (module === undefined) return [];
  return ABOVE.flatMap((above) =>
    ['native/build/', 'prebuilds/'].map((folder) => fileURLToPath(new URL(above + folder + path, module))),
  );
}

/** What helps depends on why there is none. */
function remedy(target: AddonTarget, { module, named }: AddonPlace): string {
  if (target.runtime !== undefined)
    return `; ${target.runtime} loads no addon that is made for Node: use Node`;
  if (named) return `: CHAT_SHM_ADDON is ${named}`;
  const isBundled =
    module === undefined || !ABOVE.some((above) => existsSync(new URL(`${above}native/binding.gyp`, module)));
  if (isBundled) {
    return (
      `, since @chat/shm is bundled and its addons are not: keep @chat/shm external, ` +
      `or set CHAT_SHM_ADDON to the path of prebuilds/${addonPath(target)} in the package`
    );
  }
  return '; build it with: npx chat-shm-build';
}

/** The C library that this process really runs on: the loader of musl is among its mappings, or it is not. */
function linuxLibc(): string {
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc';
  } catch {
    return 'glibc';
  }
}
