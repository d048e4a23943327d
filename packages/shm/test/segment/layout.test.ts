import { describe, expect, it } from 'vitest';
import * as latest from '../../src/latest/layout.js';
import * as layout from '../../src/segment/layout.js';

describe('the layout of a segment', () => {
  it('is what version 2.0 says, since others may have it mapped', () => {
    const { alignUp, kindName, payloadOffset, slotWord, ...numbers } = layout;
    expect(numbers).toEqual({
      WORD_BYTES: 4,
      LINE_BYTES: 128,
      LINE_WORDS: 32,
      SECTION_BYTES: 4096,
      MAX_SEGMENT_BYTES: 2_147_479_552,
      MAGIC: 0x4d485343,
      LAYOUT_MAJOR: 2,
      LAYOUT_MINOR: 0,
      ENDIAN_MARK: 0x01020304,
      MAGIC_WORD: 0,
      VERSION_WORD: 1,
      ENDIAN_WORD: 2,
      HEADER_BYTES_WORD: 3,
      TOTAL_BYTES_WORD: 4,
      KIND_WORD: 5,
      INCARNATION_WORD: 6,
      PARTICIPANT_COUNT_WORD: 7,
      PAYLOAD_OFFSET_WORD: 8,
      PAYLOAD_BYTES_WORD: 9,
      CREATED_LOW_WORD: 10,
      CREATED_HIGH_WORD: 11,
      CREATOR_PID_WORD: 12,
      PARAMS_WORD: 16,
      MAX_PARAMS: 16,
      RETIRED_WORD: 64,
      CLOSING_WORD: 65,
      LOCK_WORD: 96,
      LOCK_WAITS_WORD: 128,
      NOTIFIED_WORD: 160,
      NOTIFIED_WAITS_WORD: 192,
      HEADER_BYTES: 4096,
      SLOT_BYTES: 128,
      SLOT_WORDS: 32,
      MAX_PARTICIPANTS: 254,
      DEFAULT_PARTICIPANTS: 64,
      SLOT_TOKEN: 0,
      SLOT_GENERATION: 1,
      SLOT_READY: 2,
      SLOT_ROLE: 3,
      SLOT_PID: 4,
      SLOT_TID: 5,
      SLOT_START_LOW: 6,
      SLOT_START_HIGH: 7,
      SLOT_NAMESPACE: 8,
      SLOT_JOINED_LOW: 10,
      SLOT_JOINED_HIGH: 11,
      SLOT_USER: 12,
      SLOT_SLEEPS: 16,
      SLOT_BELL: 17,
      SLOT_KEY: 18,
      SLOT_COUNTERS: 20,
      SegmentKind: { Raw: 1, Latest: 2, Mutex: 3, Ring: 4, Channel: 5, Log: 6, Server: 7, Queue: 8 },
    });
    expect([1, 64, 254].map(payloadOffset)).toEqual([8192, 12288, 36864]);
    expect([0, 1].map(slotWord)).toEqual([1024, 1056]);
  });

  it('reads CSHM at its beginning', () => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, layout.MAGIC, true);
    expect(new TextDecoder().decode(bytes)).toBe('CSHM');
  });
});

describe('the layout of a latest value', () => {
  it('is what version 2.0 says', () => {
    const { cellBytes, latestPayloadBytes, ...numbers } = latest;
    expect(numbers).toEqual({
      VERSION_WORD: 0,
      WRITER_WORD: 32,
      WAITS_WORD: 64,
      FIRST_CELL_BYTES: 384,
      CELL_LENGTH_WORD: 0,
      CELL_DATA_BYTES: 8,
      NO_VALUE: -1,
    });
    expect([1, 120, 121, 65_536].map(cellBytes)).toEqual([128, 128, 256, 65_664]);
    expect(latestPayloadBytes(64, 4)).toBe(896);
  });
});
