/**
 * A chat client that reconnects, resumes, and proves that it received everything. For Node; the browser gets
 * the same names from `browser.ts`.
 *
 * @packageDocumentation
 */
import type { ChatClient } from './chat-client.js';
import { Client } from './client.js';
import { cutter } from './connection/cutter.js';
import { openSocket } from './connection/transports/tcp.js';
import { openLibraryWebSocket } from './connection/transports/ws-library.js';
import { assertOptionNames } from './option-names.js';
import type { ConnectOptions, Platform } from './options.js';
import {
  askForHistory,
  askForHits,
  askForMembers,
  askForName,
  askForRooms,
  sayRead,
} from './rooms/on-demand.js';

export * from './exports.js';
export { fileIdentity } from './session/file-identity.js';

const NODE: Platform = {
  schemes: 'tcp: tls: unix: ws: wss:',
  transportFor: (url) => {
    if (/^(unix:.|(tcp|tls):\/\/[^/])/i.test(url)) return openSocket;
    return /^wss?:\/\/[^/]/i.test(url) ? openLibraryWebSocket : undefined;
  },
  cutter: { cutter },
  onDemand: { askForHistory, askForHits, askForMembers, askForName, askForRooms, sayRead },
};

/**
 * Connects to a chat server.
 *
 * @param url - `tcp://host:port`, `tls://host:port`, `unix:/path`, `ws://host:port`, `wss://host:port`. The
 *   port of `tcp` and `tls` is 12345 and the path of `ws` and `wss` is `/ws` when nothing else is said
 * @returns a promise that is resolved after the server's welcome
 * @throws ClientError (as a rejection) `ERR_CLIENT_CONNECT_FAILED`, `ERR_CLIENT_CONNECT_TIMEOUT`,
 *   `ERR_CLIENT_NAME_TAKEN`, `ERR_CLIENT_NAME_INVALID`, `ERR_CLIENT_UNAUTHORIZED`, `ERR_CLIENT_OVERLOADED`,
 *   `ERR_CLIENT_URL_UNSUPPORTED` and the others of a refused hello; or the reason of `signal`
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { connect } from '@chat/client';
 * import { createChatServer } from '@chat/server'; // here only so that the example runs by itself
 *
 * const server = createChatServer();
 * const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
 *
 * const client = await connect(`tcp://127.0.0.1:${port}`, { name: 'ada' });
 * const lobby = await client.join('lobby');
 * lobby.send('hello');
 * for await (const { sender, value } of lobby.messages()) {
 *   assert.equal(`${sender.name}: ${value}`, 'ada: hello');
 *   break;
 * }
 * await client.close();
 * await server.close();
 * ```
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
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { createChatClient } from '@chat/client';
 *
 * const client = createChatClient('tcp://127.0.0.1:1', { name: 'ada' }); // nobody listens there
 * const seen: string[] = [];
 * client.on('state', ({ status }) => seen.push(status));
 * await assert.rejects(client.connect(), { code: 'ERR_CLIENT_CONNECT_FAILED' });
 * assert.deepEqual(seen, ['connecting', 'closed']);
 * ```
 */
export function createChatClient<D = string>(url: string | URL, options: ConnectOptions<D>): ChatClient<D> {
  assertOptionNames(options);
  return new Client(NODE, url, options);
}
