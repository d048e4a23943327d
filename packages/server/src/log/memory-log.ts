/**
 * The log of a single process: a counter. An entry has its place as soon as it is appended and is delivered
 * within the call, so nothing is copied and nobody waits. The bytes are kept by the rooms (see `ByteLog`).
 */
import { randomBytes } from 'node:crypto';
import type { Draft, LogEntry } from './entry.js';
import type { EventLog, LogConsumer } from './event-log.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @returns a log that lives and dies with this process */
export function createMemoryLog(): EventLog {
  return new MemoryLog();
}

class MemoryLog implements EventLog {
  readonly epoch: string = randomBytes(9).toString('base64url');
  #seq = 0;
  #consumer: LogConsumer | undefined;
  readonly #batch: [LogEntry] = [undefined as unknown as LogEntry];

  open(consumer: LogConsumer): undefined {
    this.#consumer = consumer;
  }

  append(draft: Draft): void {
    // The draft becomes the entry: on the hot path an object of its own would be the larger part of the work.
    const entry = draft as Mutable<LogEntry>;
    entry.seq = ++this.#seq;
    this.#batch[0] = entry;
    this.#consumer?.(this.#batch);
  }

  close(): void {
    this.#consumer = undefined;
  }
}
