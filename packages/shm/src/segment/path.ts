/**
 * Names of segments and the files behind them.
 *
 * A name is a plain word: it cannot hold a slash, begin with a dot or leave its folder. The file is `<name>.cshm`; while it
 * is being made it is `<name>.cshm.<random>.tmp`, and its maker has a byte of it locked (see `byte-lock.ts`). So what a dead maker left
 * can be recognised and removed by anybody, and what a living one is making cannot be.
 */
import { closeSync, constants, openSync, readdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ShmError } from '../errors.js';
import { isByteTaken } from '../platform/byte-lock.js';

/** Longest name, in bytes of UTF-8: the longest file name (255) less our suffixes. */
export const MAX_NAME_BYTES = 128;

const SUFFIX = '.cshm';
const TEMPORARY_SUFFIX = '.tmp';
/** The byte of an unfinished file that its maker locks. */
export const MAKER_BYTE = 0;
const TEMPORARY = /^(.+\.cshm)\.[0-9a-z]{1,16}\.tmp$/;
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]*$/u;

/** Where segments live unless told otherwise: memory where the system has it as a folder, else the temp folder. */
export function defaultDirectory(): string {
  return process.platform === 'linux' ? '/dev/shm' : tmpdir();
}

/**
 * The file of a segment.
 *
 * @throws {@link ShmError} `ERR_SHM_INVALID_NAME`
 */
export function segmentPath(name: string, directory: string): string {
  if (typeof name !== 'string') throw new TypeError(`the name of a segment is a string, not ${typeof name}`);
  const normal = name.normalize('NFC');
  const bytes = Buffer.byteLength(normal);
  if (bytes > MAX_NAME_BYTES) {
    throw new ShmError('ERR_SHM_INVALID_NAME', `a name of ${bytes} bytes exceeds ${MAX_NAME_BYTES}`);
  }
  if (!NAME.test(normal)) {
    throw new ShmError(
      'ERR_SHM_INVALID_NAME',
      `${JSON.stringify(name)} is no name: it must begin with a letter or digit and go on with letters, digits and . _ @ + -`,
    );
  }
  // Absolute, so that it still leads there after the process has changed its folder.
  return resolve(directory, normal + SUFFIX);
}

/** The name of the segment in a file of this name; undefined when it is not the file of a segment. */
export function segmentNameOf(file: string): string | undefined {
  const name = file.endsWith(SUFFIX) ? file.slice(0, -SUFFIX.length) : undefined;
  return name !== undefined && NAME.test(name) ? name : undefined;
}

/** A file name beside `path` that nobody else uses. */
export function temporaryPath(path: string): string {
  const random = Math.floor(Math.random() * 2 ** 52).toString(36);
  return `${path}.${random}${TEMPORARY_SUFFIX}`;
}

/**
 * Removes the unfinished files of makers that are proven dead, of the segment `name` or of all in the folder; returns their names.
 * Files that cannot be opened or removed (other user, sticky folder), and folders that cannot be read, are passed over.
 */
export function removeLeftovers(directory: string, name?: string): string[] {
  const removed: string[] = [];
  const wanted = name === undefined ? undefined : name.normalize('NFC') + SUFFIX;
  for (const file of filesOf(directory)) {
    const segment = TEMPORARY.exec(file)?.[1];
    if (segment === undefined || segmentNameOf(segment) === undefined) continue;
    if (wanted !== undefined && segment !== wanted) continue;
    const path = join(directory, file);
    try {
      if (!isLeftover(path)) continue;
      unlinkSync(path);
      removed.push(file);
    } catch {
      // Somebody else was faster, or it is not ours to remove.
    }
  }
  return removed;
}

function isLeftover(path: string): boolean {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return !isByteTaken(fd, MAKER_BYTE, path);
  } finally {
    closeSync(fd);
  }
}

/** The names in a folder; none when it cannot be read. */
export function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
