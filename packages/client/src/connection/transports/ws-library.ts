/**
 * WebSocket in Node, by the library `ws`, which is loaded when the first such URL is opened and not before.
 */
import { WEBSOCKET_SUBPROTOCOL } from '@chat/protocol';
import type { OpenTransport } from '../transport.js';
import { tlsSettings } from './tcp.js';
import { openWebSocket, type WebSocketLike, webSocketUrl } from './websocket.js';

/** Opens `ws://` and `wss://` in Node. */
export const openLibraryWebSocket: OpenTransport = async (url, sink, options) => {
  const { WebSocket } = await import('ws');
  const target = webSocketUrl(url);
  const tls = target.startsWith('wss:') ? tlsSettings(new URL(target).hostname, options.tls) : {};
  // Chat messages are small: compressing each costs more than it saves, and memory per connection.
  const { headers: given, signal } = options;
  const headers = typeof given === 'function' ? await given({ signal }) : given;
  signal.throwIfAborted();
  const settings = { perMessageDeflate: false, ...tls, ...(headers ? { headers: { ...headers } } : {}) };
  const socket = new WebSocket(target, [WEBSOCKET_SUBPROTOCOL], settings);
  return openWebSocket(socket as unknown as WebSocketLike, sink, options);
};
