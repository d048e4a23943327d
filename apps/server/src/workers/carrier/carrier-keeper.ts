/**
 * The process that carries the blocks of the workers, as the supervisor sees it: that of the store, or the one that speaks
 * with NATS. It is started first and ended last, replaced when it has ended or does not answer, and asked for what workers
 * want of it. Questions that come while there is no such process wait for the next one.
 */
import type { Worker } from 'node:cluster';
import type { BlockSnapshot } from '@chat/server';
import type { FromCarrier, StoreAnswer, StoreWish, ToCarrier } from '../messages.js';

/** Takes what an operator is to know; pino fits. */
export interface SupervisorLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the supervisor does for the process, and is told of it. */
export interface CarrierKeeperContext {
  readonly logger: SupervisorLogger;
  /** What it is called, and what another one has done once it is open. */
  readonly words: { readonly process: string; readonly isOpenAgain: string };
  /** One whose event loop has not answered for so long is killed. */
  readonly silenceMs: number;
  /** Starts the process. */
  fork(): Worker;
  /** It is open, in the epoch that is told. */
  onOpen(epoch: string): void;
  onSnapshot(process: number, snapshot: BlockSnapshot | undefined): void;
  /** It cannot go on with what workers were given. */
  onLost(): void;
  /** A process of another machine is gone. */
  onGone(process: number): void;
  onMetrics(id: number, text: string): void;
  /** It has ended: its figures do not come any more. */
  onEnded(): void;
  /** It has ended by itself, before it was ever open: it has said why. */
  onRefused(exitCode: number): void;
  /** It has ended, as it was told to. */
  onLeft(): void;
}

/** Something that a worker asked. */
interface Question {
  readonly message: ToCarrier;
  /** Told the answer, if one is waited for. */
  readonly answered?: (answer: StoreAnswer) => void;
}

/** Pause before it is started again that has ended before it was open; it doubles each time. */
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;

export class CarrierKeeper {
  readonly #context: CarrierKeeperContext;
  #worker: Worker | undefined;
  #isOpen = false;
  #wasOpen = false;
  #isLeaving = false;
  /** It is to be started again once it has ended. */
  #isRestarting: (() => void) | undefined;
  #heardAt = 0;
  #pauseMs = FIRST_PAUSE_MS;
  /** Not answered yet, by number. */
  readonly #questions = new Map<number, Question>();
  #lastQuestion = 0;

  constructor(context: CarrierKeeperContext) {
    this.#context = context;
  }

  /** Whether the process runs. */
  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** Whether it has the folder, or NATS. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  start(): void {
    const worker = this.#context.fork();
    this.#worker = worker;
    this.#heardAt = Date.now();
    worker.on('message', (message: FromCarrier) => this.#take(worker, message));
    worker.on('exit', (code, signal) => {
      if (this.#worker === worker) this.#onEnd(code, signal);
    });
  }

  askForSnapshot(process: number): void {
    this.#ask({ message: { kind: 'snapshot-wanted', by: process } });
  }

  ask(wish: StoreWish, answered: (answer: StoreAnswer) => void): void {
    const id = this.#lastQuestion + 1;
    this.#ask({ message: { kind: 'store-asked', id, wish }, answered });
  }

  /** Those who asked are not there any more. */
  forget(): void {
    this.#questions.clear();
  }

  /** Tells it something that the next one is told anew. */
  tell(message: ToCarrier): void {
    if (this.#isOpen) this.#say(message);
  }

  /** Asks for its figures. Not to be called while it is not open. */
  askForMetrics(id: number): void {
    this.#say({ kind: 'metrics-wanted', id });
  }

  /** Has it store what has come, and end. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#isOpen) this.#say({ kind: 'leave' });
    else if (this.#worker) this.#worker.process.kill('SIGKILL');
    else this.#context.onLeft();
  }

  /** Puts a new process in its place; workers wait for it meanwhile. */
  restart(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    this.#say({ kind: 'leave' });
    return new Promise((resolve) => {
      this.#isRestarting = resolve;
    });
  }

  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }

  /** Asks whether it lives, and kills it if it does not. @param wasLate whether this process itself did not run */
  look(now: number, wasLate: boolean): void {
    if (wasLate) this.#heardAt = now;
    const silentMs = now - this.#heardAt;
    if (this.#isOpen && silentMs > this.#context.silenceMs) {
      const { logger, words } = this.#context;
      logger.error({ silentMs }, `${words.process} does not answer: it is killed`);
      this.kill();
    } else this.#say({ kind: 'ping' });
  }

  #take(worker: Worker, message: FromCarrier): void {
    if (this.#worker !== worker) return;
    this.#heardAt = Date.now();
    switch (message.kind) {
      case 'carrier-open':
        this.#onOpen(message.epoch);
        return;
      case 'snapshot':
        for (const [id, { message: asked }] of this.#questions) {
          if (asked.kind === 'snapshot-wanted' && asked.by === message.by) this.#questions.delete(id);
        }
        this.#context.onSnapshot(message.by, message.snapshot);
        return;
      case 'carrier-lost':
        this.#context.onLost();
        return;
      case 'gone':
        this.#context.onGone(message.process);
        return;
      case 'store-answered':
        this.#questions.get(message.id)?.answered?.(message.answer);
        this.#questions.delete(message.id);
        return;
      case 'metrics':
        this.#context.onMetrics(message.id, message.text);
        return;
      case 'pong':
        return;
    }
  }

  #onOpen(epoch: string): void {
    this.#isOpen = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#context.onOpen(epoch);
    if (this.#wasOpen) this.#context.logger.info({}, this.#context.words.isOpenAgain);
    this.#wasOpen = true;
    for (const { message } of this.#questions.values()) this.#say(message);
    this.#isRestarting?.();
    this.#isRestarting = undefined;
  }

  #onEnd(code: number | null, signal: string | null): void {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    this.#worker = undefined;
    this.#context.onEnded();
    if (this.#isLeaving) {
      this.#context.onLeft();
      return;
    }
    if (this.#isRestarting) {
      this.start();
      return;
    }
    if (!this.#wasOpen) {
      this.#context.onRefused(code ?? 1);
      return;
    }
    const how = signal ?? `exit code ${code}`;
    const { logger, words } = this.#context;
    logger.error({ code, signal }, `${words.process} has ended (${how}): another one is started`);
    if (wasOpen) {
      this.start();
      return;
    }
    setTimeout(() => void (this.#isLeaving || this.start()), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
  }

  #ask(question: Question): void {
    this.#questions.set(++this.#lastQuestion, question);
    if (this.#isOpen) this.#say(question.message);
  }

  #say(message: ToCarrier): void {
    // One that is about to end may have closed its channel.
    if (this.#worker?.isConnected()) this.#worker.send(message, () => {});
  }
}
