/** A server with the HTTP API on its port, in this process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChatServer, type ChatServerOptions, createChatServer, type DrainOptions } from '@chat/server';
import { createApiHandler } from '../../src/api/api-handler.js';
import { TokenFile } from '../../src/api/tokens.js';
import { createWebHandler } from '../../src/http/web.js';

/** A token that is good there. */
export const TOKEN = 'a-token-of-sixteen-or-more';

export interface ApiServer {
  readonly server: ChatServer;
  readonly port: number;
  readonly tokenFile: string;
  /** The lines of the log. */
  readonly lines: string[];
  /** What was asked for with `drain`. */
  readonly drains: DrainOptions[];
  /** Moves the clock of the throttle. */
  advance(ms: number): void;
}

/** @param folder for the file of tokens */
export async function startApi(folder: string, options: ChatServerOptions = {}): Promise<ApiServer> {
  const lines: string[] = [];
  const drains: DrainOptions[] = [];
  let now = 0;
  const tokenFile = join(folder, 'tokens');
  writeFileSync(tokenFile, `${TOKEN}\n`);
  const log = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug: log, info: log, warn: log, error: log };
  const server = createChatServer({
    logger,
    ...options,
    http: { handler: (request, response) => handler(request, response) },
  });
  const api = createApiHandler({
    server,
    logger,
    drain: (given) => void drains.push(given),
    reload: () => void lines.push('reload'),
    authorizer: new TokenFile(tokenFile, () => now),
    addressOf: (request) => server.clientAddress(request),
    version: '0.0.0',
  });
  const metrics = (): never => {
    throw new Error('not asked for');
  };
  const handler = createWebHandler({ assets: new Map(), metrics, api });
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { server, port, tokenFile, lines, drains, advance };
}
