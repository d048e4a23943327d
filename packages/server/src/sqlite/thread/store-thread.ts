/**
 * A thread that has the store's file open, seen from the server's thread. SQLite blocks while it writes and flushes,
 * so it is never called on the event loop.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type TransferListItem, Worker } from 'node:worker_threads';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { type ErrorMessage, fromErrorMessage } from '../store-error.js';
import type { Transferred } from './transferred.js';

/** What a thread is started with. */
export interface ThreadData {
  readonly role: string;
  readonly options: unknown;
}

/** One call. */
export interface CallMessage {
  readonly id: number;
  readonly operation: string;
  readonly argument: unknown;
}

/** Its answer. */
export type AnswerMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorMessage };

interface PendingCall {
  resolve(value: unknown): void;
  reject(error: ServerError): void;
}

/** What an operation answers, as it arrives. */
type Answer<F extends (argument: never) => unknown> =
  Awaited<ReturnType<F>> extends Transferred<infer V> ? V : Awaited<ReturnType<F>>;

export class StoreThread<T extends { [K in keyof T]: (argument: never) => unknown }> {
  readonly #worker: Worker;
  readonly #pending: Map<number, PendingCall> = new Map();
  #calls = 0;
  #end: ServerError | undefined;
  /** Called when the thread ends by itself; no call is answered any more. */
  onDeath: ((error: ServerError) => void) | undefined;

  /** Starts a thread. What goes wrong there is the answer of the first call. */
  constructor(role: string, options: unknown) {
    this.#worker = startWorker({ role, options });
    this.#worker.unref();
    this.#worker.on('message', (answer: AnswerMessage) => this.#answer(answer));
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', (code) => this.#die(new Error(`exit code ${code}`)));
  }

  /** Has the thread do something. `transfer` goes over to it and cannot be used here any more. */
  call<K extends keyof T & string>(
    operation: K,
    argument: Parameters<T[K]>[0],
    transfer: readonly TransferListItem[] = [],
  ): Promise<Answer<T[K]>> {
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const id = ++this.#calls;
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      // A process does not end while an answer is on its way.
      if (this.#pending.size === 1) this.#worker.ref();
      this.#worker.postMessage({ id, operation, argument } satisfies CallMessage, transfer);
    });
  }

  /** Ends the thread, whatever it does. Idempotent. */
  async terminate(): Promise<void> {
    this.#end ??= new ServerError(ServerErrorCode.Closed, 'the store is closed');
    await this.#worker.terminate();
  }

  #answer(answer: AnswerMessage): void {
    const call = this.#pending.get(answer.id);
    if (!call) return;
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ('error' in answer) call.reject(fromErrorMessage(answer.error));
    else call.resolve(answer.value);
  }

  #die(cause: Error): void {
    const isNew = this.#end === undefined;
    this.#end ??= new ServerError(
      ServerErrorCode.StoreFailed,
      `the thread of the store ended: ${cause.message}`,
      {
        cause,
      },
    );
    for (const call of this.#pending.values()) call.reject(this.#end);
    this.#pending.clear();
    if (isNew) this.onDeath?.(this.#end);
  }
}

/** The thread's program lies beside this file: `sqlite-thread.js` or `.cjs` as built, `main.ts` in the sources. */
function startWorker(workerData: ThreadData): Worker {
  const here = import.meta.url;
  if (here.endsWith('.ts')) {
    sourceProgram ??= bundle(new URL('./main.ts', here));
    return new Worker(sourceProgram, { eval: true, workerData });
  }
  const name = here.endsWith('.cjs') ? './sqlite-thread.cjs' : './sqlite-thread.js';
  return new Worker(fileURLToPath(new URL(name, here)), { workerData });
}

/** The program as built from the sources, once in a process. */
let sourceProgram: string | undefined;

/** What builds it: a name that no bundler of a user's program follows. */
const BUNDLER = 'esbuild';
interface Bundler {
  buildSync(options: object): { readonly outputFiles: readonly { readonly text: string }[] };
}

/** Where the sources are run: one script of the program, since a worker does not inherit what reads TypeScript. */
function bundle(program: URL): string {
  const { buildSync } = createRequire(program)(BUNDLER) as Bundler;
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(program)],
    bundle: true,
    write: false,
    platform: 'node',
    conditions: ['@chat/source'],
    define: { 'import.meta.url': JSON.stringify(program.href) },
  });
  return outputFiles[0]!.text;
}
