/**
 * WebSocket of the platform: the browser's.
 */

import { WEBSOCKET_SUBPROTOCOL } from '@chat/protocol';
import { missing } from '../../errors.js';
import type { OpenTransport } from '../transport.js';
import { openWebSocket, type WebSocketLike, webSocketUrl } from './websocket.js';

interface Platform {
  readonly WebSocket: new (url: string, protocols: string[]) => WebSocketLike & { binaryType: string };
}

/** Opens `ws://` and `wss://` where the platform has a WebSocket. */
export const openNativeWebSocket: OpenTransport = (url, sink, options) => {
  const { WebSocket } = globalThis as unknown as Partial<Platform>;
  if (WebSocket === undefined) throw missing('WebSocket');
  const socket = new WebSocket(webSocketUrl(url), [WEBSOCKET_SUBPROTOCOL]);
  socket.binaryType = 'arraybuffer';
  return openWebSocket(socket, sink, options);
};
