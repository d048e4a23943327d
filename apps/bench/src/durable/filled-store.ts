/**
 * A data folder with as many messages as are wanted, without anybody having said them: lines as `chat-server export` prints
 * them, imported. Most are in one room; every thousandth is in another, whose history is spread thinly over the whole log.
 */
import { importStore } from '@chat/server/sqlite';
import { createPayload, writePayloadNumber } from '../ways/stream/payload.js';

/** The room that nearly everything is in. */
export const DENSE_ROOM = 'dense';
/** The room that every thousandth message is in. */
export const SPARSE_ROOM = 'sparse';
const SPARSE_EVERY = 1000;
const FIRST_AT = Date.UTC(2026, 0, 1);

/** Fills a new folder. Blocks for some seconds per million. */
export function fillStore(directory: string, messages: number, payloadBytes: number): void {
  importStore({ directory, lines: linesOf(messages, payloadBytes) });
}

function* linesOf(messages: number, payloadBytes: number): Generator<string> {
  const rooms = [DENSE_ROOM, SPARSE_ROOM].map((name, i) => ({ handle: i + 1, key: name, name, members: [] }));
  const state = { position: messages, lastMember: 0, lastRoom: rooms.length, sessions: [], rooms, bans: [] };
  yield JSON.stringify({ chat: 1, state });
  const payload = createPayload(payloadBytes);
  const decoder = new TextDecoder();
  for (let seq = 1; seq <= messages; seq++) {
    writePayloadNumber(payload, 0, seq);
    const room = seq % SPARSE_EVERY === 0 ? SPARSE_ROOM : DENSE_ROOM;
    const at = new Date(FIRST_AT + seq).toISOString();
    const fields = { seq, at, type: 'message', room, sender: 1 + (seq % 50), name: `member ${seq % 50}` };
    yield JSON.stringify({ ...fields, codec: 1, kind: 0, publishId: 0, body: decoder.decode(payload) });
  }
}
