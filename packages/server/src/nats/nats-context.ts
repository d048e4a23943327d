/** What everything that speaks with NATS is given. */
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { SteadyClock } from '../time/clock.js';
import type { NatsLibrary } from './library.js';

export interface NatsContext {
  readonly library: NatsLibrary;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** Name of the stream that carries the blocks. */
  readonly stream: string;
  /** What answers are asked for below. */
  readonly inboxPrefix: string;
  readonly clock: SteadyClock;
}
