/** Our binary dialect inside WebSocket messages: what a browser speaks, skimmed. */

import { WEBSOCKET_PATH, WEBSOCKET_SUBPROTOCOL } from '@chat/protocol';
import {
  clientFrame,
  clientHeaderBytes,
  OPCODE_BINARY,
  readServerFrame,
  unwrapping,
  upgrade,
} from '../stream/web-socket-framing.js';
import type { Wire } from '../way.js';
import { chatWire, type FrameCarrier } from './frames.js';

/** The dialect over WebSocket. */
export function chatWebSocketWire(payloadBytes: number): Wire {
  const wire = chatWire(payloadBytes, webSocketCarrier);
  return {
    ...wire,
    async enter(socket) {
      const frame = await wire.enter(socket);
      const headerBytes = clientHeaderBytes(frame.bytes.length);
      return {
        ...frame,
        bytes: clientFrame(OPCODE_BINARY, frame.bytes),
        payloadOffset: frame.payloadOffset + headerBytes,
        stamp: (bytes, offset, number) => frame.stamp?.(bytes, offset + headerBytes, number),
      };
    },
    scanner: (socket, check) => unwrapping(socket, wire.scanner(socket, check)),
  };
}

const webSocketCarrier: FrameCarrier = {
  greet: (socket) => upgrade(socket, WEBSOCKET_PATH, WEBSOCKET_SUBPROTOCOL),
  send: (socket, frame) => void socket.write(clientFrame(OPCODE_BINARY, frame)),
  unwrap(bytes) {
    const message = readServerFrame(bytes, 0, bytes.length);
    const consumed = message ? message.headerBytes + message.payloadBytes : 0;
    if (!message || bytes.length < consumed) return undefined;
    const isData = message.opcode === OPCODE_BINARY;
    return { frames: isData ? bytes.slice(message.headerBytes, consumed) : new Uint8Array(0), consumed };
  },
};
