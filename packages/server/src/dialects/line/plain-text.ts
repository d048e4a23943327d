/**
 * The fast way from the text of a message to a line: most texts are one line without anything to replace, and their
 * bytes go out as they came in. One pass copies them and proves it: UTF-8, no line end, no control, no override.
 */

const TAB = 0x09;
const SPACE = 0x20;
const DELETE = 0x7f;

/**
 * Copies `from[start … end)` to `to[at …)`, where there is space for it.
 *
 * @returns where the copy ends, or -1 when the text is not plain, or not text
 */
export function copyPlainText(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): number {
  let read = start;
  let write = at;
  while (read < end) {
    const byte = from[read]!;
    if (byte < 0x80) {
      if ((byte < SPACE && byte !== TAB) || byte === DELETE) return -1;
      to[write++] = byte;
      read++;
      continue;
    }
    const length = plainCharacterBytes(from, read, end);
    if (length === 0) return -1;
    for (const behind = read + length; read < behind; read++) to[write++] = from[read]!;
  }
  return write;
}

/**
 * Length of the character at `at`, which is not ASCII; 0 when it is not UTF-8 (RFC 3629, 4), or one to be replaced:
 * U+0080–U+009F (C2 80–C2 9F), U+2028–U+202E (E2 80 A8–AE), U+2066–U+2069 (E2 81 A6–A9).
 */
function plainCharacterBytes(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (at + 1 >= end) return 0;
  const second = bytes[at + 1]!;
  if (first < 0xe0) {
    if (first < 0xc2 || !isContinuation(second)) return 0;
    return first === 0xc2 && second < 0xa0 ? 0 : 2;
  }
  if (at + 2 >= end || !isContinuation(second) || !isContinuation(bytes[at + 2]!)) return 0;
  const third = bytes[at + 2]!;
  if (first < 0xf0) {
    if (first === 0xe0 && second < 0xa0) return 0;
    if (first === 0xed && second > 0x9f) return 0;
    if (first === 0xe2 && second === 0x80 && third >= 0xa8 && third <= 0xae) return 0;
    if (first === 0xe2 && second === 0x81 && third >= 0xa6 && third <= 0xa9) return 0;
    return 3;
  }
  if (at + 3 >= end || !isContinuation(bytes[at + 3]!)) return 0;
  if (first === 0xf0) return second < 0x90 ? 0 : 4;
  if (first === 0xf4) return second > 0x8f ? 0 : 4;
  return first < 0xf4 ? 4 : 0;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
