/** The plain broadcast server made with `ws`: every data frame is a message. */
import { createPayload } from '../payload.js';
import {
  clientFrame,
  clientHeaderBytes,
  OPCODE_BINARY,
  upgrade,
  WebSocketScanner,
} from '../web-socket-framing.js';
import { checkTail, type Wire } from '../wire.js';

/** Binary messages, as they are. */
export function wsWire(payloadBytes: number): Wire {
  return {
    subscribe: (socket) => upgrade(socket, '/'),
    idle: (socket) => upgrade(socket, '/'),
    async enter(socket) {
      await upgrade(socket, '/');
      return {
        bytes: clientFrame(OPCODE_BINARY, createPayload(payloadBytes)),
        payloadOffset: clientHeaderBytes(payloadBytes),
      };
    },
    scanner: (socket, check) => new WebSocketScanner(socket, checkTail(check, payloadBytes, 0)),
  };
}
