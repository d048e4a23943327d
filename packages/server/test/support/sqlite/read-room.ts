import { readRecords } from '../../../src/log/block.js';
import type { StoreReader } from '../../../src/sqlite/store-reader.js';

/** All that is stored of a room, and what is told beside it. */
export function readRoom(reader: StoreReader, room: string) {
  const { bytes, positions, previous, damaged, end } = reader.read(room, { limit: 1e9, maxBytes: 1e9 });
  const entries = readRecords(bytes, positions);
  return {
    seqs: entries.map(({ seq }) => seq),
    texts: entries.map(({ body }) => new TextDecoder().decode(body)),
    previous,
    gaps: damaged.map(({ from, to }) => [from, to]),
    end,
  };
}
