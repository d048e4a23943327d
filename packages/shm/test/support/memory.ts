import { closeSync, openSync, readSync } from 'node:fs';
import { mapFile } from '../../src/platform/mapping.js';
import { PAYLOAD_OFFSET_WORD, TOTAL_BYTES_WORD } from '../../src/segment/layout.js';

const views = new Map<string, { words: Int32Array; bytes: Uint8Array; payloadWord: number }>();

/** The memory in which an open structure lies, whole, for tests that look or do damage there. It takes no part in the segment. */
export function memoryOf(open: { readonly path: string; readonly incarnation: number }): {
  words: Int32Array;
  bytes: Uint8Array;
  payloadWord: number;
} {
  const key = `${open.path} ${open.incarnation}`;
  const known = views.get(key);
  if (known !== undefined) return known;
  const fd = openSync(open.path, 'r+');
  try {
    const header = new Int32Array(16);
    readSync(fd, header, 0, 64, 0);
    const payloadWord = (header[PAYLOAD_OFFSET_WORD] ?? 0) / 4;
    // Of a file that is mapped already this is the same memory. It is never given back.
    const { words, bytes } = mapFile(fd, header[TOTAL_BYTES_WORD] ?? 0, true);
    const view = { words, bytes, payloadWord };
    views.set(key, view);
    return view;
  } finally {
    closeSync(fd);
  }
}
