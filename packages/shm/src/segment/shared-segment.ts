/**
 * A segment for one's own layout: bytes that several processes see, and a mutex over them.
 *
 * The idea is the flow of every textbook: create or attach, lock, write or read, unlock, detach. What is written under the mutex
 * needs no further care; flags that are looked at without it are words, used with `Atomics` of the language. Nothing here
 * gives the bytes a meaning; the other structures of this package do.
 */
import { ShmError } from '../errors.js';
import { type Lock, type LockOptions, Mutex, type TryLockOptions } from '../lock/mutex.js';
import { assertOptions } from '../option-names.js';
import { LOCK_WORD, SegmentKind, WORD_BYTES } from './layout.js';
import type { ParticipantInfo } from './participants.js';
import { type ReadableOptions, Segment } from './segment.js';
import type { SegmentSpec } from './spec.js';

/** Options of {@link openSegment}. */
export interface SegmentOptions extends ReadableOptions {
  /**
   * Bytes for the user. An existing segment must have the same if it is given.
   * @defaultValue 65536
   */
  readonly payloadBytes?: number;
}

const DEFAULT_PAYLOAD_BYTES = 65_536;

/** Shared bytes with a mutex. Made by {@link openSegment}. */
export class SharedSegment {
  readonly #segment: Segment;
  readonly #payload: Uint8Array;
  readonly #words: Int32Array;
  readonly #mutex: Mutex | undefined;

  /** @internal */
  constructor(segment: Segment) {
    const { payloadOffset, payloadBytes } = segment;
    const { buffer, byteOffset } = segment.bytes;
    this.#segment = segment;
    this.#payload = new Uint8Array(buffer, byteOffset + payloadOffset, payloadBytes);
    this.#words = new Int32Array(buffer, byteOffset + payloadOffset, Math.floor(payloadBytes / WORD_BYTES));
    this.#mutex = segment.readOnly ? undefined : new Mutex(segment, LOCK_WORD, () => segment.close());
  }

  /**
   * The bytes that all see, at first zeros. Borrowed: after {@link close} the view reads zeros. A store through a read-only
   * handle kills the process (SIGSEGV).
   *
   * @throws {@link ShmError} `ERR_SHM_CLOSED`
   */
  get payload(): Uint8Array {
    this.#assertOpen();
    return this.#payload;
  }

  /** The same memory as words, for `Atomics`. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get words(): Int32Array {
    this.#assertOpen();
    return this.#words;
  }

  /** The segment it lies in: its name, `incarnation`, `created`, `retired`, `participants`. */
  get segment(): Segment {
    return this.#segment;
  }

  /** The mutex of the segment. @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED` */
  get mutex(): Mutex {
    this.#assertOpen();
    if (this.#mutex === undefined) this.#segment.assertWritable();
    return this.#mutex as Mutex;
  }

  /** {@link Mutex.withLock} of the mutex of the segment. */
  async withLock<T>(fn: (lock: Lock) => T | PromiseLike<T>, options?: LockOptions): Promise<T> {
    return this.mutex.withLock(fn, options);
  }

  /** {@link Mutex.tryLock} of the mutex of the segment. */
  tryLock(options?: TryLockOptions): Lock | undefined {
    return this.mutex.tryLock(options);
  }

  /** Everybody who has it open for writing, in all processes, the dead included. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  participants(): ParticipantInfo[] {
    this.#assertOpen();
    return this.#segment.participants.list();
  }

  /** Gives the name up for everybody: see {@link Segment.unlink}. */
  unlink(): void {
    this.#segment.unlink();
  }

  /**
   * Detaches. Waiters for the mutex are refused; while it is held here, the memory stays until it is released. Idempotent.
   */
  close(): void {
    if (this.#mutex === undefined) this.#segment.close();
    else this.#mutex.close();
  }

  /**
   * Detaches, and removes the segment if nobody else takes part in it any more.
   *
   * @returns whether it was removed.
   * @throws {@link ShmError} `ERR_SHM_READ_ONLY`; `ERR_SHM_BUSY` while this handle holds the mutex, or when a stopped process is
   * removing the segment
   */
  closeAndRemoveIfLast(): boolean {
    if (this.#mutex?.held) {
      throw new ShmError('ERR_SHM_BUSY', `the mutex of ${this.#segment.name} is held by this handle`);
    }
    const removed = this.#segment.closeAndRemoveIfLast();
    this.close();
    return removed;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #assertOpen(): void {
    if (this.#segment.closed) {
      throw new ShmError('ERR_SHM_CLOSED', `the segment ${this.#segment.name} is closed`);
    }
  }
}

/**
 * Opens, or makes, the segment called `name`.
 *
 * @throws {RangeError} when an option is out of range; nothing is made then.
 * @throws {@link ShmError} as every opener: `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_NO_SPACE`, `ERR_SHM_ACCESS`,
 * `ERR_SHM_INVALID_NAME`, `ERR_SHM_FOREIGN`, `ERR_SHM_ENDIAN`, `ERR_SHM_VERSION`, `ERR_SHM_KIND`, `ERR_SHM_PARAMS`, `ERR_SHM_SIZE`,
 * `ERR_SHM_CORRUPT`, `ERR_SHM_PARTICIPANTS_FULL`, `ERR_SHM_BUSY`, `ERR_SHM_MAP_FAILED`, `ERR_SHM_ADDON_MISSING`,
 * `ERR_SHM_UNSUPPORTED`, `ERR_SHM_IO`
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openSegment } from '@chat/shm';
 *
 * const writer = openSegment('whiteboard', { payloadBytes: 4096 });
 * await writer.withLock(() => writer.payload.set([1, 2, 3]));
 *
 * const reader = openSegment('whiteboard', { mode: 'open' });
 * assert.deepEqual(await reader.withLock(() => reader.payload[1]), 2);
 *
 * reader.close();
 * assert.equal(writer.closeAndRemoveIfLast(), true);
 * ```
 */
export function openSegment(name: string, options: SegmentOptions = {}): SharedSegment {
  assertOptions(options, 'openSegment');
  const { payloadBytes = DEFAULT_PAYLOAD_BYTES } = options;
  if (!Number.isInteger(payloadBytes) || payloadBytes < 1 || payloadBytes > 2 ** 31) {
    throw new RangeError(`payloadBytes is a whole number of 1 to ${2 ** 31}, not ${payloadBytes}`);
  }
  const spec: SegmentSpec = {
    kind: SegmentKind.Raw,
    params: [{ name: 'payloadBytes', value: payloadBytes, required: options.payloadBytes !== undefined }],
    payloadBytes: ([bytes = 0]) => bytes,
  };
  return new SharedSegment(Segment.open(spec, name, options));
}
