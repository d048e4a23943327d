/**
 * What the two ends of a measured line say to each other. Everything is in the messages themselves, so a line
 * needs nothing but a way to move bytes in both directions.
 *
 *      0          4      5           8          12         16
 *      | number   | kind | 0         | argument | second   | filler up to the wanted size
 *
 *      echo     send it back as it is; `argument` is the run it belongs to
 *      reset    run `number` begins: the next data is number 1; acknowledge every `argument` messages
 *      data     count it, check that it is the next one
 *      flush    acknowledge now
 *      drain    run `number` begins: take the next `argument` messages unread, then give credit
 *      bounce   run `number` begins: send the next `argument` messages back as they are
 *      credit   in run `number`, `argument` data messages were received, `second` of them not the next one
 */

const NUMBER_OFFSET = 0;
const KIND_OFFSET = 4;
const ARGUMENT_OFFSET = 8;
const SECOND_OFFSET = 12;

/** Shortest message. */
export const MESSAGE_BYTES = 16;

/** What a message is. */
export const MessageKind = { Echo: 1, Reset: 2, Data: 3, Flush: 4, Credit: 5, Drain: 6, Bounce: 7 } as const;

/** One of the numbers in {@link MessageKind}. */
export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind];

/** Makes a message of `bytes` bytes. */
export function createMessage(
  kind: MessageKind,
  bytes = MESSAGE_BYTES,
  argument = 0,
  second = 0,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(bytes);
  for (let i = MESSAGE_BYTES; i < bytes; i++) message[i] = i;
  message[KIND_OFFSET] = kind;
  writeU32(message, ARGUMENT_OFFSET, argument);
  writeU32(message, SECOND_OFFSET, second);
  return message;
}

export function writeNumber(message: Uint8Array, number: number): void {
  writeU32(message, NUMBER_OFFSET, number);
}

export function readNumber(bytes: Uint8Array, start: number): number {
  return readU32(bytes, start + NUMBER_OFFSET);
}

export function readKind(bytes: Uint8Array, start: number): number {
  return bytes[start + KIND_OFFSET]!;
}

export function readArgument(bytes: Uint8Array, start: number): number {
  return readU32(bytes, start + ARGUMENT_OFFSET);
}

export function readSecond(bytes: Uint8Array, start: number): number {
  return readU32(bytes, start + SECOND_OFFSET);
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
