/**
 * The latest value: one writer replaces it, any number of readers get the last complete one, and nobody waits for anybody.
 *
 * A seqlock without its odd state. The classic form marks "being written" in the version, so a writer that dies there blocks its readers
 * for ever. Here version `v` lies in cell `v mod K`; a write fills the next cell and then publishes the next version, so the
 * last complete value stays readable whatever becomes of the writer. A reader copies the cell out and accepts the copy unless the
 * writer may have come round to that cell meanwhile: cell `v` is written again only after version `v + K - 1` was published, so
 * a copy is whole if fewer than `K - 1` versions were published since. With two cells every publish in between costs a
 * retry; the default is four, with which a reader practically never retries.
 *
 *     killed before the version is stored     readers keep the previous value; the next writer reuses the cell
 *     killed after it                         the value is published
 *
 * The order: reader = load version, copy, fence, load version. Writer = fence, fill, store version. The fences are for weakly
 * ordered CPUs (see `atomics.ts`): the reader's copy may not sink below its second load, and the writer may not begin to fill before
 * the previous version is visible. Versions are compared modulo 2^32: a reader that sleeps in the middle of a copy for exactly
 * 2^32 writes could be fooled, more than an hour at a million writes a second.
 */

import { ShmError } from '../errors.js';
import { Handle, handleOn } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { fence, load, store } from '../platform/atomics.js';
import { step } from '../platform/step.js';
import { type Codec, Content } from '../record/codec.js';
import type { RecordOptions } from '../record/options.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { claimRole, type ParticipantInfo, Role, releaseRole } from '../segment/participants.js';
import { type ReadableOptions, Segment } from '../segment/segment.js';
import type { SegmentSpec } from '../segment/spec.js';
import { TurnCounter } from '../waiting/turn-counter.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import type { SyncOptions, WaitOptions } from '../waiting/waiting.js';
import {
  CELL_DATA_BYTES,
  CELL_LENGTH_WORD,
  cellBytes,
  FIRST_CELL_BYTES,
  latestPayloadBytes,
  NO_VALUE,
  VERSION_WORD,
  WAITS_WORD,
  WRITER_WORD,
} from './layout.js';

/** Options of {@link openLatest}. */
export interface LatestOptions<T = Uint8Array> extends ReadableOptions, Pick<RecordOptions<T>, 'codec'> {
  /**
   * Largest value, in bytes. An existing segment must have the same if it is given.
   * @defaultValue 65536
   */
  readonly maxValueBytes?: number;
  /**
   * Values kept at a time: 2, 4, 8 or 16. More of them cost memory and spare readers of a furious writer the retries.
   * @defaultValue 4
   */
  readonly cells?: number;
}

const DEFAULT_MAX_VALUE_BYTES = 65_536;
const DEFAULT_CELLS = 4;
const MAX_ATTEMPTS = 10_000;
/** After so many values that were at hand the event loop gets a turn. */
const READS_PER_TURN = 16;

/** A value that one process writes and others read. Made by {@link openLatest}. */
export class Latest<T = Uint8Array> extends Handle implements AsyncIterable<T> {
  /** Largest value that can be written, as bytes. */
  readonly maxValueBytes: number;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #versionWord: number;
  readonly #writerWord: number;
  readonly #cellsByte: number;
  readonly #cellBytes: number;
  readonly #cells: number;
  readonly #waitsWord: number;
  readonly #changed: WaitPoint;
  readonly #content: Content<T>;
  readonly #turns = new TurnCounter(READS_PER_TURN);
  /** The version that was last read by this handle; 0 is that before the first value. */
  #seen = 0;
  #writing = false;
  #version = 0;
  #closed = false;

  /** @internal */
  constructor(segment: Segment, codec?: Codec<T>) {
    super(segment, 'latest value');
    const [maxValueBytes = 0, cells = 0] = segment.params;
    const base = segment.payloadOffset / WORD_BYTES;
    this.#segment = segment;
    this.#words = segment.words;
    this.#bytes = segment.bytes;
    this.maxValueBytes = maxValueBytes;
    this.#content = new Content(codec, 'a value', maxValueBytes, 'maxValueBytes');
    this.#cells = cells;
    this.#cellBytes = cellBytes(maxValueBytes);
    this.#versionWord = base + VERSION_WORD;
    this.#writerWord = base + WRITER_WORD;
    this.#cellsByte = segment.payloadOffset + FIRST_CELL_BYTES;
    this.#waitsWord = base + WAITS_WORD;
    this.#changed = new WaitPoint(segment, this.#waitsWord, WaitBit.Readable);
  }

  /**
   * Counts the writes, modulo 2^32 as an int32; cheap to poll for "is there something new?".
   *
   * @throws {@link ShmError} `ERR_SHM_CLOSED`
   */
  get version(): number {
    if (this.#closed) this.#throwClosed();
    return load(this.#words, this.#versionWord);
  }

  /**
   * Makes this handle the writer, until it is closed or its process dies. From then on nobody else changes the value, so what is
   * read now is what the next write replaces. Does nothing when it is the writer already.
   *
   * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while another writer is not proven dead; `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED`
   */
  claimWriter(): void {
    if (this.#closed) this.#throwClosed();
    if (this.#writing) return;
    this.#segment.assertWritable();
    claimRole(this.#words, this.#writerWord, this.#segment.participant, this.#segment.participants, 'writer');
    this.#segment.participant.setRole(Role.Writer);
    this.#version = load(this.#words, this.#versionWord);
    this.#writing = true;
  }

  /**
   * Replaces the value. The first call makes this handle the writer: see {@link claimWriter}.
   *
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`; `ERR_SHM_ROLE_TAKEN` while another writer is not proven dead; `ERR_SHM_READ_ONLY`,
   * `ERR_SHM_CLOSED`
   */
  write(value: T): void {
    if (this.#closed) this.#throwClosed();
    const content = this.#content.encode(value);
    if (!this.#writing) this.claimWriter();
    const version = (this.#version + 1) | 0;
    const cell = this.#cellsByte + (version & (this.#cells - 1)) * this.#cellBytes;
    // The previous version is visible before any byte of a reused cell changes.
    fence();
    step('latest: before the cell');
    this.#words[cell / WORD_BYTES + CELL_LENGTH_WORD] = content.length;
    step('latest: length written');
    this.#bytes.set(content, cell + CELL_DATA_BYTES);
    // publish: the cell is whole for whoever sees this version.
    // pairs with: Latest.readInto and Latest.read, load of VERSION
    store(this.#words, this.#versionWord, version);
    this.#version = version;
    if (load(this.#words, this.#waitsWord) !== 0) this.waiting.signal(this.#changed);
  }

  /**
   * Copies the last complete value.
   *
   * @returns the value, owned by the caller; undefined when nothing was written yet.
   * @throws {@link ShmError} `ERR_SHM_OVERTAKEN` when the writer overtook 10,000 attempts in a row; `ERR_SHM_CORRUPT`;
   * `ERR_SHM_PAYLOAD` when the codec cannot decode it; `ERR_SHM_CLOSED`
   */
  read(): T | undefined {
    const bytes = this.#read();
    return bytes === undefined ? undefined : this.#content.decode(bytes);
  }

  #read(): Uint8Array | undefined {
    if (this.#closed) this.#throwClosed();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const version = load(this.#words, this.#versionWord);
      const cell = this.#cellsByte + (version & (this.#cells - 1)) * this.#cellBytes;
      // One read: the word may change under us.
      const length = this.#words[cell / WORD_BYTES + CELL_LENGTH_WORD] as number;
      const plausible = length >= 0 && length <= this.maxValueBytes;
      const begin = cell + CELL_DATA_BYTES;
      const value = plausible ? this.#bytes.slice(begin, begin + length) : undefined;
      fence();
      if (!this.#isIntact(version)) continue;
      if (value !== undefined || length === NO_VALUE) {
        this.#seen = version;
        return value;
      }
      this.#throwCorrupt(version, length);
    }
    this.#throwOvertaken();
  }

  /**
   * Copies the bytes of the last complete value to the beginning of `target`, without allocating.
   *
   * @returns its length in bytes; undefined when nothing was written yet, and then `target` may have been scribbled on.
   * @throws {RangeError} when `target` is too short for it.
   * @throws {@link ShmError} as {@link read}
   */
  readInto(target: Uint8Array): number | undefined {
    if (this.#closed) this.#throwClosed();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const version = load(this.#words, this.#versionWord);
      const cell = this.#cellsByte + (version & (this.#cells - 1)) * this.#cellBytes;
      const length = this.#words[cell / WORD_BYTES + CELL_LENGTH_WORD] as number;
      const fits = length >= 0 && length <= target.length && length <= this.maxValueBytes;
      const begin = cell + CELL_DATA_BYTES;
      if (fits) target.set(this.#bytes.subarray(begin, begin + length));
      fence();
      if (!this.#isIntact(version)) continue;
      if (fits || length === NO_VALUE) {
        this.#seen = version;
        return fits ? length : undefined;
      }
      if (length < 0 || length > this.maxValueBytes) this.#throwCorrupt(version, length);
      throw new RangeError(`a value of ${length} bytes does not fit into a target of ${target.length}`);
    }
    this.#throwOvertaken();
  }

  /** Who writes, dead or alive; undefined when nobody does. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  writer(): ParticipantInfo | undefined {
    if (this.#closed) this.#throwClosed();
    const token = load(this.#words, this.#writerWord);
    return token === 0 ? undefined : this.#segment.participants.describe(token);
  }

  /**
   * Waits until there is a value that this handle has not read: `while (await latest.changed()) use(latest.read())`. Values that were
   * replaced before they were read are skipped. A read-only handle cannot be rung for, and looks every 20 ms.
   *
   * @returns false when the handle was closed.
   * @throws the reason of `signal`
   */
  async changed(options: WaitOptions = {}): Promise<boolean> {
    assertOptions(options, 'latest.changed');
    options.signal?.throwIfAborted();
    if (this.closed) return false;
    const isNew = (): boolean => load(this.#words, this.#versionWord) !== this.#seen;
    await this.#turns.until(isNew, () => this.waiting.until(this.#changed, isNew, options.signal));
    return !this.closed;
  }

  /**
   * Waits until there is a value that this handle has not read, with the thread blocked: for worker threads.
   *
   * @returns false when the time was up.
   * @throws {@link ShmError} `ERR_SHM_READ_ONLY`, `ERR_SHM_CLOSED`
   */
  changedSync(options: SyncOptions = {}): boolean {
    assertOptions(options, 'changedSync');
    if (this.#closed) this.#throwClosed();
    const isNew = (): boolean => load(this.#words, this.#versionWord) !== this.#seen;
    return this.waiting.untilSync(this.#changed, isNew, options.timeoutMs);
  }

  /** The newest value, and each time it changed the newest again. Ends when the handle is closed; its waits can be aborted by `signal`. */
  async *values(options: WaitOptions = {}): AsyncGenerator<T, void, undefined> {
    while (await this.changed(options)) {
      const value = this.read();
      if (value !== undefined) yield value;
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.values();
  }

  /** @internal */
  protected override leave(): void {
    this.#closed = true;
    if (this.#writing) releaseRole(this.#words, this.#writerWord, this.#segment.participant);
  }

  /** Whether the cell of `version` cannot have been touched since that version was loaded. */
  #isIntact(version: number): boolean {
    return (load(this.#words, this.#versionWord) - version) >>> 0 < this.#cells - 1;
  }

  #throwClosed(): never {
    throw this.closedError();
  }

  #throwCorrupt(version: number, length: number): never {
    throw new ShmError(
      'ERR_SHM_CORRUPT',
      `version ${version} of ${this.name} claims ${length} bytes, maxValueBytes is ${this.maxValueBytes}`,
    );
  }

  #throwOvertaken(): never {
    throw new ShmError('ERR_SHM_OVERTAKEN', `the writer of ${this.name} overtook ${MAX_ATTEMPTS} reads`);
  }
}

/**
 * Opens, or makes, the latest value called `name`.
 *
 * @throws {RangeError} when an option is out of range.
 * @throws {@link ShmError} as every opener: `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_KIND`, `ERR_SHM_PARAMS`, …
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openLatest, unlink } from '@chat/shm';
 *
 * using temperature = openLatest('temperature', { maxValueBytes: 8 });
 * temperature.write(new TextEncoder().encode('21.5'));
 * assert.equal(new TextDecoder().decode(temperature.read()), '21.5');
 * unlink('temperature');
 * ```
 */
export function openLatest<T = Uint8Array>(name: string, options: LatestOptions<T> = {}): Latest<T> {
  assertOptions(options, 'openLatest');
  const { maxValueBytes = DEFAULT_MAX_VALUE_BYTES, cells = DEFAULT_CELLS } = options;
  if (!Number.isInteger(maxValueBytes) || maxValueBytes < 1 || maxValueBytes > 2 ** 30) {
    throw new RangeError(`maxValueBytes is 1 to ${2 ** 30}, not ${maxValueBytes}`);
  }
  if (![2, 4, 8, 16].includes(cells)) throw new RangeError(`cells is 2, 4, 8 or 16, not ${cells}`);
  const spec: SegmentSpec = {
    kind: SegmentKind.Latest,
    params: [
      { name: 'maxValueBytes', value: maxValueBytes, required: options.maxValueBytes !== undefined },
      { name: 'cells', value: cells, required: options.cells !== undefined },
    ],
    payloadBytes: ([bytes = 0, count = 0]) => latestPayloadBytes(bytes, count),
    initialise: (words, payloadOffset) => {
      words[(payloadOffset + FIRST_CELL_BYTES) / WORD_BYTES + CELL_LENGTH_WORD] = NO_VALUE;
    },
  };
  const segment = Segment.open(spec, name, options, Role.Reader);
  return handleOn(segment, false, () => new Latest<T>(segment, options.codec));
}
