/**
 * The body of every measured message: its number in ten decimal digits, then `x` up to the wanted size.
 * Text, so that the same body goes through every peer, whatever it can carry.
 */

/** Shortest body that holds a number. */
export const MIN_PAYLOAD_BYTES = 10;

const ZERO = 0x30;
const FILLER = 0x78;

/** Makes a body with number 0. */
export function createPayload(bytes: number): Uint8Array {
  if (!Number.isInteger(bytes) || bytes < MIN_PAYLOAD_BYTES) {
    throw new RangeError(`a payload needs at least ${MIN_PAYLOAD_BYTES} bytes, got ${bytes}`);
  }
  return new Uint8Array(bytes).fill(FILLER).fill(ZERO, 0, MIN_PAYLOAD_BYTES);
}

/** Writes the number of a message into the body at `offset`. */
export function writePayloadNumber(bytes: Uint8Array, offset: number, number: number): void {
  let rest = number;
  for (let i = offset + MIN_PAYLOAD_BYTES - 1; i >= offset; i--) {
    bytes[i] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/**
 * Reads the number of the body at `start … end` and compares every other byte of it.
 *
 * @throws Error at the first byte that is not as it was sent
 */
export function checkPayload(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let i = start; i < start + MIN_PAYLOAD_BYTES; i++) number = number * 10 + bytes[i]! - ZERO;
  for (let i = start + MIN_PAYLOAD_BYTES; i < end; i++) {
    if (bytes[i] !== FILLER) {
      throw new Error(`byte ${i - start} of message ${number} is ${bytes[i]}, sent was ${FILLER}`);
    }
  }
  return number;
}
