/**
 * The integers of the wire: unsigned, little-endian, of two, four and six bytes, read and written in place.
 *
 * Reading and writing checks no bounds: the caller knows that the bytes are there, and that the value {@link fits}.
 */

/** Largest integer of two bytes. */
export const MAX_U16 = 65535;

/** Largest integer of four bytes. */
export const MAX_U32 = 4294967295;

/** Largest integer of six bytes. */
export const MAX_U48 = 281474976710655;

/** @returns `value` @throws RangeError when it is not an integer from `min` to `max`, which names the `field` */
export function fits(field: string, value: number, max: number, min: number = 0): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${field} must be an integer from ${min} to ${max}, got ${value}`);
  }
  return value;
}

const TWO_32 = 4294967296;

export function readU16(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8);
}

/** Reads an unsigned integer of four bytes, little-endian; the caller knows that they are there. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>>
    0
  );
}

/** Reads an unsigned integer of six bytes, little-endian; the caller knows that they are there. */
export function readU48(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset) + readU16(bytes, offset + 4) * TWO_32;
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/** `value` must be an integer from 0 to {@link MAX_U48}. */
export function writeU48(bytes: Uint8Array, offset: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  writeU32(bytes, offset, value - high * TWO_32);
  writeU16(bytes, offset + 4, high);
}
