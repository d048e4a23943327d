/** Arbitrary frames of every type, with the edges of each field among them. */
import * as fc from 'fast-check';
import { type Entry, type Frame, FrameType, NoticeKind } from '../../src/frames/frame.js';

const u8 = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.oneof(fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff), fc.nat({ max: 0xffffffff }));
const u48 = fc.oneof(
  fc.constantFrom(0, 1, 0xffffffff, 0x100000000, 2 ** 48 - 1),
  fc.nat({ max: 2 ** 48 - 1 }),
);
const body = fc.uint8Array({ maxLength: 300 });
// 63 units of UTF-16 are at most 189 bytes of UTF-8.
const name = fc.string({ unit: 'binary', maxLength: 40 });
const sentence = fc.string({ unit: 'binary', maxLength: 60 });
// What a JSON frame carries must survive JSON: no -0 and no undefined.
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const object = fc.dictionary(fc.string(), json).map((value) => JSON.parse(JSON.stringify(value)) as never);
const entry = { room: u32, sender: u32, name, seq: u48, prev: u48, at: u48, body };

const arbitraries: { readonly [Name in keyof typeof FrameType]: fc.Arbitrary<Frame> } = {
  Hello: fc.record({ type: fc.constant(FrameType.Hello), hello: object }),
  Welcome: fc.record({ type: fc.constant(FrameType.Welcome), welcome: object }),
  Close: fc.record({ type: fc.constant(FrameType.Close), code: u16, retryAfterMs: u32, reason: sentence }),
  GoAway: fc.record({ type: fc.constant(FrameType.GoAway), code: u16, retryAfterMs: u32, reason: sentence }),
  Ping: fc.record({ type: fc.constant(FrameType.Ping), nonce: u32 }),
  Pong: fc.record({ type: fc.constant(FrameType.Pong), nonce: u32 }),
  Publish: fc.record({ type: fc.constant(FrameType.Publish), room: u32, publishId: u32, codec: u8, body }),
  Message: fc.record({ type: fc.constant(FrameType.Message), codec: u8, ...entry }),
  Notice: fc.record({
    type: fc.constant(FrameType.Notice),
    kind: fc.constantFrom(...Object.values(NoticeKind)),
    ...entry,
  }),
  Ack: fc.record(
    {
      type: fc.constant(FrameType.Ack),
      publishId: u32,
      seq: u48,
      at: u48,
      waiting: fc.constant(true as const),
    },
    { requiredKeys: ['type', 'publishId', 'seq', 'at'] },
  ),
  Nack: fc.record({ type: fc.constant(FrameType.Nack), publishId: u32, failure: object }),
  Direct: fc.record({ type: fc.constant(FrameType.Direct), publishId: u32, codec: u8, to: name, body }),
  Signal: fc.record({
    type: fc.constant(FrameType.Signal),
    room: u32,
    sender: u32,
    name,
    codec: u8,
    body,
  }),
  Gap: fc.record({ type: fc.constant(FrameType.Gap), room: u32, from: u48, to: u48 }),
  Request: fc.record({ type: fc.constant(FrameType.Request), id: u32, request: object }),
  Response: fc.record({ type: fc.constant(FrameType.Response), id: u32, response: json }),
  Failed: fc.record({ type: fc.constant(FrameType.Failed), id: u32, failure: object }),
  History: fc.record({
    type: fc.constant(FrameType.History),
    id: u32,
    last: fc.boolean(),
    end: fc.boolean(),
    entries: body,
  }),
};

/** Any frame that the encoder takes. */
export const arbitraryFrame: fc.Arbitrary<Frame> = fc.oneof(...Object.values(arbitraries));

/** Any message or notice. */
export const arbitraryEntry: fc.Arbitrary<Entry> = fc.oneof(
  arbitraries.Message as fc.Arbitrary<Entry>,
  arbitraries.Notice as fc.Arbitrary<Entry>,
);

/** Bytes that are no frame, or nearly one: pure noise, and a frame with one byte changed. */
export function arbitraryGarbage(encode: (frame: Frame) => Uint8Array): fc.Arbitrary<Uint8Array> {
  const damaged = fc.tuple(arbitraryFrame, fc.nat(), u8).map(([frame, position, value]) => {
    const bytes = encode(frame);
    bytes[position % bytes.length] = value;
    return bytes;
  });
  // A plausible header before the noise, so that the layouts are reached and not the length check alone.
  const headed = fc
    .tuple(fc.integer({ min: 0, max: 60 }), u8, fc.uint8Array({ minLength: 3, maxLength: 60 }))
    .map(([length, type, rest]) => Uint8Array.of(length, 0, 0, 0, type, ...rest));
  return fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged, headed);
}
