/**
 * What a process that comes later has to know of the chat: the state, and of each room and inbox what was said last, as
 * far as this process holds it. It is made when it is asked for; until then it costs nothing.
 */
import { entryBytes, FrameType, readEntryHeader } from '@chat/protocol/frames';
import { inboxKey, type LogEntry } from '../../log/entry.js';
import type { ChatSnapshot } from '../../log/event-log.js';
import type { ChatState } from '../../log/state/chat-state.js';
import { sessionNumber } from '../../log/state/session-number.js';
import type { Room } from '../../room/room.js';
import type { Rooms } from '../../room/rooms.js';
import type { Inboxes } from '../directs/inbox.js';
import type { PublishRecord } from '../publish-record.js';
import type { Sessions } from '../sessions.js';
import type { SessionsElsewhere } from './elsewhere.js';

/** What a snapshot is made of. */
export interface SnapshotContext {
  readonly state: ChatState;
  readonly rooms: Rooms;
  readonly sessions: Sessions;
  readonly inboxes: Inboxes;
  readonly elsewhere: SessionsElsewhere;
}

/** Bytes of entries in a snapshot, at the most; beyond that, what is older is answered with a gap. */
const MAX_SNAPSHOT_BYTES = 67_108_864;

/** An entry as a room holds it. */
type SaidEntry = Omit<LogEntry, 'room' | 'publishId' | 'origin'>;

export function takeSnapshot({ state, rooms, sessions, inboxes, elsewhere }: SnapshotContext): ChatSnapshot {
  const publishIds = new Map<number, number>();
  const note = (record: PublishRecord | undefined): void => {
    for (const [seq, publishId] of record?.known() ?? []) publishIds.set(seq, publishId);
  };
  const floors = new Map<string, number>();
  const tail: LogEntry[] = [];
  // A client may come to the newcomer from anywhere in what is held: of each room the same part is left out, if any is.
  const part = Math.min(1, MAX_SNAPSHOT_BYTES / Math.max(1, rooms.logBytes));
  const add = (key: string, room: Room): void => {
    const { entries, floor } = newestOf(room, room.log.bytes * part);
    if (floor > 0) floors.set(key, floor);
    for (const entry of entries) tail.push({ ...entry, room: key, publishId: 0, origin: undefined });
  };
  for (const room of rooms.all) add(room.key, room);
  for (const [user, { room }] of inboxes) add(inboxKey(user), room);
  for (const session of sessions) note(session.record);
  for (const [, { record }] of elsewhere) note(record);
  const numbered = tail.map((entry) => ({ ...entry, publishId: publishIds.get(entry.seq) ?? 0 }));
  return { state: state.snapshot(), tail: numbered.sort((one, other) => one.seq - other.seq), floors };
}

/** The newest entries of a room that take no more than `maxBytes`, and the position before them. */
function newestOf(
  { log }: Room,
  maxBytes: number,
): {
  readonly entries: SaidEntry[];
  readonly floor: number;
} {
  const entries: SaidEntry[] = [];
  const point = log.oldest();
  let floor = point.start;
  let bytes = 0;
  let { offset } = point;
  for (let chunk: typeof point.chunk | undefined = point.chunk; chunk; chunk = chunk.next) {
    while (offset < chunk.used) {
      const end = chunk.endOf(offset);
      const { codec, kind, sender, device, seq, at, nameStart, bodyStart } = readEntryHeader(
        chunk.bytes,
        offset,
        end,
      );
      entries.push({
        type: kind === 0 ? FrameType.Message : FrameType.Notice,
        codec,
        kind,
        sender: sessionNumber(sender, device),
        seq,
        at,
        name: chunk.bytes.subarray(nameStart, bodyStart),
        body: chunk.bytes.subarray(bodyStart, end),
      });
      bytes += end - offset;
      offset = end;
    }
    offset = 0;
  }
  let first = 0;
  while (bytes > maxBytes && first < entries.length - 1) {
    const { seq, name, body } = entries[first++]!;
    bytes -= entryBytes(name.length, body.length);
    floor = seq;
  }
  return { entries: entries.slice(first), floor };
}
