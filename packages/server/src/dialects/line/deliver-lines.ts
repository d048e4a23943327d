/**
 * Entries of the log for a peer of the line dialect: pieces of text that it shares with others.
 */
import type { Sender } from '../../connection/sender.js';
import type { LineCharset } from '../../options/line-charset.js';
import type { Membership } from '../../room/room.js';
import type { LineContext } from './line-context.js';
import { directLines } from './line-view.js';

/**
 * Sends what is between the cursor and the end, as far as the socket takes it.
 *
 * @param charset of the reader; undefined for UTF-8
 */
export function deliverLines(
  sender: Sender,
  context: LineContext,
  membership: Membership,
  charset: LineCharset | undefined,
): void {
  sender.flush();
  for (;;) {
    if (membership.lagged) {
      membership.member.lagged(membership);
      return;
    }
    if (sender.isBlocked) return;
    const { chunk, offset } = membership;
    if (offset < chunk.used) {
      const lines = nextLines(context, membership, charset);
      if (lines.length === 0) continue;
      sender.write(lines);
      sender.look();
    } else if (!chunk.next) return;
    else membership.moveTo({ chunk: chunk.next, offset: 0 });
  }
}

/** Moves the cursor over what one write may have, and answers its lines. */
function nextLines(
  { counters, options, viewOf }: LineContext,
  membership: Membership,
  charset: LineCharset | undefined,
): Buffer {
  const { room, member, chunk, offset } = membership;
  counters.slicesOut++;
  if (room.name === '') {
    counters.entriesOut++;
    membership.offset = chunk.endOf(offset);
    const lines = directLines(chunk, offset, options.maxLinesPerMessage);
    return charset?.encode(lines) ?? Buffer.from(lines);
  }
  const piece = viewOf(room).piece(chunk, offset, member.memberId);
  membership.offset = piece.to;
  const bytes = piece.bytesFor(member.memberId, charset);
  // A piece of nothing but its own lines is not given to the reader.
  if (bytes.length > 0) counters.entriesOut += piece.entries;
  return bytes;
}
