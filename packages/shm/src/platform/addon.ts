/**
 * Finds and loads the native addon: mmap-io's C++, and locks and futexes of the kernel, compiled for one platform and CPU.
 *
 * A published package ships addons in `prebuilds/`; `npx chat-shm-build` puts one for this machine into `native/build/`,
 * which wins, because somebody asked for it. `CHAT_SHM_ADDON` names one that lies elsewhere, and beats both. Nothing is looked for at
 * import: types, errors and everything that maps no memory work where there is no addon. There is no cache here either,
 * since Node keeps loaded addons by path; so a process that failed may call again once the addon has been built.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShmError } from '../errors.js';

/**
 * What the addon exports: mmap-io's `map` and constants as they are, and our own functions (see `native/addon.cc`).
 *
 * Sizes and offsets of `map` are 32-bit and unchecked, its errors are plain `Error`s that hold the `errno` as text, and a write to
 * memory mapped without `PROT_WRITE` kills the process. Callers check first. Errors of the other functions have the
 * `code` of the operating system.
 */
export interface ShmAddon {
  /** Maps `size` bytes of the open file `fd` from `offset`, a multiple of `PAGESIZE`, and returns a view of them. */
  map(size: number, protection: number, flags: number, fd: number, offset?: number): Uint8Array;
  /**
   * Lets go of the file behind a view that `map` returned. The view stays readable and writable, but as private zeros;
   * its addresses are given back when the garbage collector finds it. Not for any other memory.
   */
  unmap(view: Uint8Array): void;
  /** Gives the addresses of a view that `map` returned back at once: it has no elements from then on. */
  giveBack(view: Uint8Array): void;
  /** Returns a descriptor of the same open file that ends with the thread, and that no other program inherits. */
  hold(fd: number): number;
  /** Unlocks all that was locked through what `hold` returned, and closes it. */
  letGo(held: number): void;
  /** Locks one byte for this open file. False while another open file, of whatever process, has it. */
  lock(held: number, byte: number): boolean;
  /** Unlocks it. */
  unlock(held: number, byte: number): void;
  /** Tells whether another open file has the byte. Needs no right to write. */
  isLocked(fd: number, byte: number): boolean;
  /**
   * Blocks the thread while `words[index]` is `value`, for at most `timeoutMs` (any number below 0, or infinity: for ever).
   * 0: woken, or by chance; 1: it held something else; 2: the time is up. Linux only.
   */
  futexWait(words: Int32Array, index: number, value: number, timeoutMs: number): 0 | 1 | 2;
  /** Wakes up to `count` threads, of all processes, that wait at the word; returns how many. Linux only. */
  futexWake(words: Int32Array, index: number, count: number): number;
  readonly PROT_READ: number;
  readonly PROT_WRITE: number;
  readonly MAP_SHARED: number;
  /** Bytes of one page of memory: 4096 on most machines, 16384 on Apple's. */
  readonly PAGESIZE: number;
}

/** The machine that an addon must fit. */
export interface AddonTarget {
  /** `process.platform`. */
  readonly platform: string;
  /** `process.arch`. */
  readonly arch: string;
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
    electron: process.versions.electron,
    runtime: otherRuntime(process.versions),
  };
}

function otherRuntime({ bun, deno }: NodeJS.ProcessVersions): string | undefined {
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? undefined : `Deno ${deno}`;
}

/** The path of an addon below a folder of addons, for example `linux-x64/chat-shm.node`. */
export function addonPath(target: AddonTarget): string {
  return `${target.platform}-${target.arch}/chat-shm.node`;
}

/** Where to look for an addon. */
export interface AddonPlace {
  /** URL of this module; a bundler that makes CommonJS leaves it out. */
  readonly module: string | undefined;
  /** Path of an addon, which is then the only one that is tried. */
  readonly named: string | undefined;
}

/**
 * Loads the addon that fits `target`, the running Node unless told otherwise.
 *
 * @param place where to look: beside this module, or what the environment names (`CHAT_SHM_ADDON`).
 * @throws {@link ShmError} `ERR_SHM_UNSUPPORTED` on Windows, where mapped files behave differently, and in Electron,
 * whose V8 forbids memory that it did not allocate itself.
 * @throws {@link ShmError} `ERR_SHM_ADDON_MISSING` when no addon fits or none loads; the message names the platform and what
 * helps, `cause` says why the one that was found did not load.
 */
export function loadAddon(
  target: AddonTarget = currentTarget(),
  place: AddonPlace = { module: import.meta.url, named: process.env.CHAT_SHM_ADDON },
): ShmAddon {
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
      const addon = createRequire(file)(file) as ShmAddon;
      if (typeof addon.hold === 'function') return addon;
      cause = new Error(`${file} is an addon of another version of this package`);
    } catch (error) {
      cause = error;
    }
  }
  const found = cause === undefined ? 'no addon for' : 'the addon does not load on';
  const runtime = target.runtime === undefined ? '' : `, ${target.runtime}`;
  throw new ShmError(
    'ERR_SHM_ADDON_MISSING',
    `${found} ${target.platform}-${target.arch}${runtime}${remedy(target, place, cause)}`,
    cause === undefined ? undefined : { cause },
  );
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
function remedy(target: AddonTarget, { module, named }: AddonPlace, cause: unknown): string {
  if (named) return `: CHAT_SHM_ADDON is ${named}`;
  if (cause !== undefined && target.runtime !== undefined) return '; it is made for Node: use Node';
  const isBundled =
    module === undefined || !ABOVE.some((above) => existsSync(new URL(`${above}native/addon.cc`, module)));
  if (isBundled) {
    return (
      `, since @chat/shm is bundled and its addons are not: keep @chat/shm external, ` +
      `or set CHAT_SHM_ADDON to the path of prebuilds/${addonPath(target)} in the package`
    );
  }
  return '; build it with: npx chat-shm-build';
}
