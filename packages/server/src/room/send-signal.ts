/** Something volatile on its way to the members of a room: typing, and the like. */
import { encodeFrame, FrameType } from '@chat/protocol/frames';
import { userOf } from '../log/state/session-number.js';
import type { Room } from './room.js';

/** Sends it to those whose connections this process has, who have nothing unsent; not to the user who sends it. */
export function sendSignal(room: Room, sender: number, name: string, codec: number, body: Uint8Array): void {
  const user = userOf(sender);
  const frame = encodeFrame({ type: FrameType.Signal, room: room.handle, sender: user, name, codec, body });
  for (const { member } of room.members.values()) {
    if (userOf(member.memberId) !== user) member.peer?.signal(frame);
  }
}
