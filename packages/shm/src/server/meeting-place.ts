/**
 * The meeting place of a server and its clients: a segment with a slot for each client that waits. Each connection is a channel of its own.
 *
 * A client makes a channel named after its token, says in its slot that it waits, and notifies; the server opens the other side, and gives
 * the channel's name up at once. So a connection has no file that could be left behind, whoever dies, and a client needs its slot only
 * until it is taken.
 *
 *     client    channel <name>.<life>.<token>.<n>, side b   killed: the next server to start removes the channel
 *               store ATTEMPT, WAITS = token; notify        killed: the server takes the channel, and removes it
 *     server    open side a, give the name up              killed before: the next server takes the connection
 *               swap WAITS from that token to 0            killed before: the client sees it die, and makes another channel
 *
 * A client may be gone from its slot as soon as it has seen the server come, and another one wait there: so the server swaps from the very
 * token whose channel it took. And it swaps before it closes a channel that it cannot use, after which the same client may wait again.
 */
import type { Channel } from '../channel/channel.js';
import { ShmError } from '../errors.js';
import { SegmentKind, SLOT_USER } from '../segment/layout.js';
import { Role } from '../segment/participants.js';
import { type OpenOptions, Segment } from '../segment/segment.js';

/** Word of the payload: the token of who listens, or 0. */
export const SERVER_WORD = 0;
export const SERVER_BYTES = 64;
/** Words of a participant slot: the token of its client while that one waits, else 0; and which of its channels it is. */
export const SLOT_WAITS: number = SLOT_USER;
export const SLOT_ATTEMPT: number = SLOT_USER + 1;

/** Opens the meeting place `name`, or makes it. */
export function openMeetingPlace(name: string, options: OpenOptions): Segment {
  const { mode, directory, permissions, maxParticipants, trustOwners, onMismatch } = options;
  const given = { mode, directory, permissions, maxParticipants, trustOwners, onMismatch };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const spec = { kind: SegmentKind.Server, params: [], payloadBytes: () => SERVER_BYTES };
  return Segment.open(spec, name, known, Role.Both);
}

/** The name of a client's channel. No token comes twice in one life of the meeting place, so no two connections have the same. */
export function channelName(segment: Segment, token: number, attempt: number): string {
  return `${channelPrefix(segment)}.${token.toString(36)}.${attempt}`;
}

/** What the names of all channels made here begin with. */
export function channelPrefix({ name, incarnation }: Segment): string {
  return `${name}.${incarnation.toString(36)}`;
}

/**
 * Gives the name of a channel up, as both its sides do once they have met: whoever comes first. The other one may be stopped in the middle
 * of it, and does so when it goes on; a channel that keeps its name until then is as good as any.
 *
 * @throws all but {@link ShmError}
 */
export function giveNameUp(channel: Pick<Channel, 'unlink'>): void {
  try {
    channel.unlink();
  } catch (error) {
    if (!ShmError.is(error)) throw error;
  }
}
