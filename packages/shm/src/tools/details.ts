/**
 * What each structure says about itself to `inspect()`: how full, how far, who, and who is behind by how much.
 *
 * Read from the words alone, while others change them. Nothing is believed: a number that cannot be is shown as it is.
 */

import { channelBytes, FAREWELL_WORD, ringWord, SIDE_WORD } from '../channel/layout.js';
import {
  VERSION_WORD as LATEST_VERSION,
  WRITER_WORD as LATEST_WRITER,
  latestPayloadBytes,
} from '../latest/layout.js';
import {
  COUNT_WORD,
  countAt,
  LOCK_WORD,
  logBytes,
  NAMED_CURSORS,
  namedRow,
  READS_LOSSILY,
  READS_RELIABLY,
  ROW_WORDS,
  SLOT_LOST,
  SLOT_POSITION,
  SLOT_READS,
} from '../log/layout.js';
import { describeRow, type NamedCursorInfo } from '../log/named.js';
import { load } from '../platform/atomics.js';
import { LOCK_WORD as QUEUE_LOCK } from '../queue/layout.js';
import { areaBytes, DATA_WORD, distanceBytes, HEAD_WORD, TAIL_WORD } from '../record/layout.js';
import { READER_WORD, WRITER_WORD } from '../ring/layout.js';
import { SegmentKind, SLOT_SLEEPS, slotWord } from '../segment/layout.js';
import type { ParticipantInfo } from '../segment/participants.js';
import { sizeMismatch } from '../segment/spec.js';
import { SERVER_BYTES, SERVER_WORD } from '../server/meeting-place.js';
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

/** Of one participant of a log: one open handle, which may have several readers, but one reliable one without a name at most. */
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
  /** Those that outlive their readers. */
  readonly cursors: readonly NamedCursorInfo[];
}

/** Of a work queue. */
export interface QueueDetails {
  readonly kind: 'queue';
  readonly capacityBytes: number;
  /** Bytes of the messages from the oldest that is not done, headers and padding included. */
  readonly keptBytes: number;
  /** Who is at work on it just now; may be dead. */
  readonly holder: ParticipantInfo | undefined;
}

/** Of the meeting place of a server and its clients. */
export interface ServerDetails {
  readonly kind: 'server';
  /** Who listens; may be dead. */
  readonly server: ParticipantInfo | undefined;
}

/** What a structure says about itself; `kind` tells them apart. */
export type StructureDetails =
  | LatestDetails
  | RingDetails
  | ChannelDetails
  | LogDetails
  | QueueDetails
  | ServerDetails
  | { readonly kind: 'raw' | 'mutex' | 'unknown' };

/** Bytes of each kind by its parameters, and what it says. */
const KINDS: Readonly<
  Record<
    SegmentKind,
    {
      bytes(first: number, second: number): number;
      describe(segment: SegmentImage): StructureDetails;
    }
  >
> = {
  [SegmentKind.Raw]: { bytes: (bytes) => bytes, describe: () => ({ kind: 'raw' }) },
  [SegmentKind.Mutex]: { bytes: () => 0, describe: () => ({ kind: 'mutex' }) },
  [SegmentKind.Latest]: {
    bytes: latestPayloadBytes,
    describe: (segment) => ({
      kind: 'latest',
      maxValueBytes: segment.header.params[0] ?? 0,
      cells: segment.header.params[1] ?? 0,
      version: wordOf(segment, LATEST_VERSION),
      writer: holderOf(segment, LATEST_WRITER),
    }),
  },
  [SegmentKind.Ring]: {
    bytes: areaBytes,
    describe: (segment) => ({
      kind: 'ring',
      capacityBytes: segment.header.params[0] ?? 0,
      unreadBytes: keptBytes(segment, 0),
      writer: holderOf(segment, WRITER_WORD),
      reader: holderOf(segment, READER_WORD),
    }),
  },
  [SegmentKind.Channel]: { bytes: channelBytes, describe: describeChannel },
  [SegmentKind.Log]: { bytes: logBytes, describe: describeLog },
  [SegmentKind.Server]: {
    bytes: () => SERVER_BYTES,
    describe: (segment) => ({ kind: 'server', server: holderOf(segment, SERVER_WORD) }),
  },
  [SegmentKind.Queue]: {
    bytes: areaBytes,
    describe: (segment) => ({
      kind: 'queue',
      capacityBytes: segment.header.params[0] ?? 0,
      keptBytes: keptBytes(segment, 0),
      holder: holderOf(segment, QUEUE_LOCK),
    }),
  },
};

/**
 * Describes the structure in a segment.
 *
 * @throws {@link ShmError} `ERR_SHM_CORRUPT` when the header does not fit the kind it names.
 */
export function describeStructure(segment: SegmentImage): StructureDetails {
  const { header, path } = segment;
  const found = KINDS[header.kind as SegmentKind] as (typeof KINDS)[SegmentKind] | undefined;
  if (found === undefined) return { kind: 'unknown' };
  const [first = 0, second = 0] = header.params;
  const error = sizeMismatch(header, path, found.bytes(first, second));
  if (error !== undefined) throw error;
  return found.describe(segment);
}

function describeChannel(segment: SegmentImage): ChannelDetails {
  const [capacityBytes = 0] = segment.header.params;
  const describeSide = (side: 'a' | 'b'): ChannelSideDetails => ({
    holder: holderOf(segment, SIDE_WORD[side]),
    left: wordOf(segment, SIDE_WORD[side]) === 0 && wordOf(segment, FAREWELL_WORD[side]) !== 0,
    unreadBytes: keptBytes(segment, ringWord(side, capacityBytes)),
  });
  return { kind: 'channel', capacityBytes, a: describeSide('a'), b: describeSide('b') };
}

function describeLog(segment: SegmentImage): LogDetails {
  const [capacityBytes = 0] = segment.header.params;
  const { words, participants } = segment;
  const control = segment.payload(0, DATA_WORD);
  const tail = load(control, TAIL_WORD);
  const rows = Array.from({ length: NAMED_CURSORS }, (_, i) =>
    segment.payload(namedRow(i, capacityBytes), ROW_WORDS),
  );
  return {
    kind: 'log',
    capacityBytes,
    entries: countAt(control, COUNT_WORD, tail)?.count,
    keptBytes: distanceBytes(tail, load(control, HEAD_WORD)),
    writer: holderOf(segment, LOCK_WORD),
    participants: participants.list().map(({ slot, pid }) => {
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
    cursors: rows.flatMap((row) => describeRow(row, new Uint8Array(row.buffer), 0, participants) ?? []),
  };
}

function readsOf(word: number): LogReaderDetails['reads'] {
  if (word === READS_RELIABLY) return 'reliably';
  return word === READS_LOSSILY ? 'lossily' : undefined;
}

function wordOf(segment: SegmentImage, word: number): number {
  return segment.payload(word, 1)[0] ?? 0;
}

function holderOf(segment: SegmentImage, word: number): ParticipantInfo | undefined {
  return segment.participants.describe(wordOf(segment, word));
}

/** Bytes from the head to the tail of the records at word `base`. */
function keptBytes(segment: SegmentImage, base: number): number {
  return distanceBytes(wordOf(segment, base + TAIL_WORD), wordOf(segment, base + HEAD_WORD));
}
