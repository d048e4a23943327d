/**
 * Walks the headers of a MessagePack body without decoding anything.
 *
 * One number is enough: how many values are still owed. Each takes at least one byte, so a body that owes more
 * values than it has bytes left cannot be whole, and is found out at the header that lies. Nesting costs nothing
 * here, since a value inside an array and one after it are owed alike.
 */

/**
 * Tells whether `body` is cut short, or announces more values than its bytes can hold.
 *
 * @returns false when the sizes of the first value add up; its strings and extensions are not looked into
 */
export function announcesTooMuch(body: Uint8Array): boolean {
  let at = 0;
  let owed = 1;
  while (owed > 0) {
    if (owed > body.length - at) return true;
    const head = body[at++]!;
    owed--;
    if (head <= 0x7f || head >= 0xe0 || head === 0xc0 || head === 0xc2 || head === 0xc3) continue;
    if (head <= 0x8f) owed += 2 * (head & 0x0f);
    else if (head <= 0x9f) owed += head & 0x0f;
    else if (head <= 0xbf) at += head & 0x1f;
    else {
      const form = FORMS[head - 0xc0]!;
      // 0xc1 is never used; the library names it.
      if (form === undefined) return false;
      const [sizeBytes, payloadBytes, valuesPerCount] = form;
      if (at + sizeBytes > body.length) return true;
      let count = 0;
      for (let i = 0; i < sizeBytes; i++) count = count * 256 + body[at++]!;
      if (valuesPerCount > 0) owed += valuesPerCount * count;
      else at += count + payloadBytes;
    }
    if (at > body.length) return true;
  }
  return false;
}

/** Bytes of the count, bytes after it that are not counted, values per count (0: the count is in bytes). */
type Form = readonly [sizeBytes: number, payloadBytes: number, valuesPerCount: 0 | 1 | 2];

// From 0xc0 to 0xdf, by the specification of MessagePack, "Formats".
const FORMS: readonly (Form | undefined)[] = [
  [0, 0, 0], // nil
  undefined, // never used
  [0, 0, 0], // false
  [0, 0, 0], // true
  [1, 0, 0], // bin 8
  [2, 0, 0], // bin 16
  [4, 0, 0], // bin 32
  [1, 1, 0], // ext 8: its type is one byte
  [2, 1, 0], // ext 16
  [4, 1, 0], // ext 32
  [0, 4, 0], // float 32
  [0, 8, 0], // float 64
  [0, 1, 0], // uint 8
  [0, 2, 0], // uint 16
  [0, 4, 0], // uint 32
  [0, 8, 0], // uint 64
  [0, 1, 0], // int 8
  [0, 2, 0], // int 16
  [0, 4, 0], // int 32
  [0, 8, 0], // int 64
  [0, 2, 0], // fixext 1
  [0, 3, 0], // fixext 2
  [0, 5, 0], // fixext 4
  [0, 9, 0], // fixext 8
  [0, 17, 0], // fixext 16
  [1, 0, 0], // str 8
  [2, 0, 0], // str 16
  [4, 0, 0], // str 32
  [2, 0, 1], // array 16
  [4, 0, 1], // array 32
  [2, 0, 2], // map 16
  [4, 0, 2], // map 32
];
