/**
 * What a kind of structure asks of its segment: how a new one is made for it, and whether an existing one is what it needs.
 *
 * Everything here is about the part of the header that is written once, before anybody else can see the segment (see
 * `layout.ts`). Nothing of it is believed when it is read back: what the sizes and parameters say must fit together.
 */

import { ShmError } from '../errors.js';
import { store } from '../platform/atomics.js';
import { type Mapping, mapFile, pageBytes } from '../platform/mapping.js';
import { type PublishedFile, publishFile } from './file.js';
import {
  alignUp,
  CREATED_HIGH_WORD,
  CREATED_LOW_WORD,
  CREATOR_PID_WORD,
  DEFAULT_PARTICIPANTS,
  ENDIAN_MARK,
  ENDIAN_WORD,
  HEADER_BYTES,
  HEADER_BYTES_WORD,
  INCARNATION_WORD,
  KIND_WORD,
  kindName,
  LAYOUT_MAJOR,
  LAYOUT_MINOR,
  MAGIC,
  MAGIC_WORD,
  MAX_PARTICIPANTS,
  MAX_SEGMENT_BYTES,
  PARAMS_WORD,
  PARTICIPANT_COUNT_WORD,
  PAYLOAD_BYTES_WORD,
  PAYLOAD_OFFSET_WORD,
  payloadOffset,
  type SegmentKind,
  TOTAL_BYTES_WORD,
  VERSION_WORD,
} from './layout.js';

const REPLACE = "; onMismatch: 'replace-abandoned' replaces it once everybody in it is dead";

/** What a kind of structure asks of its segment. */
export interface SegmentSpec {
  readonly kind: SegmentKind;
  /** At most 16 numbers, fixed for the life of the segment, in the order in which the header holds them. */
  readonly params: readonly SegmentParam[];
  /** Bytes of the structure, from the values of the parameters. */
  payloadBytes(params: readonly number[]): number;
  /** Writes the first state of the structure, before anybody else can see it. Everything is zero until then. */
  initialise?(segment: {
    words: Int32Array;
    bytes: Uint8Array;
    payloadOffset: number;
    params: readonly number[];
  }): void;
}

/** A parameter of a kind, for example the capacity of a ring. */
export interface SegmentParam {
  /** The option's name, for messages. */
  readonly name: string;
  /** An int32. */
  readonly value: number;
  /** Whether an existing segment must have this value. False for a default: then the segment's own value counts. */
  readonly required: boolean;
}

/**
 * Makes a segment for `spec` and publishes it at `path`.
 *
 * @returns its memory and locks, or undefined when somebody else has published one first.
 * @throws {RangeError} when it would be too large, or for too many participants; nothing is made then.
 * @throws {@link ShmError} as {@link publishFile} and {@link mapFile}
 */
export function makeSegment(
  spec: SegmentSpec,
  path: string,
  options: { readonly permissions?: number; readonly maxParticipants?: number },
): PublishedFile<Mapping> | undefined {
  const { permissions = 0o600, maxParticipants = DEFAULT_PARTICIPANTS } = options;
  if (!Number.isInteger(maxParticipants) || maxParticipants < 1 || maxParticipants > MAX_PARTICIPANTS) {
    throw new RangeError(`maxParticipants is 1 to ${MAX_PARTICIPANTS}, not ${maxParticipants}`);
  }
  const params = spec.params.map((param) => param.value);
  const payloadBytes = spec.payloadBytes(params);
  if (!Number.isSafeInteger(payloadBytes) || payloadBytes < 0) {
    throw new RangeError(`a segment of ${payloadBytes} bytes cannot be made`);
  }
  const offset = payloadOffset(maxParticipants);
  const totalBytes = alignUp(offset + payloadBytes, pageBytes());
  if (totalBytes > MAX_SEGMENT_BYTES) {
    throw new RangeError(
      `a segment of ${totalBytes} bytes exceeds the largest possible, ${MAX_SEGMENT_BYTES}`,
    );
  }
  return publishFile({ path, totalBytes, permissions }, (fd) => {
    const mapping = mapFile(fd, totalBytes, true);
    const { words, bytes } = mapping;
    const now = Date.now();
    words[VERSION_WORD] = (LAYOUT_MAJOR << 16) | LAYOUT_MINOR;
    words[ENDIAN_WORD] = ENDIAN_MARK;
    words[HEADER_BYTES_WORD] = HEADER_BYTES;
    words[TOTAL_BYTES_WORD] = totalBytes;
    words[KIND_WORD] = spec.kind;
    words[INCARNATION_WORD] = 1 + Math.floor(Math.random() * (2 ** 31 - 1));
    words[PARTICIPANT_COUNT_WORD] = maxParticipants;
    words[PAYLOAD_OFFSET_WORD] = offset;
    words[PAYLOAD_BYTES_WORD] = payloadBytes;
    words[CREATED_LOW_WORD] = now | 0;
    words[CREATED_HIGH_WORD] = Math.floor(now / 2 ** 32);
    words[CREATOR_PID_WORD] = process.pid;
    words.set(params, PARAMS_WORD);
    spec.initialise?.({ words, bytes, payloadOffset: offset, params });
    store(words, MAGIC_WORD, MAGIC);
    return mapping;
  });
}

/**
 * Checks that the segment with this header is of the kind, and has the parameters, that `spec` asks for.
 *
 * @throws {@link ShmError} `ERR_SHM_KIND`, `ERR_SHM_PARAMS`, `ERR_SHM_CORRUPT`
 */
export function checkSpec(spec: SegmentSpec, header: Int32Array, path: string): void {
  const kind = header[KIND_WORD] ?? 0;
  if (kind !== spec.kind) {
    throw new ShmError(
      'ERR_SHM_KIND',
      `${path} holds a ${kindName(kind)}, not a ${kindName(spec.kind)}${REPLACE}`,
    );
  }
  const actual = spec.params.map((_, i) => header[PARAMS_WORD + i] ?? 0);
  const differing = spec.params.flatMap(({ name, value, required }, i) =>
    required && value !== actual[i] ? [`${name} ${actual[i]}, not ${value}`] : [],
  );
  if (differing.length > 0)
    throw new ShmError('ERR_SHM_PARAMS', `${path} has ${differing.join(' and ')}${REPLACE}`);
  checkPayloadBytes(path, kind, header[PAYLOAD_BYTES_WORD] ?? 0, spec.payloadBytes(actual));
}

/**
 * Checks that the size which a header gives is the one that follows from its parameters: nothing of the structure lies outside.
 *
 * @throws {@link ShmError} `ERR_SHM_CORRUPT`
 */
export function checkPayloadBytes(path: string, kind: number, said: number, needed: number): void {
  if (said === needed) return;
  throw new ShmError(
    'ERR_SHM_CORRUPT',
    `${path}: a ${kindName(kind)} of these parameters has ${needed} bytes, the header says ${said}`,
  );
}
