/**
 * A log that servers on many machines share: a stream of NATS JetStream.
 *
 * @packageDocumentation
 */
export { openNatsLog } from './nats-log.js';
export type { NatsLogin, NatsLogOptions, NatsSecret } from './nats-options.js';
