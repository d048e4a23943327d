/**
 * What each structure says about itself to `inspect()`: how full, how far, who, and who is behind by how much.
 *
 * Read from the words alone, while others change them. Nothing is believed: a number that cannot be is shown as it is.
 */

import { channelBytes, FAREWELL_WORD, ringWord, SIDE_WORD } from '../channel/layout.js';
import {
  VERSION_WORD as LATEST_VERSION_WORD,
  WRITER_WORD as LATEST_WRITER_WORD,
  latestPayloadBytes,
} from '../latest/layout.js';
import {
  COUNT_WORD,
  countAt,
  LOCK_WORD,
  logBytes,
  READS_LOSSILY,
  READS_RELIABLY,
  SLOT_LOST,
  SLOT_POSITION,
  SLOT_READS,
} from '../log/layout.js';
import { load } from '../platform/atomics.js';
import { areaBytes, DATA_WORD, distanceBytes, HEAD_WORD, TAIL_WORD } from '../record/layout.js';
import { READER_WORD, WRITER_WORD } from '../ring/layout.js';
import { SegmentKind, SLOT_SLEEPS, slotWord } from '../segment/layout.js';
import type { ParticipantInfo } from '../segment/participants.js';
import { checkPayloadBytes } from '../segment/spec.js';
import type { SegmentImage } from './image.js';

/** Of a latest value. */
export interface LatestDetails {
  readonly kind: 'latest';
  readonly maxValueBytes: number;
  readonly cells: number;
  /** Counts the writes, modulo 2^32. */
  readonly version: number;
  /** Undefined when nobody claimed the role; may be dead. */
  readonly writer: ParticipantInfo | undefined;
}

/** Of a ring. */
export interface RingDetails {
  readonly kind: 'ring';
  readonly capacityBytes: number;
  /** Bytes that wait to be read, headers and padding included. */
  readonly unreadBytes: number;
  readonly writer: ParticipantInfo | undefined;
  readonly reader: ParticipantInfo | undefined;
}

/** Of one side of a channel. */
export interface ChannelSideDetails {
  /** Who has the side; may be dead. */
  readonly holder: ParticipantInfo | undefined;
  /** Whether the last one who had it closed it properly. */
  readonly left: boolean;
  /** Bytes that this side sent and the other one has not read yet. */
  readonly unreadBytes: number;
}

/** Of a channel. */
export interface ChannelDetails {
  readonly kind: 'channel';
  readonly capacityBytes: number;
  readonly a: ChannelSideDetails;
  readonly b: ChannelSideDetails;
}

/** Of one participant of a log: one open handle, which may have several readers, but one reliable one at most. */
export interface LogReaderDetails {
  readonly slot: number;
  readonly pid: number;
  /** How it reads: writers wait for a reliable reader, and overtake a lossy one. Undefined when it does not. */
  readonly reads: 'reliably' | 'lossily' | undefined;
  /**
   * How far it is behind: the reliable reader of the handle, or else the one that read last. More than `keptBytes` is a lossy one that was
   * overtaken and has not noticed yet. Undefined when nobody reads here.
   */
  readonly lagBytes: number | undefined;
  /** Entries that its readers were overtaken by, and know of, modulo 2^32. */
  readonly lostEntries: number;
  readonly asleep: boolean;
}

/** Of a log. */
export interface LogDetails {
  readonly kind: 'log';
  readonly capacityBytes: number;
  /** Entries ever appended; undefined when it was caught in the middle of an append. */
  readonly entries: number | undefined;
  /** Bytes that can still be read, headers and padding included. */
  readonly keptBytes: number;
  /** Who appends just now; may be dead. */
  readonly writer: ParticipantInfo | undefined;
  readonly participants: readonly LogReaderDetails[];
}

/** What a structure says about itself; `kind` tells them apart. */
export type StructureDetails =
  | LatestDetails
  | RingDetails
  | ChannelDetails
  | LogDetails
  | { readonly kind: 'raw' | 'mutex' | 'server' | 'queue' | 'unknown' };

/**
 * Describes the structure in a segment.
 *
 * @throws {@link ShmError} `ERR_SHM_CORRUPT` when the header does not fit the kind it names.
 */
export function describeStructure(segment: SegmentImage): StructureDetails {
  const needed = neededBytes(segment);
  if (needed !== undefined) checkPayloadBytes(segment.path, segment.kind, segment.payloadBytes, needed);
  switch (segment.kind) {
    case SegmentKind.Raw:
      return { kind: 'raw' };
    case SegmentKind.Server:
      return { kind: 'server' };
    case SegmentKind.Queue:
      return { kind: 'queue' };
    case SegmentKind.Mutex:
      return { kind: 'mutex' };
    case SegmentKind.Latest:
      return describeLatest(segment);
    case SegmentKind.Ring:
      return describeRing(segment);
    case SegmentKind.Channel:
      return describeChannel(segment);
    case SegmentKind.Log:
      return describeLog(segment);
    default:
      return { kind: 'unknown' };
  }
}

/** Bytes of the structure by its kind and parameters; undefined when the kind is not known. */
function neededBytes({ kind, params: [first = 0, second = 0] }: SegmentImage): number | undefined {
  switch (kind) {
    case SegmentKind.Raw:
      return first;
    case SegmentKind.Mutex:
      return 0;
    case SegmentKind.Latest:
      return latestPayloadBytes(first, second);
    case SegmentKind.Ring:
    case SegmentKind.Queue:
      return areaBytes(first);
    case SegmentKind.Log:
      return logBytes(first);
    case SegmentKind.Channel:
      return channelBytes(first);
    default:
      return undefined;
  }
}

function describeLatest(segment: SegmentImage): LatestDetails {
  const [maxValueBytes = 0, cells = 0] = segment.params;
  return {
    kind: 'latest',
    maxValueBytes,
    cells,
    version: payloadWord(segment, LATEST_VERSION_WORD),
    writer: holderOf(segment, LATEST_WRITER_WORD),
  };
}

function describeRing(segment: SegmentImage): RingDetails {
  const [capacityBytes = 0] = segment.params;
  return {
    kind: 'ring',
    capacityBytes,
    unreadBytes: unreadBytes(segment, 0),
    writer: holderOf(segment, WRITER_WORD),
    reader: holderOf(segment, READER_WORD),
  };
}

function describeChannel(segment: SegmentImage): ChannelDetails {
  const [capacityBytes = 0] = segment.params;
  const describeSide = (side: 'a' | 'b'): ChannelSideDetails => {
    const holder = payloadWord(segment, SIDE_WORD[side]);
    return {
      holder: holder === 0 ? undefined : segment.participants.describe(holder),
      left: holder === 0 && payloadWord(segment, FAREWELL_WORD[side]) !== 0,
      unreadBytes: unreadBytes(segment, ringWord(side, capacityBytes)),
    };
  };
  return { kind: 'channel', capacityBytes, a: describeSide('a'), b: describeSide('b') };
}

function describeLog(segment: SegmentImage): LogDetails {
  const [capacityBytes = 0] = segment.params;
  const { words } = segment;
  const control = segment.payload(0, DATA_WORD);
  const tail = load(control, TAIL_WORD);
  return {
    kind: 'log',
    capacityBytes,
    entries: countAt(control, COUNT_WORD, tail)?.count,
    keptBytes: distanceBytes(tail, payloadWord(segment, HEAD_WORD)),
    writer: holderOf(segment, LOCK_WORD),
    participants: segment.participants.list().map(({ slot, pid }) => {
      const base = slotWord(slot);
      const reads = readsOf(load(words, base + SLOT_READS));
      return {
        slot,
        pid,
        reads,
        lagBytes: reads && distanceBytes(tail, load(words, base + SLOT_POSITION)),
        lostEntries: load(words, base + SLOT_LOST) >>> 0,
        asleep: load(words, base + SLOT_SLEEPS) !== 0,
      };
    }),
  };
}

function readsOf(word: number): LogReaderDetails['reads'] {
  if (word === READS_RELIABLY) return 'reliably';
  return word === READS_LOSSILY ? 'lossily' : undefined;
}

function payloadWord(segment: SegmentImage, word: number): number {
  return segment.payload(word, 1)[0] ?? 0;
}

function holderOf(segment: SegmentImage, word: number): ParticipantInfo | undefined {
  const token = payloadWord(segment, word);
  return token === 0 ? undefined : segment.participants.describe(token);
}

function unreadBytes(segment: SegmentImage, ring: number): number {
  return distanceBytes(payloadWord(segment, ring + TAIL_WORD), payloadWord(segment, ring + HEAD_WORD));
}
