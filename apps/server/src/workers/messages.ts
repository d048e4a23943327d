/** What the supervisor and its workers say to each other. Everything that the chat has to agree on goes through its log. */
import type {
  AdjustableLimits,
  BlockSnapshot,
  DrainOptions,
  FoundPage,
  ListeningAddress,
  RemovalWish,
  SearchScope,
  ServerStats,
} from '@chat/server';
import type { ApiAnswer, ApiProblemCode } from '../api/problem.js';
import type { Cursor } from '../webhooks/cursors.js';
import type { RoundAnswer } from './machine/rounds.js';

/** How a worker, or the process that carries blocks, finds the others; it is handed over in the environment. */
export interface WorkerPlace {
  /** Names the worker for people. Never given out twice while the supervisor lives. 0: the process that carries blocks. */
  readonly worker: number;
  /** Names the worker in its log; no other that ever shared it has the same. */
  readonly process: number;
  /** Name of the log in shared memory. */
  readonly log: string;
  /** Name of the log in which blocks wait for the process that carries them; absent where there is none. */
  readonly wanted?: string;
  readonly epoch: string;
  readonly capacityBytes: number;
  /** The table of addresses, and which part of it is this worker's; absent where none is free. */
  readonly addresses?: { readonly name: string; readonly bytes: number; readonly column: number };
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

/** To the process that carries blocks. */
export type ToCarrier =
  | { readonly kind: 'snapshot-wanted'; readonly by: number }
  | { readonly kind: 'store-asked'; readonly id: number; readonly wish: StoreWish }
  | { readonly kind: 'metrics-wanted'; readonly id: number }
  /** To the one that speaks with NATS: the workers that take part, for which it says that they are here. */
  | { readonly kind: 'processes'; readonly processes: readonly number[] }
  /** To that one: what a worker knew where it was asked for a snapshot in the log. */
  | { readonly kind: 'snapshot-made'; readonly process: number; readonly snapshot: BlockSnapshot }
  /** Carries on what has come, and ends. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'ping' };

/** To the supervisor, by the process that carries blocks. */
export type FromCarrier =
  | { readonly kind: 'carrier-open'; readonly epoch: string }
  /** Without a snapshot there was nothing before. */
  | { readonly kind: 'snapshot'; readonly by: number; readonly snapshot?: BlockSnapshot }
  /** It cannot go on behind what was handed on: what came next is not there any more. */
  | { readonly kind: 'carrier-lost' }
  /** A process of another machine is gone, and is to be declared so. */
  | { readonly kind: 'gone'; readonly process: number }
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
  | { readonly kind: 'leave'; readonly options: Pick<DrainOptions, 'spreadMs' | 'deadlineMs'> }
  /** Cuts the connections that are left. */
  | { readonly kind: 'cut' }
  /** Reads the certificate again. */
  | { readonly kind: 'reload' }
  /** One of a round of all workers. */
  | { readonly kind: 'asked'; readonly id: number; readonly order: WorkerOrder }
  | {
      readonly kind: 'all-answered';
      readonly id: number;
      readonly answers: readonly RoundAnswer<OrderAnswer>[];
    }
  /** Carries out the request of that number, as the first with its key. */
  | { readonly kind: 'run-once'; readonly id: number }
  | { readonly kind: 'once-answered'; readonly id: number; readonly outcome: OnceOutcome }
  | { readonly kind: 'store-answered'; readonly id: number; readonly answer: StoreAnswer }
  /** What is to be forgotten, in the heap. */
  | { readonly kind: 'forget'; readonly removal: RemovalWish }
  /** Delivers to webhooks from now on; the others do not. Up to there it has been done, by name. */
  | { readonly kind: 'deliver'; readonly cursors: ReadonlyMap<string, Cursor> }
  /** Asks whether the event loop turns. */
  | { readonly kind: 'ping' };

/** To the supervisor. */
export type ToSupervisor =
  /** Reads the log from behind this position on, and needs what came before. */
  | { readonly kind: 'join'; readonly position: number }
  | { readonly kind: 'snapshot'; readonly by: number; readonly snapshot: BlockSnapshot }
  /** The snapshot of this worker, of the place in the log that asked for it. */
  | { readonly kind: 'snapshot-made'; readonly snapshot: BlockSnapshot }
  /** Takes connections. */
  | { readonly kind: 'ready'; readonly addresses: readonly ListeningAddress[] }
  /** Has all workers do something. */
  | { readonly kind: 'all-asked'; readonly id: number; readonly order: WorkerOrder }
  | { readonly kind: 'answered'; readonly id: number; readonly value: OrderAnswer }
  | { readonly kind: 'store-asked'; readonly id: number; readonly wish: StoreWish }
  /** Has a request carried out once, whichever workers it comes to. */
  | {
      readonly kind: 'once';
      readonly id: number;
      readonly owner: string;
      readonly key: string;
      readonly request: string;
    }
  | { readonly kind: 'ran-once'; readonly id: number; readonly answer: ApiAnswer }
  /** A webhook has got there. */
  | { readonly kind: 'delivered'; readonly name: string; readonly cursor: Cursor }
  /** Has all workers go, as at SIGTERM. */
  | { readonly kind: 'drain'; readonly options: Pick<DrainOptions, 'spreadMs' | 'deadlineMs'> }
  /** Has workers restarted, one after the other. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'pong' };

/** What all workers are asked for: their figures, for Prometheus or as they are; other limits. */
export type WorkerOrder =
  | { readonly kind: 'metrics' }
  | { readonly kind: 'stats' }
  | { readonly kind: 'adjust'; readonly limits: AdjustableLimits };

export type OrderAnswer = string | ServerStats | undefined;

/** What became of a request of the API: an answer, or an error of the key. */
export type OnceOutcome =
  | { readonly answer: ApiAnswer }
  | { readonly error: { readonly code: ApiProblemCode; readonly message: string } };

/** The variable of the environment that holds the {@link WorkerPlace}. */
export const PLACE_VARIABLE = 'CHAT_SERVER_WORKER';
