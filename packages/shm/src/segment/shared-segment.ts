/**
 * A segment for one's own layout: bytes that several processes see, and a mutex over them.
 *
 * The idea is the flow of every textbook: create or attach, lock, write or read, unlock, notify, detach. What is written under the mutex
 * needs no further care; flags that are looked at without it are words, used with `Atomics` of the language. Nothing here
 * gives the bytes a meaning; the other structures of this package do.
 */

import { Mutex } from '../lock/mutex.js';
import { assertOptions } from '../option-names.js';
import { add, load } from '../platform/atomics.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import type { SyncOptions, WaitOptions } from '../waiting/waiting.js';
import { NOTIFIED_WAITS_WORD, NOTIFIED_WORD, SegmentKind, WORD_BYTES } from './layout.js';
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

/** What to wait for. */
export interface ChangedOptions extends WaitOptions {
  /**
   * What {@link SharedSegment.notified} was when it was last looked.
   * @defaultValue what it was when `changed()` last resolved, or when the segment was opened
   */
  readonly since?: number;
}

/** Shared bytes with a mutex, and a bell to wake those who wait for a change. Made by {@link openSegment}. */
export class SharedSegment extends Mutex {
  readonly #segment: Segment;
  readonly #payload: Uint8Array;
  readonly #words: Int32Array;
  readonly #notified: WaitPoint;
  /** How often `notify()` had been called when this handle last learnt of it. */
  #seen: number;

  /** @internal */
  constructor(segment: Segment) {
    super(segment, 'segment');
    const { payloadOffset, payloadBytes } = segment;
    const { buffer, byteOffset } = segment.bytes;
    this.#segment = segment;
    this.#payload = new Uint8Array(buffer, byteOffset + payloadOffset, payloadBytes);
    this.#words = new Int32Array(buffer, byteOffset + payloadOffset, Math.floor(payloadBytes / WORD_BYTES));
    this.#notified = new WaitPoint(segment, NOTIFIED_WAITS_WORD, WaitBit.Notified);
    this.#seen = load(segment.words, NOTIFIED_WORD);
  }

  /**
   * The bytes that all see, at first zeros. Borrowed: after {@link close} the view reads zeros. A store through a read-only
   * handle kills the process (SIGSEGV).
   *
   * @throws {@link ShmError} `ERR_SHM_CLOSED`
   */
  get payload(): Uint8Array {
    if (this.#segment.closed) throw this.closedError();
    return this.#payload;
  }

  /** The same memory as words, for `Atomics`. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get words(): Int32Array {
    if (this.#segment.closed) throw this.closedError();
    return this.#words;
  }

  /** The mutex of the segment: this handle itself. @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED` */
  get mutex(): Mutex {
    this.assertOpen();
    this.#segment.assertWritable();
    return this;
  }

  /** How often {@link notify} was called by anybody, modulo 2^32 as an int32. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  get notified(): number {
    this.assertOpen();
    return load(this.#segment.words, NOTIFIED_WORD);
  }

  /**
   * Tells everybody who waits in {@link changed}, in all processes, that there is something to look at. What was written before is visible to
   * whoever is woken. Costs one addition while nobody waits.
   *
   * @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED`
   */
  notify(): void {
    this.assertOpen();
    this.#segment.assertWritable();
    // publish: what was written before is visible to whoever sees this count. pairs with: changed, load of NOTIFIED
    add(this.#segment.words, NOTIFIED_WORD, 1);
    this.waiting.signal(this.#notified);
  }

  /**
   * Waits for the next {@link notify} of anybody, this handle included. None is missed: one that came since the last time this resolved, or
   * since the segment was opened, counts. A read-only handle looks every 20 ms. Where several tasks of one handle wait, each
   * says what it has seen: `const since = segment.notified`, look, `await segment.changed({ since })`. So look first, and wait then: `while (!there()) await segment.changed()`.
   *
   * @returns false when the handle was closed.
   * @throws the reason of `signal`
   */
  async changed(options: ChangedOptions = {}): Promise<boolean> {
    assertOptions(options, 'segment.changed');
    if (this.closed) return false;
    const { words } = this.#segment;
    const isNew = (): boolean => load(words, NOTIFIED_WORD) !== (options.since ?? this.#seen);
    await this.waiting.until(this.#notified, isNew, options.signal);
    if (this.closed) return false;
    this.#seen = load(words, NOTIFIED_WORD);
    return true;
  }

  /**
   * Waits for the next {@link notify}, as {@link changed} does, with the thread blocked: for worker threads.
   *
   * @returns false when the time was up.
   * @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED`
   */
  changedSync(options: SyncOptions = {}): boolean {
    assertOptions(options, 'changedSync');
    this.assertOpen();
    const { words } = this.#segment;
    const isNew = (): boolean => load(words, NOTIFIED_WORD) !== this.#seen;
    if (!this.waiting.untilSync(this.#notified, isNew, options.timeoutMs)) return false;
    this.#seen = load(words, NOTIFIED_WORD);
    return true;
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
