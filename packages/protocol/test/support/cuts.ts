/** The ways in which a network cuts a stream: whole, byte by byte, and anywhere. */
import * as fc from 'fast-check';

/** Cuts `bytes` into chunks of `size` bytes. Each chunk is an array of its own, as a socket delivers it. */
export function cutEvery(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += size) chunks.push(bytes.slice(start, start + size));
  return chunks;
}

/** Cuts `bytes` at each of `points`, taken modulo the length; empty chunks are among the result. */
export function cutAt(bytes: Uint8Array, points: readonly number[]): Uint8Array[] {
  const borders = points.map((point) => point % (bytes.length + 1)).sort((left, right) => left - right);
  const chunks: Uint8Array[] = [];
  let start = 0;
  for (const border of [...borders, bytes.length]) {
    chunks.push(bytes.slice(start, border));
    start = border;
  }
  return chunks;
}

/** Arbitrary cut points for {@link cutAt}. */
export const cutPoints: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 100_000 }), { maxLength: 12 });

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Bytes from `de ad be ef`. */
export function hex(text: string): Uint8Array {
  const digits = text.trim();
  return Uint8Array.from(digits === '' ? [] : digits.split(/\s+/), (byte) => Number.parseInt(byte, 16));
}
