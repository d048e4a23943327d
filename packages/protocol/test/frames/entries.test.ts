import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '../../src/bytes/utf8.js';
import { encodeFrame } from '../../src/frames/any-frame.js';
import { encodeEntry, entryBytes, readEntry, readEntryHeader, writeEntry } from '../../src/frames/entries.js';
import { type Entry, FrameType, NoticeKind } from '../../src/frames/frame.js';
import { NAME_BYTES_OFFSET, NOTICE_KIND_OFFSET } from '../../src/frames/layout.js';
import { arbitraryEntry } from '../support/arbitrary-frame.js';
import { holds } from '../support/holds.js';

const body = new Uint8Array(2);
const fields = { room: 1, sender: 2, name: 'ada', seq: 3, prev: 2, at: 4, body };

/** An entry somewhere in a larger array, and where. */
function placed(entry: Entry, offset: number): [bytes: Uint8Array, offset: number, end: number] {
  const encoded = encodeEntry(entry);
  const bytes = new Uint8Array(offset + encoded.length + 3).fill(0xff);
  bytes.set(encoded, offset);
  return [bytes, offset, offset + encoded.length];
}

describe('readEntryHeader', () => {
  it('reads the numbers of any entry wherever it lies, and where its name and body are', () => {
    holds(
      fc.property(arbitraryEntry, fc.nat(9), (entry, offset) => {
        const [bytes, start, end] = placed(entry, offset);
        const { nameStart, bodyStart, codec, kind, ...numbers } = readEntryHeader(bytes, start, end);
        const { room, sender, device = 0, seq, prev, at } = entry;
        expect(numbers).toEqual({ room, sender, device, seq, prev, at });
        expect(codec).toBe(entry.type === FrameType.Message ? entry.codec : 0);
        expect(kind).toBe(entry.type === FrameType.Notice ? entry.kind : 0);
        expect(bytes.subarray(nameStart, bodyStart)).toEqual(encodeUtf8(entry.name));
        expect(bytes.subarray(bodyStart, end)).toEqual(entry.body);
      }),
    );
  });

  it('takes a name that fills the frame, and refuses one that is a byte longer', () => {
    const bytes = encodeEntry({ type: FrameType.Message, codec: 1, ...fields, body: new Uint8Array(0) });
    expect(readEntryHeader(bytes, 0, bytes.length)).toMatchObject({ bodyStart: bytes.length });
    bytes[NAME_BYTES_OFFSET]!++;
    expect(() => readEntryHeader(bytes, 0, bytes.length)).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL_FRAME_MALFORMED' }),
    );
  });

  it('passes on the kinds of notices of later versions, and refuses what is none', () => {
    const bytes = encodeEntry({ type: FrameType.Notice, kind: NoticeKind.Joined, ...fields });
    for (let kind = 1; kind < 256; kind++) {
      bytes[NOTICE_KIND_OFFSET] = kind;
      expect(readEntryHeader(bytes, 0, bytes.length).kind).toBe(kind);
    }
    bytes[NOTICE_KIND_OFFSET] = 0;
    expect(() => readEntryHeader(bytes, 0, bytes.length)).toThrow('notice of kind 0');
  });

  it('does not look at that byte of a message', () => {
    const bytes = encodeEntry({ type: FrameType.Message, codec: 1, ...fields });
    bytes[NOTICE_KIND_OFFSET] = 9;
    expect(readEntryHeader(bytes, 0, bytes.length).kind).toBe(0);
  });
});

describe('readEntry', () => {
  it('gives back any entry, its body as a view', () => {
    holds(
      fc.property(arbitraryEntry, fc.nat(9), (entry, offset) => {
        const [bytes, start, end] = placed(entry, offset);
        const read = readEntry(bytes, start, end);
        expect(read).toEqual(entry);
        expect(read.body.buffer).toBe(bytes.buffer);
      }),
    );
  });
});

describe('writeEntry', () => {
  it('writes at an offset the bytes of encodeFrame, and none beside them', () => {
    const name = encodeUtf8('مريم');
    const bytes = entryBytes(name.length, body.length);
    const target = new Uint8Array(bytes + 10).fill(0xee);
    writeEntry(target, 5, FrameType.Notice, 0, NoticeKind.Renamed, 1, 2, 30, 20, 4, name, body);
    const frame = {
      ...fields,
      type: FrameType.Notice,
      kind: NoticeKind.Renamed,
      name: 'مريم',
      seq: 30,
      prev: 20,
    };
    expect(target.subarray(5, 5 + bytes)).toEqual(encodeFrame(frame));
    expect([...target.subarray(0, 5), ...target.subarray(5 + bytes)]).toEqual(new Array(10).fill(0xee));
  });

  it('refuses a name of 256 bytes', () => {
    const name = new Uint8Array(256);
    expect(() =>
      writeEntry(new Uint8Array(400), 0, FrameType.Message, 0, 0, 1, 2, 3, 2, 4, name, body),
    ).toThrow(RangeError);
  });
});
