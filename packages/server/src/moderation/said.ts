/** A message that was said once, as it is kept now: in the heap, or in the store. */
import { CodecTag, type Failure, FailureCode, textCodec } from '@chat/protocol';
import { ENTRY_SEQ_OFFSET, FrameType, readEntryHeader, readU48 } from '@chat/protocol/frames';
import type { Room } from '../room/room.js';
import type { SessionContext } from '../session/context.js';

/** A message as it is kept. */
export interface Said {
  readonly type: number;
  readonly codec: number;
  readonly sender: number;
  readonly at: number;
  readonly name: string;
  /** Borrowed. */
  readonly body: Uint8Array;
}

/** The message at a position of a room, which was not taken back, and its room. */
export async function findSaid(
  context: SessionContext,
  request: { readonly room: string; readonly seq: number },
): Promise<{ readonly room: Room; readonly said: Said } | { readonly failure: Failure }> {
  const room = context.rooms.find(request.room);
  if (!room) return failed(FailureCode.NoSuchRoom, `there is no room ${request.room.slice(0, 64)}`);
  const said = await findMessage(context, room, request.seq);
  if (said?.type !== FrameType.Message || said.codec === CodecTag.Withdrawn)
    return failed(FailureCode.NoSuchMessage, `there is no message ${request.seq} in ${room.name}`);
  return { room, said };
}

/** The entry at a position of a room, if the heap has it. */
export function heldMessage({ log }: Room, seq: number): Said | undefined {
  const point = log.after(seq - 1);
  if (!point || point.offset >= point.chunk.used) return undefined;
  const { bytes } = point.chunk;
  if (readU48(bytes, point.offset + ENTRY_SEQ_OFFSET) !== seq) return undefined;
  const end = point.chunk.endOf(point.offset);
  const { kind, codec, sender, at, nameStart, bodyStart } = readEntryHeader(bytes, point.offset, end);
  const type = kind === 0 ? FrameType.Message : FrameType.Notice;
  const name = textCodec.decode(bytes.subarray(nameStart, bodyStart));
  return { type, codec, sender, at, name, body: bytes.subarray(bodyStart, end) };
}

/** The entry at a position of a room, from the heap or from the store. */
async function findMessage(
  { log: { store } }: SessionContext,
  room: Room,
  seq: number,
): Promise<Said | undefined> {
  const point = room.log.after(seq - 1);
  if (point && point.offset < point.chunk.used) return heldMessage(room, seq);
  if (!store || seq > room.log.lastSeq) return undefined;
  const { entries } = await store.read(room.key, { after: seq - 1, limit: 1, maxBytes: 1 });
  const [entry] = entries;
  return entry?.seq === seq ? { ...entry, name: textCodec.decode(entry.name) } : undefined;
}

function failed(code: FailureCode, message: string): { readonly failure: Failure } {
  return { failure: { code, message } };
}
