/**
 * What a stream needs that WebSockets do not: the preface, and frames that were cut are put together. A message of a
 * WebSocket holds whole frames; so a page fetches this with the first transport of its own: see `lazy/load.ts`.
 *
 * A piece is copied when its frame is complete, and once more at the most: a frame that comes byte by byte costs no
 * more copying than one that does not.
 */

/** Length and type of a frame: as soon as they are there the reader of frames judges them. */
const JUDGED_BYTES = 5;

/** What a client says first where the transport has not agreed upon the dialect; `encodePreface` says the same. */
const PREFACE = [0xfe, 0x43, 0x48, 0x41, 0x54, 0x0d, 0x0a, 1];

/** The client's side of a stream. */
export interface Cutter {
  /** The bytes that a stream begins with. */
  readonly preface: Uint8Array;
  /** Takes the next bytes. @returns the whole frames that they complete */
  cut(chunk: Uint8Array): Uint8Array;
}

export function cutter(maxFrameBytes: number): Cutter {
  let pieces: Uint8Array[] = [];
  let held = 0;
  let needed = JUDGED_BYTES;
  const cut = (chunk: Uint8Array): Uint8Array => {
    pieces.push(chunk);
    held += chunk.length;
    if (held < needed) return chunk.subarray(0, 0);
    const bytes = pieces.length === 1 ? chunk : join(pieces, held);
    let end = 0;
    needed = JUDGED_BYTES;
    while (bytes.length - end >= JUDGED_BYTES) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + end).getUint32(0, true);
      // No frame has this length: the reader says so, with all that there is.
      if (length < JUDGED_BYTES || length > maxFrameBytes) return bytes;
      if (length > bytes.length - end) {
        needed = length;
        break;
      }
      end += length;
    }
    // A view would keep the whole chunk for the sake of its end.
    pieces = end < bytes.length ? [bytes.slice(end)] : [];
    held = bytes.length - end;
    return bytes.subarray(0, end);
  };
  return { preface: Uint8Array.from(PREFACE), cut };
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
