/**
 * The file behind a segment: made whole under a temporary name, then given its name in one step by `link(2)`.
 *
 * So nobody ever opens a half-made segment, and of two makers exactly one wins. The file is filled with real zeros before
 * it is mapped: a folder without room answers ENOSPC here, where it is an error, and not later as a SIGBUS that kills the process. It
 * is never truncated or resized afterwards. What a killed maker leaves is a file that nobody has locked; the next maker removes it.
 *
 * An opener trusts nothing: links are not followed, a pipe does not make it wait, and a file of another user is refused, since its owner
 * could read what is written, forge what is read, and kill by truncating.
 */
import { closeSync, constants, fstatSync, linkSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ShmError } from '../errors.js';
import { ByteLock } from '../platform/byte-lock.js';
import { memoryRoom } from '../platform/memory-room.js';
import { step } from '../platform/step.js';
import { MAKER_BYTE, removeLeftovers, segmentNameOf, temporaryPath } from './path.js';

const ZEROS_BYTES = 1 << 20;
const ATTEMPTS = 10;

/** File systems in memory, whose pages count against the memory limit of the container. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);
/** File systems of other machines: neither their mappings nor their locks hold between all who open a file. */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x01021997, '9p'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
]);

/** What to make. */
export interface FileRequest {
  readonly path: string;
  readonly totalBytes: number;
  readonly permissions: number;
}

/** What {@link publishFile} made. */
export interface PublishedFile<T> {
  readonly filled: T;
  /** Of the opening by which it was made. */
  readonly lock: ByteLock;
}

/**
 * Makes a file of zeros, lets `fill` write to it through its descriptor, and publishes it under its name.
 *
 * @returns what `fill` returned, and the locks of the file; or undefined when somebody else has published a file of that name first.
 * @throws {@link ShmError} `ERR_SHM_NO_SPACE`, `ERR_SHM_FILE_SYSTEM`, `ERR_SHM_ACCESS`, `ERR_SHM_NOT_FOUND` (no such folder), `ERR_SHM_IO`
 */
export function publishFile<T extends { release(): void }>(
  request: FileRequest,
  fill: (fd: number) => T,
): PublishedFile<T> | undefined {
  const directory = dirname(request.path);
  fileOperation(`creating ${request.path}`, () => {
    const { type } = statfsSync(directory);
    checkFileSystem(type, directory);
    if (IN_MEMORY.has(type)) checkMemory(request.totalBytes, directory);
    removeLeftovers(directory, segmentNameOf(request.path.slice(directory.length + 1)));
  });
  for (let attempt = 1; ; attempt++) {
    try {
      return makeFile(request, directory, fill);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return undefined;
      // Somebody took our file for a leftover, in the instant before we had it locked.
      if (code === 'ENOENT' && attempt < ATTEMPTS) continue;
      throw ShmError.is(error) ? error : systemError(`creating ${request.path}`, error);
    }
  }
}

function makeFile<T extends { release(): void }>(
  { path, totalBytes, permissions }: FileRequest,
  directory: string,
  fill: (fd: number) => T,
): PublishedFile<T> {
  const temporary = temporaryPath(path);
  step('create: before the temporary file');
  const fd = openSync(temporary, 'wx+', permissions);
  let filled: T | undefined;
  let lock: ByteLock | undefined;
  try {
    step('create: empty file');
    lock = new ByteLock(fd, path);
    lock.take(MAKER_BYTE);
    step('create: locked');
    writeZeros(fd, totalBytes, directory);
    step('create: zeros written');
    filled = fill(fd);
    step('create: header written');
    linkSync(temporary, path);
    step('create: published');
    lock.release(MAKER_BYTE);
    return { filled, lock };
  } catch (error) {
    filled?.release();
    lock?.close();
    throw error;
  } finally {
    closeSync(fd);
    rmSync(temporary, { force: true });
    step('create: temporary name removed');
  }
}

/**
 * Refuses a file system on which nobody could be told from the dead.
 *
 * @throws {@link ShmError} `ERR_SHM_FILE_SYSTEM`
 */
export function checkFileSystem(type: number, directory: string): void {
  const name = REMOTE.get(type >>> 0);
  if (name === undefined) return;
  throw new ShmError(
    'ERR_SHM_FILE_SYSTEM',
    `${directory} is on ${name}, where neither memory nor locks are shared with other machines; take a folder in memory`,
  );
}

/**
 * Refuses a segment that does not fit into the memory limit of the container, before the kernel kills its maker for it.
 *
 * @throws {@link ShmError} `ERR_SHM_NO_SPACE`
 */
export function checkMemory(totalBytes: number, directory: string, room: number = memoryRoom()): void {
  if (totalBytes <= room) return;
  throw new ShmError(
    'ERR_SHM_NO_SPACE',
    `${totalBytes} bytes in ${directory} exceed the ${room} that the memory limit of this container leaves`,
  );
}

const OTHERS_WRITE = 0o002;

/** Who may own a segment, beside the user of this process and root. */
export interface OwnerOptions {
  readonly trustOwners?: readonly number[] | 'all';
  /** Those of a new file. Who lets everybody write (`0o002`) trusts everybody as an owner, too. */
  readonly permissions?: number;
}

/**
 * Opens the file of a segment without touching it.
 *
 * @returns the descriptor, or undefined when there is no such file.
 * @throws {@link ShmError} `ERR_SHM_ACCESS` (also when it belongs to another user), `ERR_SHM_FOREIGN` (no regular file), `ERR_SHM_IO`
 */
export function openFile(
  path: string,
  writable: boolean,
  { trustOwners = [], permissions = 0 }: OwnerOptions = {},
): number | undefined {
  const access = writable ? constants.O_RDWR : constants.O_RDONLY;
  let fd: number;
  try {
    // Node adds O_CLOEXEC.
    fd = openSync(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') {
      throw new ShmError('ERR_SHM_FOREIGN', `${path} is not a regular file (${code})`, { cause: error });
    }
    throw systemError(`opening ${path}`, error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new ShmError('ERR_SHM_FOREIGN', `${path} is not a regular file`);
    const self = process.geteuid?.() ?? stat.uid;
    const isForAll = trustOwners === 'all' || (permissions & OTHERS_WRITE) !== 0;
    const isTrusted = isForAll || trustOwners.includes(stat.uid);
    if (stat.uid !== self && stat.uid !== 0 && !isTrusted) {
      throw new ShmError(
        'ERR_SHM_ACCESS',
        `${path} belongs to user ${stat.uid}, not to ${self}, who could read, forge and truncate it; name the user in trustOwners if that is meant`,
      );
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Wraps an error of the operating system; `doing` is what was attempted. */
export function systemError(doing: string, error: unknown): ShmError {
  if (ShmError.is(error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const message = `${doing}: ${error instanceof Error ? error.message : String(error)}`;
  switch (code) {
    case 'ENOENT':
      return new ShmError('ERR_SHM_NOT_FOUND', message, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ShmError('ERR_SHM_ACCESS', message, { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return new ShmError('ERR_SHM_NO_SPACE', message, { cause: error });
    default:
      return new ShmError('ERR_SHM_IO', message, { cause: error });
  }
}

function fileOperation<T>(doing: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw systemError(doing, error);
  }
}

function writeZeros(fd: number, totalBytes: number, directory: string): void {
  const zeros = new Uint8Array(Math.min(totalBytes, ZEROS_BYTES));
  let written = 0;
  try {
    while (written < totalBytes)
      written += writeSync(fd, zeros, 0, Math.min(zeros.length, totalBytes - written));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    const { bavail, bsize } = statfsSync(directory);
    throw new ShmError(
      'ERR_SHM_NO_SPACE',
      `${directory} has no room for ${totalBytes} bytes: ${written} were written, ${bavail * bsize} are free (${code})`,
      { cause: error },
    );
  }
}
