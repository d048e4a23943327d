/** The chat with a data folder, which flushes the disk before it acknowledges. */
import { FrameType, readU32 } from '@chat/protocol/frames';
import { startStoringChat } from '../chat/chat.js';
import { ChatScanner, chatWire, plainCarrier } from '../chat/frames.js';
import type { Storing } from './storing.js';

const TYPE_OFFSET = 4;

export const chatDisk: Storing = {
  name: 'chat (disk)',
  version: () => 'this commit',
  startServer: (folder) => startStoringChat('disk', { folder }),
  wire: (payloadBytes) => ({
    enter: (socket) => chatWire(payloadBytes).enter(socket),
    scanner: (socket) => new AckScanner(socket, plainCarrier, payloadBytes),
  }),
};

/** Counts acks instead of messages. */
class AckScanner extends ChatScanner {
  protected override measure(bytes: Uint8Array, offset: number, end: number): number {
    const length = super.measure(bytes, offset, end);
    if (length === 0) return 0;
    const isAck = bytes[offset + TYPE_OFFSET] === FrameType.Ack;
    return isAck ? readU32(bytes, offset) : -Math.abs(length);
  }
}
