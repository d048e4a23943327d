/** Where the stream of a room begins for a member: at a position that it names, at a part of the past, or now. */
import type { Joined } from '@chat/protocol/frames';
import type { StartingPoint } from '../log/byte-log.js';
import type { Room } from './room.js';

/** A position from which a member wants to go on. */
export interface JoinOptions {
  readonly history?: number;
  readonly after?: number;
  readonly epoch?: string;
}

/**
 * Where the stream of a room, or of an inbox, begins.
 *
 * @param head the newest entry that may be history
 * @param epoch the life that the log is in
 */
export function startingPoint(
  room: Room,
  { after, history = 0, epoch: theirs }: JoinOptions,
  head: number,
  epoch: string,
): { readonly point: StartingPoint; readonly gap: Joined['gap'] } {
  const { log } = room;
  if (after === undefined) {
    const point = history > 0 ? log.before(history, head) : (log.after(head) ?? log.oldest());
    return { point, gap: undefined };
  }
  // A position of another life of the log means nothing here, but for this: all that is held is new.
  const point = theirs === undefined || theirs === epoch ? log.after(after) : undefined;
  if (point) return { point, gap: undefined };
  const oldest = log.oldest();
  return { point: oldest, gap: { from: after, to: oldest.start } };
}
