/**
 * A process that measures the paths of `@chat/protocol` against what everybody has: JSON of the same message. The best
 * of many short rounds counts, since only noise makes code slower than it is.
 */
import { CodecTag, jsonCodec, textCodec } from '@chat/protocol';
import { decodeFrame, type EntryFields, encodeFrame, FrameDecoder, FrameType } from '@chat/protocol/frames';
import { serveRemote } from '../harness/remote.js';

/** What this process is asked to do. */
export interface CodecOperations {
  /** @returns how many times as fast as JSON each path is */
  measure(params: object): Record<string, number>;
  [name: string]: (params: never) => unknown;
}

const ROUNDS = 30;
const MESSAGES = 2000;
const TEXT = 'a message of sixty-four characters, as people send them all day.';

serveRemote({ measure: measureRatios } satisfies CodecOperations);

function measureRatios(): Record<string, number> {
  const fields: EntryFields = {
    room: 1,
    sender: 7,
    name: 'ada',
    seq: 123_456,
    prev: 123_400,
    at: 1_700_000_000_000,
    body: textCodec.encode(TEXT),
  };
  const frame = { ...fields, type: FrameType.Message, codec: CodecTag.Text } as const;
  const plain = { ...fields, type: FrameType.Message, body: TEXT };
  const bytes = encodeFrame(frame);
  const json = JSON.stringify(plain);
  const stream = new Uint8Array(bytes.length * 100);
  for (let i = 0; i < 100; i++) stream.set(bytes, i * bytes.length);
  const decoder = new FrameDecoder();

  const jsonEncodeNs = best(() => JSON.stringify(plain).length);
  const jsonDecodeNs = best(() => (JSON.parse(json) as { seq: number }).seq);
  return {
    'encode a message frame, against JSON': jsonEncodeNs / best(() => encodeFrame(frame).length),
    'decode a message frame, against JSON': jsonDecodeNs / best(() => decodeFrame(bytes)?.type ?? 0),
    'find the frames of a stream, against JSON':
      jsonDecodeNs /
      (best(() => {
        decoder.push(stream);
        let count = 0;
        while (decoder.next()) count++;
        return count;
      }, MESSAGES / 100) /
        100),
    'text codec both ways, against the JSON codec':
      best(() => jsonCodec.decode(jsonCodec.encode(TEXT))) /
      best(() => textCodec.decode(textCodec.encode(TEXT))),
  };
}

/** Nanoseconds of one call, in the best round. */
function best(work: () => unknown, calls = MESSAGES): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    for (let i = 0; i < calls; i++) work();
    least = Math.min(least, ((performance.now() - begin) * 1e6) / calls);
  }
  return least;
}
