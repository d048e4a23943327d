import { describe, expect, it } from 'vitest';
import * as layout from '../../src/frames/layout.js';

describe('layout', () => {
  it('has every field where version 1 of the wire has it', () => {
    const offsets = Object.fromEntries(
      Object.entries(layout).filter(([, value]) => typeof value === 'number'),
    );
    expect(offsets).toEqual({
      LENGTH_OFFSET: 0,
      TYPE_OFFSET: 4,
      CODEC_OFFSET: 5,
      NOTICE_KIND_OFFSET: 6,
      HISTORY_FLAGS_OFFSET: 6,
      NAME_BYTES_OFFSET: 7,
      HEADER_BYTES: 8,
      HISTORY_END: 2,
      HISTORY_LAST: 1,
      ENTRY_ROOM_OFFSET: 8,
      ENTRY_SENDER_OFFSET: 12,
      ENTRY_SEQ_OFFSET: 16,
      ENTRY_PREV_OFFSET: 22,
      ENTRY_AT_OFFSET: 28,
      ENTRY_DEVICE_OFFSET: 34,
      ENTRY_HEADER_BYTES: 36,
      PUBLISH_ROOM_OFFSET: 8,
      PUBLISH_ID_OFFSET: 12,
      PUBLISH_HEADER_BYTES: 16,
      DIRECT_ID_OFFSET: 8,
      DIRECT_HEADER_BYTES: 12,
      SIGNAL_ROOM_OFFSET: 8,
      SIGNAL_SENDER_OFFSET: 12,
      SIGNAL_HEADER_BYTES: 16,
      ACK_FLAGS_OFFSET: 6,
      ACK_WAITING: 1,
      ACK_ID_OFFSET: 8,
      ACK_SEQ_OFFSET: 12,
      ACK_AT_OFFSET: 18,
      ACK_BYTES: 24,
      GAP_ROOM_OFFSET: 8,
      GAP_FROM_OFFSET: 12,
      GAP_TO_OFFSET: 18,
      GAP_BYTES: 24,
      CLOSE_CODE_OFFSET: 8,
      CLOSE_RETRY_OFFSET: 12,
      CLOSE_HEADER_BYTES: 16,
      PING_NONCE_OFFSET: 8,
      PING_BYTES: 12,
      CALL_ID_OFFSET: 8,
      CALL_HEADER_BYTES: 12,
      OBJECT_FRAME_BYTES: 10,
      OBJECT_CALL_BYTES: 14,
      VALUE_CALL_BYTES: 13,
    });
  });
});
