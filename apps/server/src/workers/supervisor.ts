/**
 * The supervisor of the workers: it takes no connection and reads no message. It hands connections out (`node:cluster`, one
 * worker after the other), starts a worker in the place of one that has ended, ends one that does not answer, and has
 * the others told of the dead.
 *
 * Longer than most files here: what workers and the process that carries their blocks are to each other is seen in one place.
 */
import cluster, { type Worker } from 'node:cluster';
import { randomBytes } from 'node:crypto';
import type { AdjustableLimits, BlockSnapshot, DrainOptions, ListeningAddress } from '@chat/server';
import type { Log } from '@chat/shm';
import { CarrierKeeper, type SupervisorLogger } from './carrier/carrier-keeper.js';
import type { AddressColumns } from './machine/address-columns.js';
import { Deliverer } from './machine/deliverer.js';
import { Rounds } from './machine/rounds.js';
import { SharedKeys } from './machine/shared-keys.js';
import {
  type OrderAnswer,
  PLACE_VARIABLE,
  type StoreWish,
  type ToSupervisor,
  type ToWorker,
  type WorkerOrder,
  type WorkerPlace,
} from './messages.js';
import { SharedLogs } from './shared-logs.js';
import { Snapshots, type SnapshotWish } from './snapshots.js';

/** What a supervisor needs to know. */
export interface SupervisorOptions {
  /** How many workers there are to be. */
  readonly workers: number;
  /** A worker whose event loop has not answered for so long is killed. */
  readonly silenceMs: number;
  /** Bytes of the log in shared memory. */
  readonly capacityBytes: number;
  /** The configuration file, if there is one. */
  readonly configText: string | undefined;
  /** What a process of its own carries blocks to and from: the store of this machine, or the stream of many. */
  readonly carrier: 'store' | 'nats' | undefined;
  readonly logger: SupervisorLogger;
  /** Told once all workers take connections. */
  readonly onReady: (addresses: readonly ListeningAddress[]) => void;
}

interface Running {
  readonly worker: Worker;
  /** Its number, for people. */
  readonly number: number;
  /** Its name in the log. */
  readonly process: number;
  isReady: boolean;
  /** It was told to go. */
  isLeaving: boolean;
  /** When it was heard last. */
  heardAt: number;
}

/** How often workers are asked whether they live. */
const PING_MS = 500;
/** Pause before a worker is started again that ended before it was ready; it doubles each time. */
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;
/** Clients of a worker that makes place for a new one come back within this. */
const RESTART_SPREAD_MS = 1000;
/** How many times as long as for a worker the supervisor waits for an answer of the process of the store. */
const STORE_PATIENCE = 6;
/** The process that carries blocks, among the numbers of the workers. */
const CARRIER_NUMBER = 0;
const WORDS = {
  store: { process: 'the process of the store', isOpenAgain: 'the folder is open again' },
  nats: { process: 'the process that speaks with NATS', isOpenAgain: 'NATS is reached again' },
} as const;
/** An order whose answer nobody waits for. */
const NO_ROUND = 0;
/** Workers that one supervisor may start. */
const PROCESSES_PER_LIFE = 2 ** 16;
/** The dead that a newcomer is told of. */
const MAX_DEAD = 1000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Map<number, Running>();
  readonly #carrier: CarrierKeeper | undefined;
  readonly #logs: SharedLogs;
  #lastNumber = 0;
  /** Names of processes in the log begin here: where it outlives the supervisor, none is given out again. */
  readonly #firstProcess: number;
  /** Processes of this life of the log that have ended. */
  #dead: number[] = [];
  readonly #snapshots = new Snapshots();
  /** A worker was given what came before the first block of these logs. */
  #hasBegun = false;
  readonly #rounds = new Rounds<OrderAnswer>();
  readonly #keys = new SharedKeys();
  readonly #columns: AddressColumns;
  readonly #deliverer = new Deliverer((process, cursors) => {
    const running = this.#running.get(process);
    if (running) say(running, { kind: 'deliver', cursors });
  });
  /** Limits that were changed, for those that come later. */
  #adjusted: AdjustableLimits = {};
  #pauseMs = FIRST_PAUSE_MS;
  /** All workers of these logs took connections. */
  #wasReady = false;
  /** The operator was told so. */
  #isAnnounced = false;
  #isLeaving = false;
  #restarting: Promise<void> | undefined;
  #lookedAt = Date.now();
  #timer: NodeJS.Timeout | undefined;
  readonly #onExit = new Set<() => void>();

  /** @throws ShmError where there is no shared memory */
  constructor(options: SupervisorOptions, openLog: (name: string) => Log, columns: AddressColumns) {
    this.#options = options;
    this.#columns = columns;
    const { carrier } = options;
    this.#logs = new SharedLogs(openLog, carrier !== undefined);
    this.#firstProcess = carrier ? randomBytes(4).readUInt32BE() * PROCESSES_PER_LIFE : 0;
    if (carrier) this.#carrier = this.#keepCarrier(carrier);
  }

  /** Runs until all workers have ended; answers the exit code. */
  async run(): Promise<number> {
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ serialization: 'advanced' });
    this.#timer = setInterval(() => this.#look(), PING_MS);
    // The first one begins the log; the others begin with what it knows. A store knows all, and NATS what the first needs.
    if (this.#carrier) this.#carrier.start();
    else this.#start();
    const exitCode = await new Promise<number>((resolve) => {
      const look = (code: number | undefined): void => {
        if (code !== undefined) resolve(code);
        else if (!this.#isLeaving || this.#running.size > 0) return;
        // It has the last word: what workers said when they went is to be stored.
        else if (this.#carrier?.isRunning) this.#carrier.leave();
        else resolve(0);
      };
      this.#exited = look;
    });
    clearInterval(this.#timer);
    for (const { worker } of this.#running.values()) worker.process.kill('SIGKILL');
    this.#carrier?.kill();
    this.#logs.close();
    this.#columns.close();
    return exitCode;
  }

  /** Has all workers go; a second time cuts what is left. */
  leave(options: Pick<DrainOptions, 'spreadMs' | 'deadlineMs'> = {}): void {
    const kind = this.#isLeaving ? 'cut' : 'leave';
    this.#isLeaving = true;
    for (const running of this.#running.values()) {
      // One that is not ready has nobody to lose.
      if (kind === 'leave' && !running.isReady) running.worker.process.kill('SIGKILL');
      else say(running, kind === 'cut' ? { kind } : { kind, options });
      running.isLeaving = true;
    }
    this.#exited(undefined);
  }

  /** Has all workers read the certificate again. */
  reload(): void {
    for (const running of this.#running.values()) say(running, { kind: 'reload' });
  }

  /** Puts a new worker in the place of each, one after the other; each goes once the new one is ready. */
  restart(): Promise<void> {
    this.#restarting ??= this.#restart().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  #exited: (code: number | undefined) => void = () => {};

  async #restart(): Promise<void> {
    const { logger } = this.#options;
    logger.info({}, 'workers are restarted, one after the other');
    for (const old of [...this.#running.values()].filter(({ isLeaving }) => !isLeaving)) {
      const started = this.#start();
      await this.#until(() => started.isReady || this.#isLeaving || !this.#running.has(started.process));
      if (!started.isReady || this.#isLeaving) {
        logger.error({}, 'a new worker did not get ready: the others stay as they are');
        return;
      }
      old.isLeaving = true;
      say(old, { kind: 'leave', options: { spreadMs: RESTART_SPREAD_MS } });
      await this.#until(() => !this.#running.has(old.process));
    }
    await this.#carrier?.restart();
    logger.info({}, 'workers are restarted');
  }

  /** @param number 0 for the process that carries blocks */
  #fork(number: number): Worker {
    const { capacityBytes, configText } = this.#options;
    const addresses = number === CARRIER_NUMBER ? undefined : this.#columns.take(number);
    const place: WorkerPlace = {
      worker: number,
      process: this.#firstProcess + number,
      log: this.#logs.log,
      ...(this.#logs.wanted === undefined ? {} : { wanted: this.#logs.wanted }),
      epoch: this.#logs.epoch,
      capacityBytes,
      ...(addresses ? { addresses } : {}),
      ...(configText === undefined ? {} : { configText }),
    };
    return cluster.fork({ [PLACE_VARIABLE]: JSON.stringify(place) });
  }

  #start(): Running {
    const number = ++this.#lastNumber;
    const worker = this.#fork(number);
    const running: Running = {
      worker,
      number,
      process: this.#firstProcess + number,
      isReady: false,
      isLeaving: false,
      heardAt: Date.now(),
    };
    this.#running.set(running.process, running);
    worker.on('message', (message: ToSupervisor) => this.#take(running, message));
    worker.on('exit', (code, signal) => this.#onEnd(running, code, signal));
    return running;
  }

  #take(running: Running, message: ToSupervisor): void {
    running.heardAt = Date.now();
    switch (message.kind) {
      case 'join':
        this.#askForSnapshot({ by: running.process, position: message.position });
        return;
      case 'snapshot':
        this.#snapshots.made(running.process, message.by);
        this.#tellJoined(message.by, message.snapshot);
        return;
      case 'snapshot-made':
        this.#carrier?.tell({ ...message, process: running.process });
        return;
      case 'ready':
        this.#onReady(running, message.addresses);
        return;
      case 'all-asked':
        this.#askAll(running, message.id, message.order);
        return;
      case 'answered':
        this.#rounds.answered(running.number, message.id, message.value);
        return;
      case 'once':
        this.#keys.once(
          running.number,
          message,
          () => say(running, { kind: 'run-once', id: message.id }),
          (outcome) => say(running, { kind: 'once-answered', id: message.id, outcome }),
        );
        return;
      case 'ran-once':
        this.#keys.ran(running.number, message.id, message.answer);
        return;
      case 'delivered':
        this.#deliverer.moved(running.process, message.name, message.cursor);
        return;
      case 'drain':
        this.leave(message.options);
        return;
      case 'restart':
        void this.restart();
        return;
      case 'store-asked':
        this.#askStore(running, message.id, message.wish);
        return;
      case 'pong':
        return;
    }
  }

  // ── beginning ──

  #askForSnapshot(wish: SnapshotWish): void {
    const { carrier } = this.#options;
    if (carrier === 'store') {
      this.#carrier!.askForSnapshot(wish.by);
      return;
    }
    const maker = [...this.#running.values()].find(({ isReady, isLeaving }) => isReady && !isLeaving);
    if (maker) {
      this.#snapshots.ask(maker.process, wish);
      say(maker, { kind: 'snapshot-wanted', ...wish });
    } else if (carrier === 'nats' && !this.#hasBegun) {
      this.#hasBegun = true;
      this.#carrier!.askForSnapshot(wish.by);
    } else if (!carrier && wish.position === 0 && this.#snapshots.isIdle) this.#tellJoined(wish.by);
    else this.#snapshots.wait(wish);
  }

  #tellJoined(process: number, snapshot?: BlockSnapshot): void {
    const newcomer = this.#running.get(process);
    if (newcomer) say(newcomer, { kind: 'joined', gone: this.#dead, ...(snapshot ? { snapshot } : {}) });
  }

  #onReady(running: Running, addresses: readonly ListeningAddress[]): void {
    running.isReady = true;
    this.#tellProcesses();
    this.#deliverer.ready(running.process);
    this.#pauseMs = FIRST_PAUSE_MS;
    for (const wish of this.#snapshots.takeWaiting()) this.#askForSnapshot(wish);
    if (Object.keys(this.#adjusted).length > 0) {
      say(running, { kind: 'asked', id: NO_ROUND, order: { kind: 'adjust', limits: this.#adjusted } });
    }
    const { workers, onReady, logger } = this.#options;
    const { number, worker } = running;
    logger.info({ worker: number, pid: worker.process.pid }, `worker ${number} takes connections`);
    const ready = [...this.#running.values()].filter(({ isReady }) => isReady).length;
    if (this.#wasReady) return;
    if (ready === workers) {
      this.#wasReady = true;
      if (!this.#isAnnounced) onReady(addresses);
      this.#isAnnounced = true;
    } else if (ready === 1) for (let i = 1; i < workers; i++) this.#start();
  }

  // ── the end ──

  #onEnd(running: Running, code: number | null, signal: string | null): void {
    const { process, number, isReady, isLeaving } = running;
    const { logger } = this.#options;
    this.#running.delete(process);
    this.#dead.push(process);
    if (this.#dead.length > MAX_DEAD) this.#dead.shift();
    this.#rounds.ended(number);
    this.#keys.ended(number);
    this.#deliverer.ended(process);
    this.#columns.ended(number);
    this.#tellProcesses();
    this.#declareGone(process);
    for (const wish of this.#snapshots.ended(process)) {
      if (this.#running.has(wish.by)) this.#askForSnapshot(wish);
    }
    for (const look of this.#onExit) look();
    if (isLeaving || this.#isLeaving) {
      this.#exited(undefined);
      return;
    }
    if (!isReady && !this.#isAnnounced && code !== null && code !== 0) {
      // It has said why: a port that is taken, a certificate that cannot be read.
      this.#exited(code);
      return;
    }
    const how = signal ?? `exit code ${code}`;
    logger.error(
      { worker: number, code, signal },
      `worker ${number} has ended (${how}): another one is started`,
    );
    // What is stored is not gone with those who knew it.
    if (this.#options.carrier !== 'store' && this.#logs.epoch !== '' && !this.#isAnyReady) this.#beginAnew();
    // Who carries the blocks begins all of them anew, once it is open.
    if (this.#carrier && this.#logs.epoch === '') return;
    if (isReady) this.#start();
    else {
      setTimeout(() => void (this.#isLeaving || this.#start()), this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
    }
  }

  get #isAnyReady(): boolean {
    return [...this.#running.values()].some(({ isReady }) => isReady);
  }

  /** Nobody is left who knows what was said: a new life of the log. Those who wait to take part in the old one are ended. */
  #beginAnew(): void {
    const { logger, carrier } = this.#options;
    if (this.#wasReady && !carrier) {
      logger.error({}, 'no worker is left: what was said is gone, and clients are told so');
    }
    this.#logs.renew();
    this.#hasBegun = false;
    if (this.#carrier) {
      this.#wasReady = false;
      this.#carrier.forget();
      this.#carrier.kill();
    }
    // Where the stream goes on, those who come next have to declare them gone.
    if (carrier !== 'nats') this.#dead = [];
    this.#snapshots.clear();
    for (const { worker } of this.#running.values()) worker.process.kill('SIGKILL');
  }

  /** Kills a worker that does not answer: it was stopped, or is in a loop without an end. */
  #look(): void {
    const now = Date.now();
    // When this process itself did not run, it says nothing about the others.
    const wasLate = now - this.#lookedAt > PING_MS * 4;
    this.#lookedAt = now;
    for (const running of this.#running.values()) {
      if (wasLate) running.heardAt = now;
      const silentMs = now - running.heardAt;
      if (running.isReady && silentMs > this.#options.silenceMs) {
        const { number } = running;
        this.#options.logger.error(
          { worker: number, silentMs },
          `worker ${number} does not answer: it is killed`,
        );
        running.worker.process.kill('SIGKILL');
      } else say(running, { kind: 'ping' });
    }
    this.#carrier?.look(now, wasLate);
  }

  // ── what carries blocks ──

  #keepCarrier(carrier: 'store' | 'nats'): CarrierKeeper {
    const { logger, silenceMs } = this.#options;
    return new CarrierKeeper({
      logger,
      words: WORDS[carrier],
      // A store waits for a disk, and a disk may be slow: to kill it for that would help nobody.
      silenceMs: carrier === 'store' ? silenceMs * STORE_PATIENCE : silenceMs,
      fork: () => this.#fork(CARRIER_NUMBER),
      onOpen: (epoch) => this.#onCarrierOpen(epoch),
      onSnapshot: (process, snapshot) => this.#tellJoined(process, snapshot),
      onLost: () => {
        logger.error({}, 'the stream does not have any more what came next: workers are started anew');
        this.#beginAnew();
      },
      onGone: (process) => this.#declareGone(process),
      onMetrics: (id, text) => this.#rounds.answered(CARRIER_NUMBER, id, text),
      onEnded: () => this.#onCarrierEnded(),
      onRefused: (exitCode) => this.#exited(exitCode),
      onLeft: () => this.#exited(undefined),
    });
  }

  #onCarrierOpen(epoch: string): void {
    this.#tellProcesses();
    if (this.#logs.epoch === '') {
      this.#logs.epoch = epoch;
      this.#start();
    } else if (epoch !== this.#logs.epoch) {
      // Workers hold what the store, or the stream, does not know any more.
      const { logger, carrier } = this.#options;
      const what = carrier === 'nats' ? 'the stream' : 'the store';
      logger.error({}, `${what} has begun a new epoch: workers are started anew`);
      this.#beginAnew();
    }
  }

  #onCarrierEnded(): void {
    this.#rounds.ended(CARRIER_NUMBER);
    // It has no beginning for another worker: that was behind the snapshot which the one before had read.
    const isBegun = this.#logs.epoch !== '';
    if (this.#options.carrier === 'nats' && isBegun && !this.#isLeaving && !this.#isAnyReady)
      this.#beginAnew();
  }

  /** Has workers declare a process gone. */
  #declareGone(process: number): void {
    for (const running of this.#running.values())
      if (running.isReady) say(running, { kind: 'gone', process });
  }

  /** Who is here, for the others of the stream. */
  #tellProcesses(): void {
    if (this.#options.carrier !== 'nats') return;
    const ready = [...this.#running.values()].filter(({ isReady }) => isReady);
    this.#carrier?.tell({ kind: 'processes', processes: ready.map(({ process }) => process) });
  }

  #askStore(asker: Running, id: number, wish: StoreWish): void {
    if (!this.#carrier) return;
    if (wish.kind === 'remove') {
      for (const running of this.#running.values()) {
        if (running !== asker) say(running, { kind: 'forget', removal: wish.removal });
      }
    }
    this.#carrier.ask(wish, (answer) => say(asker, { kind: 'store-answered', id, answer }));
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#onExit.delete(look);
        clearInterval(timer);
        resolve();
      };
      const timer = setInterval(look, PING_MS / 10);
      this.#onExit.add(look);
      look();
    });
  }

  #askAll(asker: Running, askerId: number, order: WorkerOrder): void {
    if (order.kind === 'adjust') this.#adjusted = { ...this.#adjusted, ...order.limits };
    const asked = [...this.#running.values()].filter(({ isReady }) => isReady);
    // It has figures of its own, and no limits.
    const isCarrierAsked = order.kind === 'metrics' && this.#carrier?.isOpen === true;
    const id = this.#rounds.begin(
      [...asked.map(({ number }) => number), ...(isCarrierAsked ? [CARRIER_NUMBER] : [])],
      (answers) => say(asker, { kind: 'all-answered', id: askerId, answers }),
    );
    for (const running of asked) say(running, { kind: 'asked', id, order });
    if (isCarrierAsked) this.#carrier?.askForMetrics(id);
  }
}

function say({ worker }: Running, message: ToWorker): void {
  // One that is about to end may have closed its channel.
  if (worker.isConnected()) worker.send(message, () => {});
}
