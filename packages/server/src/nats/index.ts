/**
 * A log that servers on many machines share: a stream of NATS JetStream.
 *
 * @packageDocumentation
 */
export { openNatsLog } from './nats-log.js';
export type { NatsLogin, NatsLogOptions, NatsSecret } from './nats-options.js';
export {
  type NatsRelay,
  type NatsRelayOptions,
  type NatsRelayReceiver,
  type NatsRelayStats,
  openNatsRelay,
} from './relay/relay.js';
