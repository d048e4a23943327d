/**
 * The header of a segment: written once by its maker, before anybody else can see it, and read from the file by everybody else.
 *
 * Nothing of it is believed when it is read: what the sizes say must fit together, whatever kind of segment it is. Readers keep the copy that
 * was checked, since what lies in memory may be changed by others meanwhile.
 */
import { fstatSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { ShmError } from '../errors.js';
import { store } from '../platform/atomics.js';
import {
  CREATED_HIGH_WORD,
  CREATED_LOW_WORD,
  CREATOR_PID_WORD,
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
  MAX_PARAMS,
  MAX_PARTICIPANTS,
  PARAMS_WORD,
  PARTICIPANT_COUNT_WORD,
  PAYLOAD_BYTES_WORD,
  PAYLOAD_OFFSET_WORD,
  payloadOffset,
  RETIRED_WORD,
  TOTAL_BYTES_WORD,
  VERSION_WORD,
  WORD_BYTES,
} from './layout.js';

/** What a header says. */
export interface SegmentHeader {
  /** For example `2.0`. */
  readonly layoutVersion: string;
  readonly totalBytes: number;
  readonly kind: number;
  /** Names one life of the name. */
  readonly incarnation: number;
  /** Slots of the participant table. */
  readonly participants: number;
  /** Byte offset of the structure: a multiple of 4096. */
  readonly payloadOffset: number;
  readonly payloadBytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly creatorPid: number;
  /** The parameters of the kind; those that it does not have are 0. */
  readonly params: readonly number[];
  /** Whether the name had been given up when the header was read. */
  readonly retired: boolean;
}

/** What the maker of a segment decides. */
export type NewHeader = Pick<
  SegmentHeader,
  'totalBytes' | 'kind' | 'participants' | 'payloadBytes' | 'params'
>;

/** Writes the header of a new segment, magic last; `initialise` writes what follows it. */
export function writeHeader(words: Int32Array, header: NewHeader, initialise: () => void): void {
  const now = Date.now();
  words[VERSION_WORD] = (LAYOUT_MAJOR << 16) | LAYOUT_MINOR;
  words[ENDIAN_WORD] = ENDIAN_MARK;
  words[HEADER_BYTES_WORD] = HEADER_BYTES;
  words[TOTAL_BYTES_WORD] = header.totalBytes;
  words[KIND_WORD] = header.kind;
  words[INCARNATION_WORD] = 1 + Math.floor(Math.random() * (2 ** 31 - 1));
  words[PARTICIPANT_COUNT_WORD] = header.participants;
  words[PAYLOAD_OFFSET_WORD] = payloadOffset(header.participants);
  words[PAYLOAD_BYTES_WORD] = header.payloadBytes;
  words[CREATED_LOW_WORD] = now | 0;
  words[CREATED_HIGH_WORD] = Math.floor(now / 2 ** 32);
  words[CREATOR_PID_WORD] = process.pid;
  words.set(header.params, PARAMS_WORD);
  initialise();
  store(words, MAGIC_WORD, MAGIC);
}

/** Takes a header apart that was written here, or checked. */
export function parseHeader(words: Int32Array): SegmentHeader {
  const word = (index: number): number => words[index] ?? 0;
  return {
    layoutVersion: `${word(VERSION_WORD) >>> 16}.${word(VERSION_WORD) & 0xffff}`,
    totalBytes: word(TOTAL_BYTES_WORD),
    kind: word(KIND_WORD),
    incarnation: word(INCARNATION_WORD),
    participants: word(PARTICIPANT_COUNT_WORD),
    payloadOffset: word(PAYLOAD_OFFSET_WORD),
    payloadBytes: word(PAYLOAD_BYTES_WORD),
    createdAt: word(CREATED_HIGH_WORD) * 2 ** 32 + (word(CREATED_LOW_WORD) >>> 0),
    creatorPid: word(CREATOR_PID_WORD),
    params: [...words.subarray(PARAMS_WORD, PARAMS_WORD + MAX_PARAMS)],
    retired: word(RETIRED_WORD) !== 0,
  };
}

/**
 * Reads the header of an open file and checks all that must hold before it may be mapped, whatever kind of segment it is.
 *
 * @throws {@link ShmError} `ERR_SHM_FOREIGN`, `ERR_SHM_ENDIAN`, `ERR_SHM_VERSION`, `ERR_SHM_SIZE`, `ERR_SHM_CORRUPT`
 */
export function readHeader(fd: number, path: string): SegmentHeader {
  const { size } = fstatSync(fd);
  const words = new Int32Array(HEADER_BYTES / WORD_BYTES);
  const read = readSync(fd, words, 0, HEADER_BYTES, 0);
  if (read < HEADER_BYTES) {
    throw new ShmError(
      'ERR_SHM_FOREIGN',
      `${path} has ${read} bytes, and a header alone has ${HEADER_BYTES}`,
    );
  }
  const [magic, endian] = [words[MAGIC_WORD], words[ENDIAN_WORD]];
  if (endian === 0x04030201) {
    const other = endianness() === 'LE' ? 'big' : 'little';
    throw new ShmError('ERR_SHM_ENDIAN', `${path} was made on a ${other}-endian machine, this one is not`);
  }
  if (magic !== MAGIC || endian !== ENDIAN_MARK) {
    const seen = ((magic ?? 0) >>> 0).toString(16);
    throw new ShmError(
      'ERR_SHM_FOREIGN',
      `${path} begins with 0x${seen}, a segment with 0x${MAGIC.toString(16)}`,
    );
  }
  const major = (words[VERSION_WORD] ?? 0) >>> 16;
  if (major !== LAYOUT_MAJOR) {
    throw new ShmError(
      'ERR_SHM_VERSION',
      `${path} has layout version ${major}, this library has version ${LAYOUT_MAJOR}`,
    );
  }
  const header = parseHeader(words);
  const { totalBytes, participants, payloadOffset: offset, payloadBytes } = header;
  if (totalBytes !== size) {
    throw new ShmError(
      'ERR_SHM_SIZE',
      `${path} has ${size} bytes, its header says ${totalBytes}: it was truncated or overwritten`,
    );
  }
  const fits =
    participants >= 1 &&
    participants <= MAX_PARTICIPANTS &&
    offset === payloadOffset(participants) &&
    payloadBytes >= 0 &&
    offset + payloadBytes <= size;
  if (fits) return header;
  throw new ShmError(
    'ERR_SHM_CORRUPT',
    `${path}: ${participants} participants, ${payloadBytes} bytes at ${offset} do not fit together in ${kindName(header.kind)}`,
  );
}
