/**
 * The same client for the browser: `ws://` and `wss://` over the browser's own WebSocket. It tries again at
 * once when the network comes back, and makes sure of its connection when the page is shown again.
 *
 * @packageDocumentation
 */
import type { ChatClient } from './chat-client.js';
import { Client } from './client.js';
import { openNativeWebSocket } from './connection/transports/native-websocket.js';
import type { ConnectOptions, Platform } from './options.js';

export * from './exports.js';

interface Page {
  readonly document?: { readonly visibilityState: string };
  addEventListener?(event: string, listener: () => void, capture: boolean): void;
  removeEventListener?(event: string, listener: () => void, capture: boolean): void;
}

const BROWSER: Platform = {
  schemes: 'ws: wss:',
  transportFor: (url) => (/^wss?:\/\/[^/]/i.test(url) ? openNativeWebSocket : undefined),
  cutter: () => import('./connection/cutter.js'),
  onDemand: () => import('./rooms/on-demand.js'),
  onWake: (wake) => {
    const page = globalThis as Page;
    const shown = () => {
      if (page.document?.visibilityState !== 'hidden') wake();
    };
    const listeners = [
      ['online', wake],
      // Fired at the document, and seen here on its way.
      ['visibilitychange', shown],
      // Out of the cache of the browser, which has closed its connections.
      ['pageshow', shown],
    ] as const;
    for (const [event, listener] of listeners) page.addEventListener?.(event, listener, true);
    return () => {
      for (const [event, listener] of listeners) page.removeEventListener?.(event, listener, true);
    };
  },
};

/**
 * Connects to a chat server.
 *
 * @param url - `ws://host:port` or `wss://host:port`; the path is `/ws` when nothing else is said
 * @returns a promise that is resolved after the server's welcome
 * @throws ClientError (as a rejection) as the `connect` for Node
 */
export async function connect<D = string>(
  url: string | URL,
  options: ConnectOptions<D>,
): Promise<ChatClient<D>> {
  const client = createChatClient(url, options);
  await client.connect();
  return client;
}

/**
 * Makes a client without connecting it, so that its state can be watched from the beginning.
 *
 * @throws RangeError when a limit is not a positive number; TypeError for an option that does not exist
 */
export function createChatClient<D = string>(url: string | URL, options: ConnectOptions<D>): ChatClient<D> {
  return new Client(BROWSER, url, options);
}
