/**
 * Locks of the kernel on single bytes of a file, as proof that somebody lives.
 *
 * A lock belongs to one opening of the file ("open file description lock"). The kernel releases it when the last descriptor of that opening
 * is closed: when the process exits, is killed by whatever signal, or becomes another program, and by a hook when a worker
 * thread ends. It does not release it when the process is stopped, slow, or in another namespace, and it needs no /proc, no
 * clock and no number of a process to tell. So a byte that can be had proves a death, and one that cannot proves a life.
 *
 * The bytes need not exist in the file: byte *n* is a number, nothing is read or written there. A child process that is forked without
 * `exec` would share the lock; Node forks no such children.
 */
import { ShmError } from '../errors.js';
import { loadedAddon } from './mapping.js';

/** The locks of one opening of a file. */
export class ByteLock {
  readonly #path: string;
  #held: number | undefined;

  /**
   * For the open file `fd`, which may be closed afterwards.
   *
   * @throws {@link ShmError} `ERR_SHM_ADDON_MISSING`, `ERR_SHM_UNSUPPORTED`, `ERR_SHM_IO` (no descriptors left)
   */
  constructor(fd: number, path: string) {
    this.#path = path;
    this.#held = attempt(path, () => loadedAddon().hold(fd));
  }

  /** Takes a byte. False while another opening has it. */
  take(byte: number): boolean {
    return attempt(this.#path, () => loadedAddon().lock(this.#descriptor(), byte));
  }

  /** Lets go of a byte. */
  release(byte: number): void {
    attempt(this.#path, () => loadedAddon().unlock(this.#descriptor(), byte));
  }

  /** Tells whether another opening than this one has the byte. About a microsecond. A closed one proves nobody dead. */
  isTaken(byte: number): boolean {
    const held = this.#held;
    return held === undefined || attempt(this.#path, () => loadedAddon().isLocked(held, byte));
  }

  /** Lets go of everything. Idempotent. */
  close(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) loadedAddon().letGo(held);
  }

  #descriptor(): number {
    if (this.#held === undefined) throw new ShmError('ERR_SHM_CLOSED', `the segment ${this.#path} is closed`);
    return this.#held;
  }
}

/** Tells whether any opening but that of `fd` has the byte. `fd` may be open for reading only. */
export function isByteTaken(fd: number, byte: number, path: string): boolean {
  return attempt(path, () => loadedAddon().isLocked(fd, byte));
}

function attempt<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || ShmError.is(error)) throw error;
    if (code === 'EMFILE') {
      throw new ShmError('ERR_SHM_IO', `${path}: no descriptor is left for its lock`, { cause: error });
    }
    throw new ShmError('ERR_SHM_FILE_SYSTEM', `${path} cannot be locked (${code})`, { cause: error });
  }
}
