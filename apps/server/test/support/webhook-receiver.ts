/** A program that is told by webhooks: it takes them, fails, hangs or is not there, as a test wants. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What it does with a delivery: answers with a status, or not at all. */
export type Reaction = number | 'hang' | { readonly redirect: string };

export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}

export interface ReceivedEvent {
  readonly type: string;
  readonly seq: number;
  readonly [field: string]: unknown;
}

export class WebhookReceiver {
  /** For each delivery that comes; the last one stays. */
  reactions: Reaction[] = [200];
  /** All that came, taken or not. */
  readonly deliveries: Delivery[] = [];
  /** Those that were taken. */
  readonly taken: ReceivedEvent[] = [];
  #server: Server | undefined;
  #port = 0;
  #changed: () => void = () => {};

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  /** Listens, where it did before if it did. */
  async listen(): Promise<this> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () =>
        this.#take({ headers: request.headers, body, path: request.url ?? '' }, response),
      );
    });
    this.#server = server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  /** Is gone as if it was killed: connections end in the middle. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  /** Resolved once it holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** The texts of the messages that were taken. */
  get texts(): unknown[] {
    return this.taken.filter(({ type }) => type === 'message').map(({ text }) => text);
  }

  #take(delivery: Delivery, response: ServerResponse): void {
    this.deliveries.push(delivery);
    const reaction = this.reactions.length > 1 ? this.reactions.shift()! : this.reactions[0]!;
    if (typeof reaction === 'object') response.writeHead(307, { Location: reaction.redirect }).end();
    else if (reaction !== 'hang') response.writeHead(reaction).end('answer');
    if (reaction === 200) {
      this.taken.push(...(JSON.parse(delivery.body) as { events: ReceivedEvent[] }).events);
    }
    this.#changed();
  }
}
