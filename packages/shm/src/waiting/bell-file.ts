/**
 * The socket file of a bell: its name, a path to it that the kernel takes, and what becomes of the files of the dead.
 *
 *     <folder of the segments>/shm-<number of the bell>.bell
 *
 * A bell belongs to a thread, and serves all its segments in one folder that have the same permissions; the number is random, and stands
 * in the participant slot of each handle that the bell serves. The path of a Unix socket has 107 bytes at most (103 on macOS, where longer
 * ones are cut off silently). In a longer folder a bell is reached through the folder's open descriptor, `/proc/self/fd/<n>/…`.
 *
 * A file on which nobody listens is refused by the kernel, and that is the proof that its thread is gone. Removing one too many costs
 * latency only: the owner of a bell looks after its file, and puts it back.
 */
import { closeSync, openSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { filesOf } from '../segment/path.js';

const PREFIX = 'shm-';
const SUFFIX = '.bell';
const MAX_PATH_BYTES = 103;

/** Why a thread has no bell, as the word of its slot says it; a bell's number is positive. */
export const NoBell = { NotYet: 0, PathTooLong: -1, Refused: -2, Failed: -3 } as const;

/** What {@link NoBell} means, for people. */
export const NO_BELL_REASONS: Readonly<Record<number, string>> = {
  [NoBell.PathTooLong]: 'the path of its socket would be too long, and there is no /proc to shorten it',
  [NoBell.Refused]: 'the folder does not let it make a socket',
  [NoBell.Failed]: 'its socket could not be made',
};

/** The name of bell `id` in its folder. */
export function bellName(id: number): string {
  return `${PREFIX}${id.toString(36)}${SUFFIX}`;
}

/** The number of the bell with this file name, if it is one. */
export function bellIdOf(file: string): number | undefined {
  if (!file.startsWith(PREFIX) || !file.endsWith(SUFFIX)) return undefined;
  const id = Number.parseInt(file.slice(PREFIX.length, -SUFFIX.length), 36);
  return id > 0 && id < 2 ** 31 && bellName(id) === file ? id : undefined;
}

/** The bells in a folder, by number. */
export function bellsIn(directory: string): number[] {
  return filesOf(directory).flatMap((file) => bellIdOf(file) ?? []);
}

/** Removes the file of a bell. Returns false when it is gone already, or not ours to remove. */
export function removeBell(directory: string, id: number): boolean {
  try {
    unlinkSync(join(directory, bellName(id)));
    return true;
  } catch {
    return false;
  }
}

/** A folder, as the paths of sockets lead into it. */
export class BellFolder {
  readonly directory: string;
  /** What comes before the name of a bell; undefined when there is no way that is short enough. */
  readonly #base: string | undefined;
  readonly #fd: number | undefined;

  constructor(directory: string) {
    this.directory = directory;
    const longest = join(directory, bellName(2 ** 31 - 1));
    if (Buffer.byteLength(longest) <= MAX_PATH_BYTES) {
      this.#base = directory;
      return;
    }
    let fd: number;
    try {
      fd = openSync(directory, 'r');
    } catch {
      return;
    }
    const base = `/proc/self/fd/${fd}`;
    // Where there is no /proc, or that of another process, nothing short leads there.
    const [there, wanted] = [statSync(base, { throwIfNoEntry: false }), statSync(directory)];
    if (there === undefined || there.ino !== wanted.ino || there.dev !== wanted.dev) {
      closeSync(fd);
      return;
    }
    this.#fd = fd;
    this.#base = base;
  }

  /** The path of the socket of bell `id`, to be bound or connected to; undefined when there is none that is short enough. */
  socketPath(id: number): string | undefined {
    return this.#base === undefined ? undefined : join(this.#base, bellName(id));
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}
