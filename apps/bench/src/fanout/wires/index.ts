/** The protocols by name, since a name is all that can be told to another process. */
import type { Wire } from '../wire.js';
import { chatWire } from './chat.js';
import { chatWebSocketWire } from './chat-web-socket.js';
import { lineWire } from './line.js';
import { natsWire } from './nats.js';
import { redisWire } from './redis.js';
import { socketIoWire } from './socket-io.js';
import { wsWire } from './ws.js';

const ROOM = 'room';

const WIRES = {
  chat: (payloadBytes: number) => chatWire(ROOM, payloadBytes),
  'chat-websocket': (payloadBytes: number) => chatWebSocketWire(ROOM, payloadBytes),
  'chat-line': lineWire,
  ws: wsWire,
  'socket.io': socketIoWire,
  redis: (payloadBytes: number) => redisWire(ROOM, payloadBytes),
  nats: (payloadBytes: number) => natsWire(ROOM, payloadBytes),
} as const satisfies Record<string, (payloadBytes: number) => Wire>;

/** Name of a protocol. */
export type WireName = keyof typeof WIRES;

/** Makes a protocol for bodies of this size. */
export function createWire(name: WireName, payloadBytes: number): Wire {
  return WIRES[name](payloadBytes);
}
