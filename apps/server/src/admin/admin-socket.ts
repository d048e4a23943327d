/**
 * The API for the operator of this machine: the same operations over a Unix socket that only the user of the server can
 * open, so no token is needed.
 */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { listenOnSocket, ServerError, ServerErrorCode } from '@chat/server';
import { type ApiOptions, createApiHandler } from '../api/api-handler.js';

/** Nobody but the owner may open it. */
const OWNER_ONLY = 0o600;
const BACKLOG = 16;
/** In the data folder. */
const SOCKET_NAME = 'admin.sock';

/** Where the socket of a server with this data folder is. */
export function adminSocketIn(directory: string): string {
  return join(directory, SOCKET_NAME);
}

/**
 * Listens at `path`, in the place of a socket that a dead process left there.
 *
 * @throws ServerError `ERR_SERVER_LISTEN`
 */
export async function openAdminSocket(
  path: string,
  options: Omit<ApiOptions, 'authorizer' | 'addressOf'>,
): Promise<Server> {
  const handle = createApiHandler({
    ...options,
    authorizer: { authorize: () => 'operator' },
    addressOf: () => '',
  });
  const server = createServer((request, response) => void handle(request, response));
  try {
    await listenOnSocket(server, path, BACKLOG, { mode: OWNER_ONLY });
  } catch (cause) {
    const message = `cannot listen on ${path}: ${(cause as Error).message}`;
    throw new ServerError(ServerErrorCode.Listen, message, { cause });
  }
  server.on('error', (err) => options.logger.error({ err }, 'the admin socket failed'));
  return server;
}
