/**
 * Calls into another process of ours: a module started with `fork` that answers named operations.
 *
 * A measurement must not share a heap, a garbage collector or an event loop with what it measures, so each
 * end runs behind one of these. The channel carries only commands and results, never measured traffic.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

type Operations = { readonly [name: string]: (params: never) => unknown };

interface Call {
  readonly id: number;
  readonly op: string;
  readonly params: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The calling side of a module that runs {@link serveRemote}. */
export class Remote<Ops extends Operations> {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  #lastId = 0;

  /** Starts `modulePath` with Node. */
  constructor(modulePath: string, execArgv: readonly string[] = []) {
    this.#child = fork(modulePath, [], { execArgv: [...execArgv], serialization: 'advanced' });
    this.#child.on('message', (answer: Answer) => {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.error === undefined) pending?.resolve(answer.result as never);
      else pending?.reject(new Error(answer.error));
    });
    const fail = (why: string): void => {
      for (const pending of this.#pending.values()) pending.reject(new Error(why));
      this.#pending.clear();
    };
    // One that is busy would not notice for a while that nobody waits for it any more.
    const kill = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#child.once('exit', () => process.off('exit', kill));
    this.#child.once('exit', (code, signal) => fail(`${modulePath} ended (${signal ?? code})`));
    this.#child.once('error', (error) => fail(error.message));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Runs an operation over there. Rejects with its error, or when the process ends. */
  call<Op extends keyof Ops & string>(
    op: Op,
    params: Parameters<Ops[Op]>[0],
  ): Promise<Awaited<ReturnType<Ops[Op]>>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#child.send({ id, op, params } satisfies Call, (error) => {
        if (error) reject(error);
      });
    });
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

/** The answering side: call it once in a module that is started by {@link Remote}. */
export function serveRemote(operations: Operations): void {
  process.on('message', async ({ id, op, params }: Call) => {
    let answer: Answer;
    try {
      answer = { id, result: await operations[op]!(params as never) };
    } catch (error) {
      answer = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send?.(answer);
  });
  // The caller is gone: nothing that is measured here is of use to anybody.
  process.once('disconnect', () => process.exit(1));
  // Ctrl-C goes to the whole group; the caller decides what is still wanted.
  process.on('SIGINT', () => {});
}
