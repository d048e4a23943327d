/**
 * The answer to a history request, as entries. A gap stands where the log no longer holds what was asked
 * for.
 */
import { ProtocolError } from '@chat/protocol';
import { FrameSplitter, FrameType, MAX_MAX_FRAME_BYTES, readEntryHeader } from '@chat/protocol/frames';
import type { HistoryAnswer } from '../sending/requests.js';
import { type EntryContext, type Message, type RoomEntry, readMessage, readNotice } from './entry.js';
import type { HistoryPage } from './room.js';

/**
 * @param after - what was asked for, if it was entries after a position
 * @param position - last entry that has arrived in the room
 * @throws ProtocolError when the entries are malformed
 */
export function readHistory<T>(
  { chunks, end }: HistoryAnswer,
  context: EntryContext<T> & { readonly room: string },
  after: number | undefined,
  position: number,
): HistoryPage<T> {
  const { room } = context;
  const entries: RoomEntry<T>[] = [];
  let before = after;
  // An entry is in one chunk, which is a frame that was not too large.
  const splitter = new FrameSplitter({ maxFrameBytes: MAX_MAX_FRAME_BYTES });
  for (const chunk of chunks) {
    splitter.push(chunk);
    while (splitter.next()) {
      const { type, bytes, offset, length } = splitter;
      const frameEnd = offset + length;
      const header = readEntryHeader(bytes, offset, frameEnd);
      const entry =
        type === FrameType.Notice
          ? readNotice(context, header, bytes, frameEnd)
          : (readMessage(context, header, bytes, frameEnd) as Message<T>);
      if (before !== undefined && entry.prev > before) {
        // In front of the first, what lies between is no longer held.
        const reason = entries.length === 0 ? 'expired' : 'hole';
        entries.push({ type: 'gap', room, reason, from: before, to: entry.prev });
      }
      entries.push(entry);
      before = entry.seq;
    }
    if (splitter.pendingBytes > 0) {
      throw new ProtocolError('ERR_PROTOCOL_FRAME_MALFORMED', 'a history ends within an entry');
    }
  }
  if (after !== undefined && end && entries.length === 0 && after < position) {
    // There was something, and nothing of it is held any more.
    entries.push({ type: 'gap', room, reason: 'expired', from: after, to: position });
  }
  return { entries, end };
}
