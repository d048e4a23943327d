/**
 * The one error class of this package and the closed table of its codes.
 *
 * A code is a promise, the message is for people: it names what was seen and what was expected, with numbers. Outcomes
 * that belong to normal work (ring full, nothing new, lock busy) are return values and are not found here. A wrong
 * argument is a `TypeError` or `RangeError` of the language.
 */

/** Every code that a {@link ShmError} can have, with what it means. */
export const ShmErrorCode = {
  /** This platform, or Electron, cannot map shared memory. */
  ERR_SHM_UNSUPPORTED: 'this platform cannot map shared memory',
  /** No native addon fits this Node; the message has the command that builds one. */
  ERR_SHM_ADDON_MISSING: 'no native addon fits this Node',
  /** A name that is empty, too long, or could leave its folder. */
  ERR_SHM_INVALID_NAME: 'the name cannot be the name of a segment',
  /** `mode: 'open'`, and there is no such segment. */
  ERR_SHM_NOT_FOUND: 'there is no such segment',
  /** `mode: 'create'`, and there is one already. */
  ERR_SHM_EXISTS: 'there is such a segment already',
  /** The operating system refuses: other user, folder not writable. */
  ERR_SHM_ACCESS: 'the operating system refuses access',
  /** The folder, or the memory limit of the container, cannot hold the segment. Nothing is left behind. */
  ERR_SHM_NO_SPACE: 'the folder has no room for the segment',
  /** The file system has no locks of the kernel that hold between processes, as NFS and 9p. */
  ERR_SHM_FILE_SYSTEM: 'the file system cannot tell who is alive',
  /** Any other failure of a file operation; `cause` is the system's error. */
  ERR_SHM_IO: 'a file operation failed',
  ERR_SHM_MAP_FAILED: 'the segment could not be mapped',
  /** The file is not a segment of this library: empty, too short, or of another program. */
  ERR_SHM_FOREIGN: 'the file is not a segment',
  ERR_SHM_VERSION: 'the segment has another layout version',
  ERR_SHM_ENDIAN: 'the segment has the other byte order',
  ERR_SHM_KIND: 'the segment is of another kind',
  ERR_SHM_PARAMS: 'the segment was made with other parameters',
  /** The file is longer or shorter than its header says: someone truncated it. */
  ERR_SHM_SIZE: 'the file does not have the size its header says',
  /** A value in shared memory that no correct participant writes. */
  ERR_SHM_CORRUPT: 'shared memory holds an impossible value',
  /** The segment is locked by this handle, keeps being removed, or is being removed by a process that is stopped. */
  ERR_SHM_BUSY: 'the segment is in use or being removed',
  ERR_SHM_CLOSED: 'used after close',
  ERR_SHM_READ_ONLY: 'opened read-only',
  ERR_SHM_PARTICIPANTS_FULL: 'no free participant slot',
  /** A role that only one may have (writer, reader) is held by a live participant. */
  ERR_SHM_ROLE_TAKEN: 'the role is held by another participant',
  ERR_SHM_OVERTAKEN: 'the writer overtook every attempt to read',
  ERR_SHM_LOCK_TIMEOUT: 'the lock was not acquired in time',
  ERR_SHM_LOCK_LOST: 'the lock was lost while held',
  ERR_SHM_DEADLOCK: 'waiting for a lock held by the same call chain',
  /** A recovered lock was left without `markConsistent()`: what it protects may be half written. */
  ERR_SHM_POISONED: 'what the lock protects may be half written',
  ERR_SHM_TOO_LARGE: 'larger than the structure can hold',
  /** A message, entry or value that the codec cannot decode; `cause` is what it threw. */
  ERR_SHM_PAYLOAD: 'the content is not what the codec expects',
  /** A writer gave this reader of a log up, since it was slow: `whenSlow: 'evict'`. */
  ERR_SHM_EVICTED: 'the reader was too slow and was given up',
  ERR_SHM_CURSORS_FULL: 'no free named cursor',
  /** More waits for room in this process than `maxQueuedBytes` allows: senders do not await. */
  ERR_SHM_QUEUE_FULL: 'too much waits for room',
  ERR_SHM_CONNECT_TIMEOUT: 'no server took the connection in time',
  ERR_SHM_REQUEST_TIMEOUT: 'no response came in time',
  /** The other side failed at a request; the message is that of its error. */
  ERR_SHM_REQUEST_FAILED: 'the other side failed at the request',
  ERR_SHM_PEER_GONE: 'the other side left or died',
} as const;

/** The code of a {@link ShmError}. */
export type ShmErrorCode = keyof typeof ShmErrorCode;

const brand: unique symbol = Symbol.for('@chat/shm/ShmError');

/**
 * An error of this package.
 *
 * @example
 * ```ts
 * import { openSegment, ShmError } from '@chat/shm';
 *
 * try {
 *   openSegment('nobody-made-this', { mode: 'open' });
 * } catch (error) {
 *   if (!ShmError.is(error) || error.code !== 'ERR_SHM_NOT_FOUND') throw error;
 * }
 * ```
 */
export class ShmError extends Error {
  override readonly name: string = 'ShmError';
  /** What happened, from a closed table. */
  readonly code: ShmErrorCode;

  constructor(code: ShmErrorCode, message: string = ShmErrorCode[code], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Tells whether `value` is a {@link ShmError}, also one of another installed copy of this package. */
  static is(value: unknown): value is ShmError {
    return typeof value === 'object' && value !== null && brand in value;
  }
}
