/** A listener of their own for the metrics, so that the port of the chat may be open to everybody and this one not. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServerError, ServerErrorCode } from '@chat/server';
import { sendText } from '../http/web.js';

/**
 * Serves `/metrics` at an address.
 *
 * @returns the server, and its port, also where port 0 was asked for
 * @throws ServerError `ERR_SERVER_LISTEN`
 */
export async function listenForMetrics(
  host: string,
  port: number,
  handler: RequestListener,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') return sendText(response, 404, 'not found');
    if (request.method === 'GET' || request.method === 'HEAD') return handler(request, response);
    sendText(response, 405, 'method not allowed', { Allow: 'GET, HEAD' });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot listen on ${host}:${port}: ${cause.message}`;
      reject(new ServerError(ServerErrorCode.Listen, message, { cause }));
    });
    server.listen({ host, port }, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}
