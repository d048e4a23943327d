/** What the supervisor and its workers say to each other. Everything that the chat has to agree on goes through its log. */
import type { BlockSnapshot, FoundPage, ListeningAddress, RemovalWish, SearchScope } from '@chat/server';

/** How a worker, or the process of the store, finds the others; it is handed over in the environment. */
export interface WorkerPlace {
  /** Names the worker for people. Never given out twice while the supervisor lives. 0: the process of the store. */
  readonly worker: number;
  /** Names the worker in its log; no other that ever shared it has the same. */
  readonly process: number;
  /** Name of the log in shared memory. */
  readonly log: string;
  /** Name of the log in which blocks wait for the store; absent where nothing is stored. */
  readonly wanted?: string;
  readonly epoch: string;
  readonly capacityBytes: number;
  /** The configuration file as the supervisor read it, so that all workers are told the same. */
  readonly configText?: string;
}

/** What a worker asks of the process of the store. */
export type StoreWish =
  | { readonly kind: 'search'; readonly query: string; readonly scope: SearchScope }
  | { readonly kind: 'remove'; readonly removal: RemovalWish };

/** The answer to a {@link StoreWish}: what was found, or how many entries went. */
export type StoreAnswer =
  | { readonly value: FoundPage | number | undefined }
  | { readonly error: { readonly code: string; readonly message: string } };

/** To the process of the store. */
export type ToStore =
  | { readonly kind: 'snapshot-wanted'; readonly by: number }
  | { readonly kind: 'store-asked'; readonly id: number; readonly wish: StoreWish }
  | { readonly kind: 'metrics-wanted'; readonly id: number }
  /** Stores what has come, and ends. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'ping' };

/** To the supervisor, by the process of the store. */
export type FromStore =
  | { readonly kind: 'store-open'; readonly epoch: string }
  | { readonly kind: 'snapshot'; readonly by: number; readonly snapshot: BlockSnapshot }
  | { readonly kind: 'store-answered'; readonly id: number; readonly answer: StoreAnswer }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string }
  | { readonly kind: 'pong' };

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
  | { readonly kind: 'store-answered'; readonly id: number; readonly answer: StoreAnswer }
  /** What is to be forgotten, in the heap. */
  | { readonly kind: 'forget'; readonly removal: RemovalWish }
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
  | { readonly kind: 'store-asked'; readonly id: number; readonly wish: StoreWish }
  | { readonly kind: 'pong' };

/** What one worker, or the process of the store (0), counts, as Prometheus reads it. */
export interface WorkerMetrics {
  readonly worker: number;
  readonly text: string;
}

/** The variable of the environment that holds the {@link WorkerPlace}. */
export const PLACE_VARIABLE = 'CHAT_SERVER_WORKER';
