/**
 * Going away without losing anything.
 *
 * Every client is told to come back after a delay of its own, so that they do not all come at once. A ping
 * behind the announcement is the barrier: when its answer comes, everything that the client had sent before it
 * knew has been handled and acknowledged, and the connection is closed. Whoever does not answer in time is cut.
 */

import type { OptionNames } from '@chat/protocol/check';
import type { Sessions } from '../session/sessions.js';
import type { Clock } from '../time/clock.js';

/** How to go away. */
export interface DrainOptions {
  /** After this long, connections that are still open are cut. @defaultValue 5000 */
  readonly deadlineMs?: number;
  /** Clients are told to come back at a random time within this. @defaultValue 5000 */
  readonly spreadMs?: number;
  /** Cuts at once when aborted. */
  readonly signal?: AbortSignal;
}

/** Options of `drain`. */
export const DRAIN_NAMES: OptionNames<DrainOptions> = { deadlineMs: true, spreadMs: true, signal: true };

/** What draining needs of the server. */
export interface DrainContext {
  readonly sessions: Sessions;
  readonly options: { readonly clock: Clock; readonly random: () => number };
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

/**
 * Sends every connected session away; resolves when none is connected any more and nothing is unsent.
 *
 * It waits for what happens instead of looking now and then: timers keep no process alive, and so it would end
 * between two looks.
 *
 * @param flushed resolves when the last bytes of connections that were ended have gone out
 */
export async function drainSessions(
  { sessions, options: { clock, random } }: DrainContext,
  flushed: () => Promise<unknown>,
  options: DrainOptions,
): Promise<DrainResult> {
  const { deadlineMs = DEFAULT_DEADLINE_MS, spreadMs = DEFAULT_SPREAD_MS, signal } = options;
  const peers = [...sessions].flatMap(({ peer }) => peer ?? []);
  const cut = new AbortController();
  const onCut = (): void => cut.abort();
  const cancelDeadline = clock.after(deadlineMs, onCut);
  if (signal?.aborted) onCut();
  signal?.addEventListener('abort', onCut);
  const isCut = new Promise<void>((resolve) => {
    if (cut.signal.aborted) resolve();
    else cut.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  let left = peers.length;
  const gone = new Promise<void>((resolve) => {
    sessions.onPeerGone = () => {
      if (--left === 0) resolve();
    };
    if (left === 0) resolve();
  });
  for (const peer of peers) peer.drain(Math.floor(random() * spreadMs));
  await Promise.race([gone, isCut]);
  sessions.onPeerGone = undefined;
  if (left === 0) await Promise.race([flushed(), isCut]);
  cancelDeadline();
  signal?.removeEventListener('abort', onCut);
  return { drained: peers.length - left, forced: left };
}
