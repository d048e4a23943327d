/**
 * What operators and other programs have of a server beside the chat: the page, the HTTP API, the admin socket, the
 * metrics.
 */
import type { RequestListener, Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { ChatServer, DrainOptions, Logger } from '@chat/server';
import type { SqliteLog } from '@chat/server/sqlite';
import type { Registry } from 'prom-client';
import { openAdminSocket } from './admin/admin-socket.js';
import { createApiHandler } from './api/api-handler.js';
import { TokenFile } from './api/tokens.js';
import type { Arguments } from './command-line/args.js';
import { createWebHandler } from './http/web.js';
import { readWebAssets } from './http/web-assets.js';
import type { Leaving } from './leaving.js';
import { mergeMetrics } from './metrics/merge-metrics.js';
import { createMetricsHandler, registerMetrics } from './metrics/metrics.js';
import { listenForMetrics } from './metrics/metrics-listener.js';
import { registerStoreMetrics } from './metrics/store-metrics.js';
import { registerWebhookMetrics } from './metrics/webhook-metrics.js';
import { Webhooks } from './webhooks/webhooks.js';
import type { WorkerSelf } from './workers/worker.js';

/** The parts of the program that operating it needs. */
export interface OperatingContext {
  readonly server: ChatServer;
  readonly args: Arguments;
  /** The log, where it is a file. */
  readonly data: SqliteLog | undefined;
  readonly logger: Logger;
  readonly leaving: Leaving;
  readonly worker: WorkerSelf | undefined;
  /** Of this program. */
  readonly version: string;
}

export class Operating {
  readonly #context: OperatingContext;
  readonly register: Registry;
  readonly #servers: Server[] = [];
  readonly #webhooks: Webhooks | undefined;
  /** Answers what the chat server does not answer itself. */
  readonly handler: RequestListener;

  /** @throws UsageError when the file of API tokens cannot be used */
  constructor(context: OperatingContext) {
    this.#context = context;
    const { server, data, args, worker } = context;
    this.register = registerMetrics(server);
    if (data) registerStoreMetrics(this.register, data);
    this.#webhooks = this.#createWebhooks();
    if (this.#webhooks) registerWebhookMetrics(this.register, server, this.#webhooks);
    const { apiTokenFile, metricsAddress, metricsToken, frameAncestor = [] } = args;
    const api = apiTokenFile === undefined ? {} : { api: this.#api(apiTokenFile) };
    const { contentType } = this.register;
    // Metrics are those of all workers.
    const all = worker && { contentType, metrics: async () => mergeMetrics(await worker.allMetrics()) };
    const metrics = metricsAddress
      ? {}
      : { metrics: createMetricsHandler(all ?? this.register, metricsToken?.value) };
    this.handler = createWebHandler({
      // The web client lies beside the program: the build puts it there.
      assets: readWebAssets(fileURLToPath(new URL('web', import.meta.url))),
      frameAncestors: frameAncestor,
      ...metrics,
      ...api,
    });
  }

  /**
   * Opens the admin socket and the listener of the metrics, and begins to tell webhooks, where they are wanted.
   *
   * @throws ServerError `ERR_SERVER_LISTEN`; UsageError when a secret cannot be used
   */
  async listen(): Promise<void> {
    const { args, logger } = this.#context;
    const { adminSocket, metricsAddress, metricsToken } = args;
    await this.#webhooks?.start();
    if (adminSocket) await this.#openAdminSocket(adminSocket);
    if (!metricsAddress) return;
    const { host, port: wanted } = metricsAddress;
    const handler = createMetricsHandler(this.register, metricsToken?.value, true);
    const { server, port } = await listenForMetrics(host, wanted, handler);
    this.#servers.push(server);
    logger.info(
      { host, port },
      `metrics at http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`,
    );
  }

  /** Closes what was opened; the file of the admin socket is gone then. */
  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await this.#webhooks?.close();
  }

  /** One that nobody asked for is not worth a server that does not start: its path may be too long for a socket. */
  async #openAdminSocket({ path, isWanted }: NonNullable<Arguments['adminSocket']>): Promise<void> {
    try {
      this.#servers.push(await openAdminSocket(path, this.#apiContext));
    } catch (err) {
      if (isWanted) throw err;
      this.#context.logger.warn({ err }, 'there is no admin socket; --admin-socket puts it elsewhere');
    }
  }

  #createWebhooks(): Webhooks | undefined {
    const { server, args, logger, version } = this.#context;
    const { webhooks, data } = args;
    if (webhooks.length === 0) return undefined;
    return new Webhooks({ server, webhooks, folder: data?.directory, logger, version });
  }

  #api(tokenFile: string): RequestListener {
    const { server } = this.#context;
    return createApiHandler({
      ...this.#apiContext,
      authorizer: new TokenFile(tokenFile),
      addressOf: (request) => server.clientAddress(request),
    });
  }

  get #apiContext() {
    const { server, logger, leaving, version } = this.#context;
    const drain = (options: DrainOptions): void => void leaving.leave('an operator', options);
    return { server, logger, version, drain };
  }
}
