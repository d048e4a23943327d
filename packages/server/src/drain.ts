/**
 * Going away without losing anything.
 *
 * Every client is told to come back after a delay of its own, so that they do not all come at once. A ping
 * behind the announcement is the barrier: when its answer comes, everything that the client had sent before it
 * knew has been handled and acknowledged, and the connection is closed. Whoever does not answer in time is cut.
 */
import type { Chat } from './chat.js';
import type { Clock } from './clock.js';

/** How to go away. */
export interface DrainOptions {
  /** After this long, connections that are still open are cut. @defaultValue 5000 */
  readonly deadlineMs?: number;
  /** Clients are told to come back at a random time within this. @defaultValue 5000 */
  readonly spreadMs?: number;
  /** Cuts at once when aborted. */
  readonly signal?: AbortSignal;
}

/** What became of the sessions. */
export interface DrainResult {
  /** Sessions that had everything and were closed. */
  readonly drained: number;
  /** Sessions that were cut. */
  readonly forced: number;
}

const DEFAULT_DEADLINE_MS = 5000;
const DEFAULT_SPREAD_MS = 5000;
const POLL_MS = 20;

/** Sends every connected session away; resolves when none is connected any more. */
export async function drainSessions(chat: Chat, clock: Clock, options: DrainOptions): Promise<DrainResult> {
  const { deadlineMs = DEFAULT_DEADLINE_MS, spreadMs = DEFAULT_SPREAD_MS, signal } = options;
  const connected = (): number => [...chat.sessions].filter((session) => session.peer).length;
  const total = connected();
  for (const session of [...chat.sessions]) {
    session.peer?.drain(Math.floor(chat.options.random() * spreadMs));
  }
  const deadline = clock.now() + deadlineMs;
  while (connected() > 0 && clock.now() < deadline && !signal?.aborted) {
    await new Promise<void>((resolve) => {
      clock.after(POLL_MS, resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  const forced = connected();
  return { drained: total - forced, forced };
}
