/**
 * A ring: messages from one writer to one reader, in order, through shared memory. One direction of a channel.
 *
 * Here is who may be which: each role is a word that names its holder, taken over only from the proven dead, and the successor goes on
 * exactly where the dead one stopped. For news of the other side, take a channel.
 */

import { handleOn } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { load } from '../platform/atomics.js';
import { type RecordOptions, recordSpec } from '../record/options.js';
import { SegmentKind, WORD_BYTES } from '../segment/layout.js';
import { claimRole, type ParticipantInfo, Role, releaseRole } from '../segment/participants.js';
import { Segment } from '../segment/segment.js';
import { WaitBit } from '../waiting/wait-point.js';
import { READER_WORD, WRITER_WORD } from './layout.js';
import { Pipe } from './pipe.js';

/** Options of {@link openRing}. */
export type RingOptions<T = Uint8Array> = RecordOptions<T>;

const ROLE_WORD = { writer: WRITER_WORD, reader: READER_WORD } as const;

/** One handle on a ring: a writer once it has sent, a reader once it has read. Made by {@link openRing}. */
export class Ring<T = Uint8Array> extends Pipe<T> {
  readonly #segment: Segment;
  readonly #base: number;

  /** @internal */
  constructor(segment: Segment, options: RingOptions<T> = {}) {
    const base = segment.payloadOffset / WORD_BYTES;
    const { Readable: readable, Writable: writable } = WaitBit;
    const bits = { readable, writable, peerReadable: readable, peerWritable: writable };
    super(segment, 'ring', { out: base, incoming: base, ...bits }, options);
    this.#segment = segment;
    this.#base = base;
  }

  /** The same as {@link Pipe.trySend}. */
  tryWrite(message: T): boolean {
    return this.trySend(message);
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
  protected override claim(end: 'writer' | 'reader'): void {
    const { words, participant, participants } = this.#segment;
    claimRole(words, this.#base + ROLE_WORD[end], participant, participants, end);
    const { writes, reads } = this.ends;
    participant.setRole(writes || reads ? Role.Both : end === 'writer' ? Role.Writer : Role.Reader);
  }

  /** @internal */
  protected override leave(): void {
    const { writes, reads } = this.ends;
    super.leave();
    const { words, participant } = this.#segment;
    if (writes) releaseRole(words, this.#base + WRITER_WORD, participant);
    if (reads) releaseRole(words, this.#base + READER_WORD, participant);
  }

  #holder(word: number): ParticipantInfo | undefined {
    this.assertOpen();
    const token = load(this.#segment.words, this.#base + word);
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
export function openRing<T = Uint8Array>(name: string, options: RingOptions<T> = {}): Ring<T> {
  assertOptions(options, 'openRing');
  const segment = Segment.open(recordSpec(SegmentKind.Ring, options), name, options);
  return handleOn(segment, options.keepAlive ?? false, () => new Ring<T>(segment, options));
}
