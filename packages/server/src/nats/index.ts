/**
 * A log that servers on many machines share: a stream of NATS JetStream.
 *
 * @packageDocumentation
 */
export { type NatsLogOptions, openNatsLog } from './nats-log.js';
