/** What webhooks do, as Prometheus reads it. */
import type { ChatServer } from '@chat/server';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { WebhookStats } from '../webhooks/webhook.js';
import type { Webhooks } from '../webhooks/webhooks.js';

const COUNTERS = [
  ['chat_webhook_delivered_total', 'delivered', 'Events that a webhook has taken'],
  ['chat_webhook_failed_total', 'failed', 'Attempts to deliver that failed'],
  ['chat_webhook_given_up_total', 'givenUp', 'Events that were given up, and told as a gap'],
] as const satisfies readonly (readonly [string, keyof WebhookStats, string])[];

/** Adds what webhooks count to the other figures of a server. */
export function registerWebhookMetrics(
  register: Registry,
  server: Pick<ChatServer, 'position'>,
  webhooks: Pick<Webhooks, 'stats'>,
): void {
  for (const [name, total, help] of COUNTERS) {
    new Counter({
      name,
      help,
      labelNames: ['webhook'],
      registers: [register],
      collect() {
        this.reset();
        for (const { name: webhook, ...stats } of webhooks.stats()) this.inc({ webhook }, stats[total]);
      },
    });
  }
  new Gauge({
    name: 'chat_webhook_behind',
    help: 'How many entries of the log a webhook is behind, wanted or not',
    labelNames: ['webhook'],
    registers: [register],
    collect() {
      for (const { name: webhook, position } of webhooks.stats()) {
        this.set({ webhook }, Math.max(0, server.position - position));
      }
    },
  });
}
