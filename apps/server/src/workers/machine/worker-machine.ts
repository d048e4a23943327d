/** All workers of the machine, as one of them sees them: what the API does for all goes through the supervisor. */
import type { AdjustableLimits, ChatServer, LimitOptions, ServerStats } from '@chat/server';
import type { OncePort } from '../../api/idempotency.js';
import type { Machine } from '../../api/operations/operation.js';
import { type ApiAnswer, ApiError } from '../../api/problem.js';
import type { OnceOutcome, OrderAnswer, ToSupervisor, WorkerOrder } from '../messages.js';
import type { RoundAnswer } from './rounds.js';

type Tell = (message: ToSupervisor) => void;

/** The part of the memory of the machine that a worker may take. */
export function shareOf<Limits extends AdjustableLimits>(limits: Limits, workers: number): Limits {
  const { maxMemoryBytes } = limits;
  if (maxMemoryBytes === undefined) return limits;
  return { ...limits, maxMemoryBytes: Math.floor(maxMemoryBytes / workers) };
}

export class WorkerMachine implements Machine, OncePort {
  readonly #tell: Tell;
  readonly #workers: number;
  readonly #rounds = new Map<number, (answers: readonly RoundAnswer<OrderAnswer>[]) => void>();
  /** Requests with a key, by number. */
  readonly #requests = new Map<
    number,
    { run(): Promise<ApiAnswer>; readonly resolve: (outcome: OnceOutcome) => void }
  >();
  #last = 0;
  /** Set before any method is called. */
  server: ChatServer | undefined;

  /** @param workers how many share what the machine has */
  constructor(tell: Tell, workers: number) {
    this.#tell = tell;
    this.#workers = workers;
  }

  async adjust(limits: AdjustableLimits): Promise<void> {
    // What is refused here would be refused by the others as well.
    this.server?.adjust(shareOf(limits, this.#workers));
    await this.askAll({ kind: 'adjust', limits });
  }

  limits(): Required<LimitOptions> {
    const limits = this.server!.limits();
    return { ...limits, maxMemoryBytes: limits.maxMemoryBytes * this.#workers };
  }

  async stats(): Promise<readonly { readonly worker: number; readonly stats: ServerStats }[]> {
    const answers = await this.askAll({ kind: 'stats' });
    return answers.map(({ worker, value }) => ({ worker, stats: value as ServerStats }));
  }

  /** The metrics of all, as texts. */
  async metrics(): Promise<readonly RoundAnswer<string>[]> {
    return (await this.askAll({ kind: 'metrics' })) as readonly RoundAnswer<string>[];
  }

  async once(owner: string, key: string, request: string, run: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
    const id = ++this.#last;
    const outcome = await new Promise<OnceOutcome>((resolve) => {
      this.#requests.set(id, { run, resolve });
      this.#tell({ kind: 'once', id, owner, key, request });
    });
    this.#requests.delete(id);
    if ('answer' in outcome) return outcome.answer;
    throw new ApiError(outcome.error.code, outcome.error.message);
  }

  askAll(order: WorkerOrder): Promise<readonly RoundAnswer<OrderAnswer>[]> {
    const id = ++this.#last;
    this.#tell({ kind: 'all-asked', id, order });
    return new Promise((resolve) => {
      this.#rounds.set(id, resolve);
    });
  }

  allAnswered(id: number, answers: readonly RoundAnswer<OrderAnswer>[]): void {
    this.#rounds.get(id)?.(answers);
    this.#rounds.delete(id);
  }

  /** Carries out a request that has a key, as the first with it. */
  async runOnce(id: number): Promise<void> {
    const answer = await this.#requests.get(id)?.run();
    if (answer) this.#tell({ kind: 'ran-once', id, answer });
  }

  onceAnswered(id: number, outcome: OnceOutcome): void {
    this.#requests.get(id)?.resolve(outcome);
  }
}
