/** All webhooks of a server: their cursors are kept, and what they do is counted. */
import { setTimeout as wait } from 'node:timers/promises';
import type { ChatServer, Logger } from '@chat/server';
import { type Cursor, Cursors } from './cursors.js';
import { readWebhookKey } from './signature.js';
import { Webhook, type WebhookStats } from './webhook.js';
import type { WebhookOptions } from './webhook-options.js';

/** What webhooks need. */
export interface WebhooksContext {
  readonly server: ChatServer;
  readonly webhooks: readonly WebhookOptions[];
  /** Where cursors are kept; `undefined`: nothing is kept. */
  readonly folder: string | undefined;
  readonly logger: Logger;
  readonly version: string;
  /** Told how far a webhook is, where another process may have to go on. */
  readonly onMoved?: (name: string, cursor: Cursor) => void;
}

/** How long a cursor may be behind in its file while nothing is delivered. */
const SAVE_MS = 1000;

export class Webhooks {
  readonly #context: WebhooksContext;
  readonly #cursors: Cursors;
  readonly #leaving = new AbortController();
  #running: { readonly webhook: Webhook; readonly done: Promise<void> }[] = [];
  #saver: NodeJS.Timeout | undefined;
  /** Where those begin of which nothing is kept. */
  #begin: Cursor | undefined;

  constructor(context: WebhooksContext) {
    this.#context = context;
    const failed = (err: unknown): void =>
      context.logger.error(
        { err },
        'cursors of webhooks cannot be kept: after a restart events may come twice',
      );
    this.#cursors = new Cursors(context.folder, failed);
  }

  /**
   * Holds what happens from now on. Where several processes could deliver, each of them does, and one is told to start.
   *
   * @throws UsageError when a secret cannot be used; Error when the kept cursors cannot be read
   */
  async watch(): Promise<void> {
    const { server, webhooks } = this.#context;
    for (const { secretFile } of webhooks) readWebhookKey(secretFile);
    this.#cursors.load();
    // Read before anything else happens: what comes next is not to be lost either.
    this.#begin = { epoch: server.epoch, position: server.position };
    await server.feed({ signal: this.#leaving.signal });
  }

  /**
   * Begins to deliver: behind the cursor that is known or kept, or with what came since {@link Webhooks.watch}.
   *
   * @param known how far another process has got, by name
   * @throws as {@link Webhooks.watch}
   */
  async start(known: ReadonlyMap<string, Cursor> = new Map()): Promise<void> {
    const { server, webhooks, logger, version } = this.#context;
    const { signal } = this.#leaving;
    if (!this.#begin) await this.watch();
    // Another process may have written it since.
    else this.#cursors.load();
    for (const options of webhooks) {
      const cursor = known.get(options.name) ?? this.#cursors.get(options.name) ?? this.#begin!;
      const feed = await server.feed({ after: cursor.position, epoch: cursor.epoch, signal });
      this.#keep(options.name, cursor);
      let key: Buffer = readWebhookKey(options.secretFile);
      const webhook = new Webhook(
        {
          options,
          logger,
          key: () => {
            try {
              key = readWebhookKey(options.secretFile);
            } catch (err) {
              logger.warn(
                { err, webhook: options.name },
                'the secret of a webhook cannot be read; the one before stays',
              );
            }
            return key;
          },
          epoch: server.epoch,
          moved: (to, isDelivered) => this.#moved(options.name, to, isDelivered),
          signal,
          now: Date.now,
          pause: (ms, ended) => wait(ms, undefined, { signal: ended }).catch(() => undefined),
          agent: `chat-server/${version}`,
        },
        cursor.position,
      );
      const done = webhook
        .run(feed)
        .catch((err: unknown) =>
          logger.error({ err, webhook: options.name }, 'a webhook has failed, and ends'),
        );
      this.#running.push({ webhook, done });
    }
    await this.#cursors.save();
    this.#saver = setInterval(() => void this.#cursors.save(), SAVE_MS);
    this.#saver.unref();
  }

  /** What each has done, by name. */
  stats(): readonly (WebhookStats & { readonly name: string })[] {
    return this.#running.map(({ webhook }) => ({ name: webhook.name, ...webhook.stats }));
  }

  /** Ends all; what is not delivered is told after the next start, where cursors are kept. */
  async close(): Promise<void> {
    clearInterval(this.#saver);
    this.#leaving.abort();
    await Promise.all(this.#running.map(({ done }) => done));
    await this.#cursors.save();
  }

  async #moved(name: string, cursor: Cursor, isDelivered: boolean): Promise<void> {
    this.#keep(name, cursor);
    if (isDelivered) await this.#cursors.save();
  }

  #keep(name: string, cursor: Cursor): void {
    this.#cursors.set(name, cursor);
    this.#context.onMoved?.(name, cursor);
  }
}
