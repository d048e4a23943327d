/**
 * What a kind of structure asks of its segment: how a new one is made for it, and whether an existing one is what it needs.
 */
import { ShmError } from '../errors.js';
import { type Mapping, mapFile, pageBytes } from '../platform/mapping.js';
import { type PublishedFile, publishFile } from './file.js';
import { type SegmentHeader, writeHeader } from './header.js';
import {
  alignUp,
  DEFAULT_PARTICIPANTS,
  kindName,
  MAX_PARTICIPANTS,
  MAX_SEGMENT_BYTES,
  payloadOffset,
  type SegmentKind,
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
  initialise?(words: Int32Array, payloadOffset: number): void;
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
    const header = { totalBytes, kind: spec.kind, participants: maxParticipants, payloadBytes, params };
    writeHeader(mapping.words, header, () => spec.initialise?.(mapping.words, offset));
    return mapping;
  });
}

/** Why the segment with this header is not of the kind, or has not the parameters, that `spec` asks for; undefined when it is and has. */
export function mismatchOf(spec: SegmentSpec, header: SegmentHeader, path: string): ShmError | undefined {
  if (header.kind !== spec.kind) {
    return new ShmError(
      'ERR_SHM_KIND',
      `${path} holds a ${kindName(header.kind)}, not a ${kindName(spec.kind)}${REPLACE}`,
    );
  }
  const differing = spec.params.flatMap(({ name, value, required }, i) =>
    required && value !== header.params[i] ? [`${name} ${header.params[i]}, not ${value}`] : [],
  );
  if (differing.length > 0)
    return new ShmError('ERR_SHM_PARAMS', `${path} has ${differing.join(' and ')}${REPLACE}`);
  return sizeMismatch(header, path, spec.payloadBytes(header.params));
}

/** The error of a header whose size does not follow from its parameters: something of the structure may lie outside. */
export function sizeMismatch(header: SegmentHeader, path: string, needed: number): ShmError | undefined {
  if (header.payloadBytes === needed) return undefined;
  return new ShmError(
    'ERR_SHM_CORRUPT',
    `${path}: a ${kindName(header.kind)} of these parameters has ${needed} bytes, the header says ${header.payloadBytes}`,
  );
}
