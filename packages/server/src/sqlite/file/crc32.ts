/** CRC-32 as in zip files (ISO 3309). Node has it from 20.15 on; before that, a table does. */
import * as zlib from 'node:zlib';

const POLYNOMIAL = 0xedb88320;

/** Remainder over `bytes`, going on from that of the bytes before them. */
export const crc32: (bytes: Uint8Array | string, before?: number) => number =
  (zlib as { crc32?: typeof crc32 }).crc32 ?? crc32ByTable;

/** The same without help of the runtime. */
export function crc32ByTable(bytes: Uint8Array | string, before = 0): number {
  let crc = ~before;
  for (const byte of typeof bytes === 'string' ? Buffer.from(bytes) : bytes) {
    crc = (TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8)) >>> 0;
  }
  return ~crc >>> 0;
}

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? POLYNOMIAL ^ (crc >>> 1) : crc >>> 1;
  return crc >>> 0;
});
