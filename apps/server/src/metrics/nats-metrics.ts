/** How the process that speaks with NATS is doing, as Prometheus reads it. */
import type { NatsRelayStats } from '@chat/server/nats';
import { Gauge, type Registry } from 'prom-client';

/** Where the figures come from. */
export interface NatsFigures {
  stats(): NatsRelayStats;
  /** Whether blocks come and go. */
  isOpen(): boolean;
}

/** Adds what the stream of NATS is like to other figures. */
export function registerNatsMetrics(register: Registry, { stats, isOpen }: NatsFigures): void {
  const figures: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['chat_nats_position', 'Number of the last message of the stream that was read', () => stats().position],
    ['chat_nats_sent_total', 'Blocks that were sent to the stream, repeats included', () => stats().sent],
    ['chat_nats_under_way', 'Blocks that were sent and have not come back', () => stats().underWay],
    [
      'chat_nats_open',
      '1 while the stream takes and brings blocks, 0 while it is stalled, full or has failed',
      () => (isOpen() ? 1 : 0),
    ],
  ];
  for (const [name, help, read] of figures) {
    new Gauge({
      name,
      help,
      registers: [register],
      collect() {
        this.set(read());
      },
    });
  }
}
