/** A worker: takes part in the log that all workers share, and does what the supervisor asks for. */
import cluster from 'node:cluster';
import {
  type AddressCounts,
  type BlockLog,
  type BlockSnapshot,
  createBlockLog,
  type DrainOptions,
  type FoundPage,
  type ListeningAddress,
  type RemovalWish,
  type SearchScope,
  ServerError,
  type ServerErrorCode,
} from '@chat/server';
import { openStoreView, type StoreWriterPort } from '@chat/server/sqlite';
import type { SharedSegment } from '@chat/shm';
import type { DataOptions } from '../command-line/args.js';
import type { Cursor } from '../webhooks/cursors.js';
import { CarriedTransport } from './carrier/carried-transport.js';
import { AddressTable } from './machine/address-table.js';
import { WorkerMachine } from './machine/worker-machine.js';
import type { OrderAnswer, StoreAnswer, StoreWish, ToSupervisor, ToWorker, WorkerOrder } from './messages.js';
import { placeOf } from './place.js';
import { ShmTransport } from './shm-transport.js';

/** What a worker does when it is asked to. */
export interface WorkerOrders {
  leave(options: Pick<DrainOptions, 'spreadMs' | 'deadlineMs'>): void;
  cut(): void;
  reload(): void;
  carryOut(order: WorkerOrder): Promise<OrderAnswer>;
  /** Delivers to webhooks, behind what another worker has delivered. */
  deliver(cursors: ReadonlyMap<string, Cursor>): void;
}

/** This process, as one of several. */
export interface WorkerSelf {
  readonly log: BlockLog;
  /** What the other workers know of addresses. */
  readonly addressCounts?: AddressCounts;
  /** Obeys the supervisor from now on, and says that connections are taken. */
  ready(addresses: readonly ListeningAddress[], orders: WorkerOrders): void;
  /** All workers. */
  readonly machine: WorkerMachine;
  /** Has all of them go. */
  drain(options: Pick<DrainOptions, 'spreadMs' | 'deadlineMs'>): void;
  /** Has all of them restarted, one after the other. */
  restart(): void;
  /** Says how far a webhook is. */
  delivered(name: string, cursor: Cursor): void;
}

/** Nobody is there any more to tell, or to be asked: clients go on with another server, or with the next one here. */
const EXIT_ORPHANED = 1;
const EXIT_FAILED = 1;
/** Time to tell clients and the operator why. */
const LAST_WORDS_MS = 100;

/**
 * Takes part in the log; to be called in a worker process, once.
 *
 * @param workers how many there are to be
 * @param data the folder in which another process keeps what is said, if there is one
 */
export async function joinWorkers(workers: number, data: DataOptions | undefined): Promise<WorkerSelf> {
  const place = placeOf();
  const { openLog, openSegment } = await import('@chat/shm');
  const machine = new WorkerMachine(tell, workers);
  const supervisor = new Supervisor(machine);
  const { capacityBytes, epoch, wanted, addresses } = place;
  const table = addresses && openSegment(addresses.name, { payloadBytes: addresses.bytes, mode: 'open' });
  const open = (name: string) => openLog(name, { capacityBytes, keepAlive: true });
  const join = (position: number) => supervisor.join(position);
  const stream = open(place.log);
  // What has come through NATS is as safe as NATS keeps it.
  const durability = data?.durability ?? 'process';
  const transport =
    wanted === undefined
      ? new ShmTransport(stream, epoch, join)
      : new CarriedTransport(place.process, { stream, wanted: open(wanted) }, durability, epoch, join);
  const store = data && openStoreView({ directory: data.directory, writer: supervisor });
  const log = createBlockLog(transport, { process: place.process, ...(store ? { store } : {}) });
  transport.onProgress = () => supervisor.progress(log);
  // What has failed is not the chat but this worker's part of it: another worker takes its place.
  const leave = (): void => void setTimeout(() => process.exit(EXIT_FAILED), LAST_WORDS_MS);
  transport.onFailed = leave;
  if (transport instanceof CarriedTransport) {
    transport.onSnapshotDue = () => tell({ kind: 'snapshot-made', snapshot: log.snapshot() });
    // The others took this process for gone, or the stream is another one: who comes in its place begins anew.
    if (!data) log.onFailed = leave;
  }
  supervisor.log = log;
  supervisor.table = table;
  supervisor.transport = transport;
  return {
    log,
    ...(table && addresses ? { addressCounts: new AddressTable(table.payload, addresses.column) } : {}),
    ready: (addresses, orders) => supervisor.ready(addresses, orders),
    machine,
    drain: (options) => tell({ kind: 'drain', options }),
    restart: () => tell({ kind: 'restart' }),
    delivered: (name, cursor) => tell({ kind: 'delivered', name, cursor }),
  };
}

/** The supervisor, as a worker sees it. */
class Supervisor implements StoreWriterPort {
  log: BlockLog | undefined;
  transport: ShmTransport | undefined;
  /** The counts of addresses. */
  table: SharedSegment | undefined;
  #orders: WorkerOrders | undefined;
  #joined: ((answer: { snapshot?: BlockSnapshot; gone: readonly number[] }) => void) | undefined;
  /** Snapshots that are to be of a later position than this process has read to. */
  #wanted: { readonly by: number; readonly position: number }[] = [];
  #requests = 0;
  readonly #machine: WorkerMachine;
  readonly #questions = new Map<number, (answer: StoreAnswer) => void>();

  constructor(machine: WorkerMachine) {
    this.#machine = machine;
    process.on('message', (message: ToWorker) => void this.#take(message));
    // `node:cluster` ends an orphan by itself, right after it has told so here.
    cluster.worker!.on('disconnect', () => {
      this.transport?.abandon();
      this.table?.unlink();
      process.exit(EXIT_ORPHANED);
    });
    // A terminal tells the whole group: the supervisor says what is to be done.
    process.on('SIGINT', () => {});
    process.on('SIGUSR2', () => {});
    process.on('SIGHUP', () => {});
  }

  join(position: number): Promise<{ snapshot?: BlockSnapshot; gone: readonly number[] }> {
    tell({ kind: 'join', position });
    return new Promise((resolve) => {
      this.#joined = resolve;
    });
  }

  ready(addresses: readonly ListeningAddress[], orders: WorkerOrders): void {
    this.#orders = orders;
    process.on('SIGTERM', () => orders.leave({}));
    tell({ kind: 'ready', addresses });
  }

  search(query: string, scope: SearchScope): Promise<FoundPage | undefined> {
    return this.#ask<FoundPage | undefined>({ kind: 'search', query, scope });
  }

  remove(removal: RemovalWish): Promise<number> {
    return this.#ask<number>({ kind: 'remove', removal });
  }

  /** Blocks were read: a snapshot that somebody waits for may be possible now. */
  progress(log: BlockLog): void {
    if (this.#wanted.length === 0 || !this.transport) return;
    const { read } = this.transport;
    const due = this.#wanted.filter(({ position }) => position <= read);
    this.#wanted = this.#wanted.filter(({ position }) => position > read);
    for (const { by } of due) tell({ kind: 'snapshot', by, snapshot: log.snapshot() });
  }

  async #take(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case 'joined':
        return this.#joined?.(message);
      case 'snapshot-wanted':
        this.#wanted.push(message);
        return this.log && this.progress(this.log);
      case 'gone':
        return this.log?.declareGone(message.process);
      case 'leave':
        return this.#orders?.leave(message.options);
      case 'cut':
        return this.#orders?.cut();
      case 'reload':
        return this.#orders?.reload();
      case 'asked':
        return tell({ kind: 'answered', id: message.id, value: await this.#orders?.carryOut(message.order) });
      case 'all-answered':
        return this.#machine.allAnswered(message.id, message.answers);
      case 'run-once':
        return this.#machine.runOnce(message.id);
      case 'once-answered':
        return this.#machine.onceAnswered(message.id, message.outcome);
      case 'store-answered':
        this.#questions.get(message.id)?.(message.answer);
        this.#questions.delete(message.id);
        return;
      case 'forget':
        return this.log?.onForget?.(message.removal);
      case 'deliver':
        return this.#orders?.deliver(message.cursors);
      case 'ping':
        return tell({ kind: 'pong' });
    }
  }

  async #ask<T>(wish: StoreWish): Promise<T> {
    const id = ++this.#requests;
    tell({ kind: 'store-asked', id, wish });
    const answer = await new Promise<StoreAnswer>((resolve) => {
      this.#questions.set(id, resolve);
    });
    if ('value' in answer) return answer.value as T;
    throw new ServerError(answer.error.code as ServerErrorCode, answer.error.message);
  }
}

function tell(message: ToSupervisor): void {
  if (cluster.worker?.isConnected()) process.send?.(message);
}
