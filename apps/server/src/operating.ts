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
import type { Cursor } from './webhooks/cursors.js';
import { Webhooks } from './webhooks/webhooks.js';
import { shareOf } from './workers/machine/worker-machine.js';
import type { OrderAnswer, WorkerOrder } from './workers/messages.js';
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
  /** Reads the certificate again. */
  reload(): void;
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
    if (worker) worker.machine.server = server;
    this.register = registerMetrics(server);
    if (data) registerStoreMetrics(this.register, data);
    this.#webhooks = this.#createWebhooks();
    if (this.#webhooks) registerWebhookMetrics(this.register, server, this.#webhooks);
    const { apiTokenFile, metricsAddress, metricsToken, frameAncestor = [] } = args;
    const api = apiTokenFile === undefined ? {} : { api: this.#api(apiTokenFile) };
    const metrics = metricsAddress
      ? {}
      : { metrics: createMetricsHandler(this.#metrics, metricsToken?.value) };
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
    if (this.#context.worker) await this.#webhooks?.watch();
    else await this.#webhooks?.start();
    if (adminSocket) await this.#openAdminSocket(adminSocket);
    if (!metricsAddress) return;
    const { host, port: wanted } = metricsAddress;
    const handler = createMetricsHandler(this.#metrics, metricsToken?.value, true);
    const { server, port } = await listenForMetrics(host, wanted, handler);
    this.#servers.push(server);
    logger.info(
      { host, port },
      `metrics at http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`,
    );
  }

  /** Delivers to webhooks: this worker, and no other. */
  deliver(cursors: ReadonlyMap<string, Cursor>): void {
    this.#webhooks
      ?.start(cursors)
      .catch((err: unknown) => this.#context.logger.error({ err }, 'webhooks cannot be told'));
  }

  /** Does what all workers are asked to. */
  async carryOut(order: WorkerOrder): Promise<OrderAnswer> {
    const { server, args } = this.#context;
    switch (order.kind) {
      case 'metrics':
        return this.register.metrics();
      case 'stats':
        return server.stats();
      case 'adjust':
        server.adjust(shareOf(order.limits, args.workers ?? 1));
        return undefined;
    }
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
    const { server, args, logger, version, worker } = this.#context;
    const { webhooks, data } = args;
    if (webhooks.length === 0) return undefined;
    const folder = data?.directory;
    const more = worker ? { onMoved: worker.delivered } : {};
    return new Webhooks({ server, webhooks, folder, logger, version, ...more });
  }

  #api(tokenFile: string): RequestListener {
    const { server } = this.#context;
    return createApiHandler({
      ...this.#apiContext,
      authorizer: new TokenFile(tokenFile),
      addressOf: (request) => server.clientAddress(request),
    });
  }

  /** Those of all workers, where there are any. */
  get #metrics(): Pick<Registry, 'metrics' | 'contentType'> {
    const { worker } = this.#context;
    if (!worker) return this.register;
    const { contentType } = this.register;
    return { contentType, metrics: async () => mergeMetrics(await worker.machine.metrics()) };
  }

  get #apiContext() {
    const { server, logger, leaving, version, worker, reload } = this.#context;
    if (worker) {
      const { machine, drain, restart } = worker;
      return { server, logger, version, drain, reload: restart, machine, once: machine };
    }
    const drain = (options: DrainOptions): void => void leaving.leave('an operator', options);
    return { server, logger, version, drain, reload };
  }
}
