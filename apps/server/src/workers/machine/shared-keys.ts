/** Requests with an `Idempotency-Key`, of all workers: each is carried out by the worker that it came to first. */
import { IdempotencyKeys } from '../../api/idempotency.js';
import { type ApiAnswer, ApiError, internalProblem } from '../../api/problem.js';
import type { OnceOutcome, ToSupervisor } from '../messages.js';

type OnceMessage = Extract<ToSupervisor, { kind: 'once' }>;

export class SharedKeys {
  readonly #keys: IdempotencyKeys = new IdempotencyKeys();
  /** Requests that are carried out, by worker and its number for them. */
  readonly #running = new Map<string, (answer: ApiAnswer) => void>();

  /**
   * Has a request carried out, unless it is or was.
   *
   * @param run has that worker carry it out
   * @param done told the answer, or that the key is wrong
   */
  once(
    worker: number,
    { id, owner, key, request }: OnceMessage,
    run: () => void,
    done: (outcome: OnceOutcome) => void,
  ): void {
    const start = (): Promise<ApiAnswer> => {
      run();
      return new Promise((resolve) => {
        this.#running.set(`${worker} ${id}`, resolve);
      });
    };
    try {
      void this.#keys.once(owner, key, request, start).then((answer) => done({ answer }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { code, message } = error;
      done({ error: { code, message } });
    }
  }

  ran(worker: number, id: number, answer: ApiAnswer): void {
    this.#running.get(`${worker} ${id}`)?.(answer);
    this.#running.delete(`${worker} ${id}`);
  }

  /** A worker has ended: nobody knows whether what it was at has happened. Others that wait for it learn that it failed. */
  ended(worker: number): void {
    for (const [name, resolve] of this.#running) {
      if (!name.startsWith(`${worker} `)) continue;
      this.#running.delete(name);
      resolve(internalProblem());
    }
  }
}
