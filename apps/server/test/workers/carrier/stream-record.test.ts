import { expect, it } from 'vitest';
import { decodeRecord, encodeRecord, type StreamRecord } from '../../../src/workers/carrier/stream-record.js';

it.each<StreamRecord>([
  { kind: 'block', position: 2 ** 38 - 1, bytes: Uint8Array.of(1, 2, 255) },
  { kind: 'resend' },
  { kind: 'refused', origin: 2 ** 48 - 1, number: 7, reason: 'no space left' },
  { kind: 'condition', condition: { state: 'full', reason: 'no space left' } },
  { kind: 'condition', condition: { state: 'open' } },
  { kind: 'begins', position: 0 },
  { kind: 'snapshot', process: 2 ** 48 - 1 },
])('a record of the kind $kind comes back as it was', (record) => {
  expect(decodeRecord(Uint8Array.from(encodeRecord(record)))).toEqual(record);
});

it('a record that is not known is refused', () => {
  expect(() => decodeRecord(Uint8Array.of(9))).toThrow(RangeError);
});
