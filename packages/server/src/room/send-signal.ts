/** Something volatile on its way to the members of a room: typing, and the like. */
import { encodeFrame, FrameType } from '@chat/protocol/frames';
import type { Room } from './room.js';

/** Sends it to those whose connections this process has, who have nothing unsent; not to its sender. */
export function sendSignal(room: Room, sender: number, name: string, codec: number, body: Uint8Array): void {
  const frame = encodeFrame({ type: FrameType.Signal, room: room.handle, sender, name, codec, body });
  for (const { member } of room.members.values()) {
    if (member.memberId !== sender) member.peer?.signal(frame);
  }
}
