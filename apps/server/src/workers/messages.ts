/** What the supervisor and its workers say to each other. Everything that the chat has to agree on goes through its log. */
import type { BlockSnapshot, ListeningAddress } from '@chat/server';

/** How a worker finds the others; it is handed over in the environment. */
export interface WorkerPlace {
  /** Names the worker in its log, and for people. Never given out twice while the supervisor lives. */
  readonly process: number;
  /** Name of the log in shared memory. */
  readonly log: string;
  readonly epoch: string;
  readonly capacityBytes: number;
  /** The configuration file as the supervisor read it, so that all workers are told the same. */
  readonly configText?: string;
}

/** To a worker. */
export type ToWorker =
  /** The answer to `join`: what came before, and who is gone. Without a snapshot there was nothing. */
  | { readonly kind: 'joined'; readonly snapshot?: BlockSnapshot; readonly gone: readonly number[] }
  /** Another worker needs a snapshot of this position or a later one. */
  | { readonly kind: 'snapshot-wanted'; readonly by: number; readonly position: number }
  /** That process is gone, and is to be declared so. */
  | { readonly kind: 'gone'; readonly process: number }
  /** Goes away without losing anything; clients come back at a random time within `spreadMs`. */
  | { readonly kind: 'leave'; readonly spreadMs?: number }
  /** Cuts the connections that are left. */
  | { readonly kind: 'cut' }
  /** Reads the certificate again. */
  | { readonly kind: 'reload' }
  | { readonly kind: 'metrics-wanted'; readonly id: number }
  | { readonly kind: 'metrics'; readonly id: number; readonly texts: readonly WorkerMetrics[] }
  /** Asks whether the event loop turns. */
  | { readonly kind: 'ping' };

/** To the supervisor. */
export type ToSupervisor =
  /** Reads the log from behind this position on, and needs what came before. */
  | { readonly kind: 'join'; readonly position: number }
  | { readonly kind: 'snapshot'; readonly by: number; readonly snapshot: BlockSnapshot }
  /** Takes connections. */
  | { readonly kind: 'ready'; readonly addresses: readonly ListeningAddress[] }
  | { readonly kind: 'metrics-wanted'; readonly id: number }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string }
  | { readonly kind: 'pong' };

/** What one worker counts, as Prometheus reads it. */
export interface WorkerMetrics {
  readonly worker: number;
  readonly text: string;
}

/** The variable of the environment that holds the {@link WorkerPlace}. */
export const PLACE_VARIABLE = 'CHAT_SERVER_WORKER';
