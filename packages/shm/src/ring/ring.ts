/**
 * A ring: messages of bytes from one writer to one reader, in order, through shared memory, without waiting for each other.
 *
 * This is the polling form: "full" and "empty" are return values, and nothing sleeps. For `await`, wake-ups and news of the
 * other side, take a channel, which is two of these. The ends are `ring/writer.ts` and `ring/reader.ts`; here is who may be
 * which: each role is a word that names its holder, taken over only from the proven dead, and the successor goes on exactly where
 * the dead one stopped.
 */

import { Handle } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { load } from '../platform/atomics.js';
import { checkBytes } from '../record/check.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { claimRole, type ParticipantInfo, Role, releaseRole } from '../segment/participants.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import type { SegmentSpec } from '../segment/spec.js';
import { TurnCounter } from '../waiting/turn-counter.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import type { WaitOptions } from '../waiting/waiting.js';
import {
  checkCapacity,
  DEFAULT_CAPACITY_BYTES,
  maxMessageBytes,
  READER_WAITS_WORD,
  READER_WORD,
  ringBytes,
  WAKE_FREE_SHARE,
  WRITER_WAITS_WORD,
  WRITER_WORD,
} from './layout.js';
import { type MessageHandler, RingReader } from './reader.js';
import { type RingMemory, RingWriter } from './writer.js';

/** After so many batches that were at hand the event loop gets a turn. */
const BATCHES_PER_TURN = 16;

/** Options of {@link openRing}. */
export interface RingOptions extends OpenOptions {
  /**
   * Bytes of messages that can wait to be read, 8 for the header of each included: a power of two from 4096 to 2^30. An eighth of it is
   * the longest message. An existing ring must have the same if it is given.
   * @defaultValue 1048576
   */
  readonly capacityBytes?: number;
}

/** One handle on a ring: a writer once it has written, a reader once it has read. Made by {@link openRing}. */
export class Ring extends Handle {
  /** Longest message that can be written. */
  readonly maxMessageBytes: number;
  readonly capacityBytes: number;
  readonly #segment: Segment;
  readonly #memory: RingMemory;
  readonly #readable: WaitPoint;
  readonly #writable: WaitPoint;
  readonly #readableHint: number;
  readonly #turns = new TurnCounter(BATCHES_PER_TURN);
  #writer: RingWriter | undefined;
  #reader: RingReader | undefined;

  /** @internal */
  constructor(segment: Segment) {
    super(segment, 'ring');
    const [capacityBytes = 0] = segment.params;
    this.capacityBytes = capacityBytes;
    this.maxMessageBytes = maxMessageBytes(capacityBytes);
    this.#segment = segment;
    this.#memory = {
      words: segment.words,
      bytes: segment.bytes,
      base: segment.payloadOffset / WORD_BYTES,
      capacityBytes,
      name: segment.name,
    };
    const { base } = this.#memory;
    this.#readableHint = base + READER_WAITS_WORD;
    this.#readable = new WaitPoint(segment, base + READER_WAITS_WORD, WaitBit.Readable);
    this.#writable = new WaitPoint(segment, base + WRITER_WAITS_WORD, WaitBit.Writable);
  }

  /**
   * Sends a message: copies it into the ring and shows it to the reader.
   *
   * @returns false when there is no room for it now.
   * @throws {@link ShmError} `ERR_SHM_TOO_LARGE`; `ERR_SHM_ROLE_TAKEN` while another writer is not proven dead; `ERR_SHM_CORRUPT`,
   * `ERR_SHM_CLOSED`
   */
  tryWrite(message: Uint8Array): boolean {
    checkBytes(message, 'a message');
    if (!this.#writing().tryWrite(message)) return false;
    if (load(this.#memory.words, this.#readableHint) !== 0) this.waiting.signal(this.#readable);
    return true;
  }

  /**
   * Copies a message into the ring without showing it yet: {@link publish} shows all of them together, for much less than one at a time.
   * Messages that were not published are gone with this handle.
   *
   * @returns false when there is no room for it now.
   * @throws {@link ShmError} as {@link tryWrite}
   */
  tryStage(message: Uint8Array): boolean {
    checkBytes(message, 'a message');
    return this.#writing().tryStage(message);
  }

  /** Shows everything staged to the reader. @throws {@link ShmError} as {@link tryWrite} */
  publish(): void {
    this.#writing().publish();
    this.waiting.signal(this.#readable);
  }

  /**
   * Reserves room for a message of `length` bytes, to be filled in place, then {@link commit} or {@link abort}.
   *
   * @returns a view of shared memory, borrowed until then, whose content is undefined; or undefined when there is no room now.
   * @throws {@link ShmError} as {@link tryWrite}; `RangeError`, `TypeError` when a claim is open
   */
  tryClaim(length: number): Uint8Array | undefined {
    return this.#writing().tryClaim(length);
  }

  /** Sends the claimed message, and everything staged before it. @throws `TypeError` without a claim */
  commit(): void {
    this.#writing().commit();
    this.waiting.signal(this.#readable);
  }

  /** Gives the claim up: nothing is sent. @throws `TypeError` without a claim */
  abort(): void {
    this.#writing().abort();
  }

  /**
   * Hands at most `limit` waiting messages to `handler`, oldest first, and then tells the writer that their room is free. Should this
   * process die before that, its successor gets the same messages again. When the handler throws, the messages before
   * are done, and the one it threw at comes again.
   *
   * @returns how many there were.
   * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while another reader is not proven dead; `ERR_SHM_CORRUPT`, `ERR_SHM_CLOSED`
   */
  read(handler: MessageHandler, limit?: number): number {
    const count = this.#reading().read(handler, limit);
    if (!this.closed) this.#signalRoom();
    return count;
  }

  /**
   * Copies the next message out. Its room is kept, and it counts as unread, until {@link release}.
   *
   * @returns undefined when there is none.
   * @throws {@link ShmError} as {@link read}
   */
  take(): Uint8Array | undefined {
    return this.#reading().take();
  }

  /** Gives the room of what was taken back to the writer. @throws {@link ShmError} as {@link read} */
  release(): void {
    this.#reading().release();
    this.#signalRoom();
  }

  /**
   * Waits until there is a message: `while (await ring.readable()) ring.read(…)`. The event loop gets a turn now and then, also when there always
   * is one.
   *
   * @returns false when the ring was closed.
   * @throws {@link ShmError} as {@link read}; the reason of `signal`
   */
  async readable(options: WaitOptions = {}): Promise<boolean> {
    assertOptions(options, 'ring.readable');
    options.signal?.throwIfAborted();
    if (this.closed) return false;
    const reader = this.#reading();
    if (!reader.available) this.#turns.reset();
    await this.#turns.next();
    await this.waiting.until(this.#readable, () => reader.available, options.signal);
    return !this.closed;
  }

  /**
   * Waits until there is room for a message of `length` bytes, by default the longest: `while (!ring.tryWrite(m)) await ring.writable(m.length)`.
   *
   * @returns false when the ring was closed.
   * @throws {@link ShmError} as {@link tryWrite}; `RangeError` for a length that never fits; the reason of `signal`
   */
  async writable(length: number = this.maxMessageBytes, options: WaitOptions = {}): Promise<boolean> {
    assertOptions(options, 'ring.writable');
    if (!(length >= 0 && length <= this.maxMessageBytes)) {
      throw new RangeError(`length is 0 to maxMessageBytes ${this.maxMessageBytes}, not ${length}`);
    }
    options.signal?.throwIfAborted();
    if (this.closed) return false;
    const writer = this.#writing();
    if (!writer.hasRoom(length)) this.#turns.reset();
    await this.#turns.next();
    await this.waiting.until(this.#writable, () => writer.hasRoom(length), options.signal);
    return !this.closed;
  }

  /** Who writes, dead or alive; undefined when nobody does. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  writer(): ParticipantInfo | undefined {
    return this.#holder(WRITER_WORD);
  }

  /** Who reads, dead or alive; undefined when nobody does. @throws {@link ShmError} `ERR_SHM_CLOSED` */
  reader(): ParticipantInfo | undefined {
    return this.#holder(READER_WORD);
  }

  /** @internal */
  protected override leave(): void {
    this.#reader?.close();
    const { words, base } = this.#memory;
    if (this.#writer !== undefined) releaseRole(words, base + WRITER_WORD, this.#segment.participant);
    if (this.#reader !== undefined) releaseRole(words, base + READER_WORD, this.#segment.participant);
    this.#writer = undefined;
    this.#reader = undefined;
  }

  /** Rings for a writer that waits, once there is so much room that it does not wake for each message. */
  #signalRoom(): void {
    if (!this.#writable.mayHaveSleepers) return;
    const used = this.#reading().usedBytes;
    if (used <= this.capacityBytes * (1 - WAKE_FREE_SHARE)) this.waiting.signal(this.#writable);
  }

  #writing(): RingWriter {
    return this.#writer ?? this.#becomeWriter();
  }

  #reading(): RingReader {
    return this.#reader ?? this.#becomeReader();
  }

  #becomeWriter(): RingWriter {
    this.#claim(WRITER_WORD, 'writer');
    this.#writer = new RingWriter(this.#memory);
    return this.#writer;
  }

  #becomeReader(): RingReader {
    this.#claim(READER_WORD, 'reader');
    this.#reader = new RingReader(this.#memory);
    return this.#reader;
  }

  #claim(word: number, roleName: string): void {
    this.assertOpen();
    const { words, base } = this.#memory;
    const { participant, participants } = this.#segment;
    claimRole(words, base + word, participant, participants, roleName);
    const both = this.#writer !== undefined || this.#reader !== undefined;
    participant.setRole(both ? Role.Both : word === WRITER_WORD ? Role.Writer : Role.Reader);
  }

  #holder(word: number): ParticipantInfo | undefined {
    this.assertOpen();
    const token = load(this.#memory.words, this.#memory.base + word);
    return token === 0 ? undefined : this.#segment.participants.describe(token);
  }
}

/**
 * Opens, or makes, the ring called `name`.
 *
 * @throws {RangeError} when an option is out of range.
 * @throws {@link ShmError} as every opener: `ERR_SHM_NOT_FOUND`, `ERR_SHM_EXISTS`, `ERR_SHM_KIND`, `ERR_SHM_PARAMS`, …
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { openRing, unlink } from '@chat/shm';
 *
 * using ring = openRing('measurements');
 * ring.tryWrite(new TextEncoder().encode('21.5'));
 *
 * const read: string[] = [];
 * ring.read((bytes, start, end) => read.push(new TextDecoder().decode(bytes.slice(start, end))));
 * assert.deepEqual(read, ['21.5']);
 * unlink('measurements');
 * ```
 */
export function openRing(name: string, options: RingOptions = {}): Ring {
  assertOptions(options, 'openRing');
  const { capacityBytes = DEFAULT_CAPACITY_BYTES } = options;
  checkCapacity(capacityBytes);
  return new Ring(Segment.open(ringSpec(capacityBytes, options.capacityBytes !== undefined), name, options));
}

function ringSpec(capacityBytes: number, required: boolean): SegmentSpec {
  return {
    kind: SegmentKind.Ring,
    params: [{ name: 'capacityBytes', value: capacityBytes, required }],
    payloadBytes: ([capacity = 0]) => ringBytes(capacity),
  };
}
