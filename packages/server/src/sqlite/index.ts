/**
 * A durable log for the chat server, in one SQLite file.
 *
 * @packageDocumentation
 */
export type { Loss } from './file/store-file.js';
