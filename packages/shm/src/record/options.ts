/** What the structures of records are opened with: rings, channels, logs and queues. */
import type { SegmentKind } from '../segment/layout.js';
import type { OpenOptions } from '../segment/segment.js';
import type { SegmentSpec } from '../segment/spec.js';
import type { Codec } from './codec.js';
import { areaBytes, checkCapacity, DEFAULT_CAPACITY_BYTES } from './layout.js';

/** Options of rings, channels, logs and queues. */
export interface RecordOptions<T = Uint8Array> extends OpenOptions {
  /**
   * Bytes of messages or entries that are kept (in a channel: in each direction), 8 for the header of each included, 16 in a log or queue: a
   * power of two from 4096 to 2^30, of a channel 2^29. An eighth of it is the longest message. An existing one must have the same if it is given.
   * @defaultValue 1048576, of a log 4194304
   */
  readonly capacityBytes?: number;
  /**
   * Bytes that may wait for room in this handle, 64 for each message included: `send`, `append` and `put` beyond it are refused.
   * @defaultValue 67108864
   */
  readonly maxQueuedBytes?: number;
  /**
   * Whether the open handle keeps the process alive, as a socket does.
   * @defaultValue false
   */
  readonly keepAlive?: boolean;
  /**
   * What messages, entries and values are made of, the same for all who open it: `textCodec`, `jsonCodec()`, `cloneCodec()`, `schemaCodec(…)` or one's own.
   * @defaultValue none: they are `Uint8Array`s
   */
  readonly codec?: Codec<T>;
}

/** What such a structure asks of its segment: one parameter, which an existing segment must share if it is given. @throws {RangeError} */
export function recordSpec(
  kind: SegmentKind,
  { capacityBytes: given, maxQueuedBytes }: Pick<RecordOptions, 'capacityBytes' | 'maxQueuedBytes'>,
  defaultBytes: number = DEFAULT_CAPACITY_BYTES,
  payloadBytes: (capacityBytes: number) => number = areaBytes,
): SegmentSpec {
  const value = given ?? defaultBytes;
  checkCapacity(value);
  if (maxQueuedBytes !== undefined && !(maxQueuedBytes >= 0)) {
    throw new RangeError(`maxQueuedBytes is 0 or more, not ${maxQueuedBytes}`);
  }
  return {
    kind,
    params: [{ name: 'capacityBytes', value, required: given !== undefined }],
    payloadBytes: ([capacityBytes = 0]) => payloadBytes(capacityBytes),
  };
}
