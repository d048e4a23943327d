/** Several publishes in one write, as a client that does not wait sends them. */
import type { PublishFrame } from '../way.js';
import { writePayloadNumber } from './payload.js';

/** The bytes of the publishes numbered `first` … `first + count - 1`. */
export function publishBatch(
  { bytes, payloadOffset, stamp }: PublishFrame,
  first: number,
  count: number,
): Uint8Array {
  const batch = new Uint8Array(bytes.length * count);
  for (let i = 0; i < count; i++) {
    const offset = i * bytes.length;
    batch.set(bytes, offset);
    writePayloadNumber(batch, offset + payloadOffset, first + i);
    stamp?.(batch, offset, first + i);
  }
  return batch;
}
