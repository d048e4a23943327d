/**
 * A segment as it is read from its file, without mapping it: for `inspect()`, which looks at whatever lies in a folder.
 *
 * A mapping can be made to kill its reader, by truncating the file; what is read with `pread` can at worst be short, which is an error.
 * The header is checked before anything else is read. Header and table are read at once, words of the structure when they are
 * asked for: each number is true for the instant at which it was read.
 *
 * Without an addon the kernel is asked through /proc/locks, which shows locks of all namespaces; where that cannot be read either, it is
 * not known who lives.
 */
import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs';
import { ShmError } from '../errors.js';
import { isByteTaken } from '../platform/byte-lock.js';
import { currentIdentity } from '../platform/liveness.js';
import { openFile } from '../segment/file.js';
import { readHeader, type SegmentHeader } from '../segment/header.js';
import { WORD_BYTES } from '../segment/layout.js';
import { ParticipantTable } from '../segment/participants.js';
import { segmentPath } from '../segment/path.js';

/** What is read of one segment. */
export class SegmentImage {
  readonly name: string;
  readonly path: string;
  readonly header: SegmentHeader;
  /** Header and participant table. */
  readonly words: Int32Array;
  readonly participants: ParticipantTable;
  readonly #fd: number;

  /**
   * Opens and reads; to be closed.
   *
   * @throws {@link ShmError} `ERR_SHM_NOT_FOUND`, `ERR_SHM_ACCESS`, `ERR_SHM_FOREIGN`, `ERR_SHM_VERSION`, `ERR_SHM_ENDIAN`,
   * `ERR_SHM_SIZE`, `ERR_SHM_CORRUPT`, `ERR_SHM_INVALID_NAME`
   */
  static open(name: string, directory: string): SegmentImage {
    const path = segmentPath(name, directory);
    const fd = openFile(path, false, { trustOwners: 'all' });
    if (fd === undefined) {
      throw new ShmError('ERR_SHM_NOT_FOUND', `there is no segment ${name} in ${directory}`);
    }
    try {
      return new SegmentImage(name, path, fd, readHeader(fd, path));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  private constructor(name: string, path: string, fd: number, header: SegmentHeader) {
    this.name = name;
    this.path = path;
    this.header = header;
    this.#fd = fd;
    this.words = this.#read(0, header.payloadOffset / WORD_BYTES);
    this.participants = new ParticipantTable({
      words: this.words,
      count: header.participants,
      lives: { isTaken: (token) => isTaken(fd, token, path) },
      self: currentIdentity(),
    });
  }

  /** Reads `count` words of the structure from its word `index` on. @throws {@link ShmError} `ERR_SHM_SIZE`, `ERR_SHM_CORRUPT` */
  payload(index: number, count: number): Int32Array {
    const { payloadOffset, payloadBytes } = this.header;
    if (index < 0 || (index + count) * WORD_BYTES > payloadBytes) {
      throw new ShmError('ERR_SHM_CORRUPT', `${this.path}: word ${index} lies outside of the structure`);
    }
    return this.#read(payloadOffset / WORD_BYTES + index, count);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(index: number, count: number): Int32Array {
    const words = new Int32Array(count);
    const bytes = readSync(this.#fd, words, 0, words.byteLength, index * WORD_BYTES);
    if (bytes === words.byteLength) return words;
    throw new ShmError(
      'ERR_SHM_SIZE',
      `${this.path} ends at byte ${index * WORD_BYTES + bytes}: it was truncated`,
    );
  }
}

function isTaken(fd: number, token: number, path: string): boolean | undefined {
  try {
    return isByteTaken(fd, token, path);
  } catch (error) {
    if (!ShmError.is(error)) throw error;
    return isListed(fd, token) ? true : undefined;
  }
}

/** Whether /proc/locks shows the byte. That it does not proves nothing: some file systems number their files differently there. */
function isListed(fd: number, token: number): boolean {
  try {
    const file = `:${fstatSync(fd).ino}`;
    return readFileSync('/proc/locks', 'latin1')
      .split('\n')
      .some((line) => {
        const fields = line.trim().split(/ +/);
        const [, type, , , , place, start] = fields;
        return type === 'OFDLCK' && place?.endsWith(file) === true && start === String(token);
      });
  } catch {
    return false;
  }
}
