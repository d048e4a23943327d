/**
 * The file behind a segment: made whole under a temporary name, then given its name in one step by `link(2)`.
 *
 * So nobody ever opens a half-made segment, and of two makers exactly one wins. The file is filled with real zeros before
 * it is mapped: a folder without room answers ENOSPC here, where it is an error, and not later as a SIGBUS that kills the process. It
 * is never truncated or resized afterwards. What a killed maker leaves is a file whose name says who made it; the next maker removes it.
 */
import { closeSync, fstatSync, linkSync, openSync, readSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { dirname } from 'node:path';
import { ShmError } from '../errors.js';
import type { Identity } from '../platform/liveness.js';
import { step } from '../platform/step.js';
import {
  ENDIAN_MARK,
  ENDIAN_WORD,
  HEADER_BYTES,
  KIND_WORD,
  kindName,
  LAYOUT_MAJOR,
  MAGIC,
  MAGIC_WORD,
  MAX_PARTICIPANTS,
  PARTICIPANT_COUNT_WORD,
  PAYLOAD_BYTES_WORD,
  PAYLOAD_OFFSET_WORD,
  payloadOffset,
  TOTAL_BYTES_WORD,
  VERSION_WORD,
  WORD_BYTES,
} from './layout.js';
import { removeLeftovers, segmentNameOf, temporaryPath } from './path.js';

const ZEROS_BYTES = 1 << 20;

/** What to make. */
export interface FileRequest {
  readonly path: string;
  readonly totalBytes: number;
  readonly permissions: number;
  readonly maker: Identity;
}

/**
 * Makes a file of zeros, lets `fill` write to it through its descriptor, and publishes it under its name.
 *
 * @returns what `fill` returned, or undefined when somebody else has published a file of that name first.
 * @throws {@link ShmError} `ERR_SHM_NO_SPACE`, `ERR_SHM_ACCESS`, `ERR_SHM_NOT_FOUND` (no such folder), `ERR_SHM_IO`
 */
export function publishFile<T extends { release(): void }>(
  request: FileRequest,
  fill: (fd: number) => T,
): T | undefined {
  const { path, totalBytes, permissions, maker } = request;
  const directory = dirname(path);
  const temporary = temporaryPath(path, maker);
  const fd = fileOperation(`creating ${path}`, () => {
    removeLeftovers(directory, maker, segmentNameOf(path.slice(directory.length + 1)));
    step('create: before the temporary file');
    return openSync(temporary, 'wx+', permissions);
  });
  let filled: T | undefined;
  try {
    step('create: empty file');
    writeZeros(fd, totalBytes, directory);
    step('create: zeros written');
    filled = fill(fd);
    step('create: header written');
    linkSync(temporary, path);
    step('create: published');
    return filled;
  } catch (error) {
    filled?.release();
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw ShmError.is(error) ? error : systemError(`creating ${path}`, error);
  } finally {
    closeSync(fd);
    rmSync(temporary, { force: true });
    step('create: temporary name removed');
  }
}

/**
 * Opens the file of a segment without touching it.
 *
 * @returns the descriptor, or undefined when there is no such file.
 * @throws {@link ShmError} `ERR_SHM_ACCESS`, `ERR_SHM_IO`
 */
export function openFile(path: string, writable: boolean): number | undefined {
  try {
    return openSync(path, writable ? 'r+' : 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw systemError(`opening ${path}`, error);
  }
}

/**
 * Reads the header of an open file and checks all that must hold before it may be mapped, whatever kind of segment it is.
 *
 * @throws {@link ShmError} `ERR_SHM_FOREIGN`, `ERR_SHM_ENDIAN`, `ERR_SHM_VERSION`, `ERR_SHM_SIZE`, `ERR_SHM_CORRUPT`
 */
export function readHeader(fd: number, path: string): Int32Array {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new ShmError('ERR_SHM_FOREIGN', `${path} is not a regular file`);
  const header = new Int32Array(HEADER_BYTES / WORD_BYTES);
  const read = readSync(fd, header, 0, HEADER_BYTES, 0);
  if (read < HEADER_BYTES) {
    throw new ShmError(
      'ERR_SHM_FOREIGN',
      `${path} has ${read} bytes, and a header alone has ${HEADER_BYTES}`,
    );
  }
  const word = (index: number): number => header[index] ?? 0;
  if (word(ENDIAN_WORD) === 0x04030201) {
    const other = endianness() === 'LE' ? 'big' : 'little';
    throw new ShmError('ERR_SHM_ENDIAN', `${path} was made on a ${other}-endian machine, this one is not`);
  }
  if (word(MAGIC_WORD) !== MAGIC || word(ENDIAN_WORD) !== ENDIAN_MARK) {
    const seen = (word(MAGIC_WORD) >>> 0).toString(16);
    throw new ShmError(
      'ERR_SHM_FOREIGN',
      `${path} begins with 0x${seen}, a segment with 0x${MAGIC.toString(16)}`,
    );
  }
  const major = word(VERSION_WORD) >>> 16;
  if (major !== LAYOUT_MAJOR) {
    throw new ShmError(
      'ERR_SHM_VERSION',
      `${path} has layout version ${major}, this library has version ${LAYOUT_MAJOR}`,
    );
  }
  if (word(TOTAL_BYTES_WORD) !== stat.size) {
    throw new ShmError(
      'ERR_SHM_SIZE',
      `${path} has ${stat.size} bytes, its header says ${word(TOTAL_BYTES_WORD)}: it was truncated or overwritten`,
    );
  }
  const participants = word(PARTICIPANT_COUNT_WORD);
  const offset = word(PAYLOAD_OFFSET_WORD);
  const payloadBytes = word(PAYLOAD_BYTES_WORD);
  if (
    participants < 1 ||
    participants > MAX_PARTICIPANTS ||
    offset !== payloadOffset(participants) ||
    payloadBytes < 0 ||
    offset + payloadBytes > stat.size
  ) {
    throw new ShmError(
      'ERR_SHM_CORRUPT',
      `${path}: ${participants} participants, ${payloadBytes} bytes at ${offset} do not fit together in ${kindName(word(KIND_WORD))}`,
    );
  }
  return header;
}

/** Wraps an error of the operating system; `doing` is what was attempted. */
export function systemError(doing: string, error: unknown): ShmError {
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
