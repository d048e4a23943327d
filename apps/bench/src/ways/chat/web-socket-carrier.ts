/** Our binary dialect inside WebSocket messages: what a browser speaks, skimmed. */
import { FrameDecoder } from '@chat/protocol';
import type { SkimSocket } from '../stream/skim-socket.js';
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

const PATH = '/ws';
const SUBPROTOCOL = 'chat.v1';

/** The dialect over WebSocket. */
export function chatWebSocketWire(payloadBytes: number): Wire {
  const wire = chatWire(payloadBytes, webSocketCarrier());
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

function webSocketCarrier(): FrameCarrier {
  const decoders = new WeakMap<SkimSocket, FrameDecoder>();
  return {
    greet: (socket) => upgrade(socket, PATH, SUBPROTOCOL),
    send: (socket, frame) => socket.write(clientFrame(OPCODE_BINARY, frame)),
    async receive(socket) {
      const decoder = decoders.get(socket) ?? new FrameDecoder();
      decoders.set(socket, decoder);
      for (;;) {
        if (decoder.next()) return decoder.frame();
        await socket.read((bytes) => {
          const message = readServerFrame(bytes, 0, bytes.length);
          if (!message || bytes.length < message.headerBytes + message.payloadBytes) return undefined;
          const end = message.headerBytes + message.payloadBytes;
          if (message.opcode === OPCODE_BINARY) decoder.push(bytes.slice(message.headerBytes, end));
          return end;
        });
      }
    },
  };
}
