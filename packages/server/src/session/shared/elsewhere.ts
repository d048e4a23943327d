/**
 * What this process keeps of sessions that another one holds: enough to go on with each of them, whenever its client
 * comes here. Its rooms and its name are in the state, its direct messages in the inbox of its user; here are the answers
 * to its publishes.
 *
 * There is nothing in it where one process has the log for itself.
 */
import type { ShownEntry } from '../../log/entry.js';
import type { ResolvedOptions } from '../../options/options.js';
import { PublishRecord } from '../publish-record.js';

/** What is kept of one session. */
export interface Kept {
  /** What became of its latest publishes. */
  record?: PublishRecord;
  /** When the newest of its publishes came, by the clock of the wheel. */
  publishedAt: number;
}

/** What keeping needs of the server. */
export interface ElsewhereContext {
  readonly options: Pick<ResolvedOptions, 'maxInFlight' | 'idleTimeoutMs' | 'resumeWindowMs'>;
  readonly wheel: { readonly now: number };
}

export class SessionsElsewhere {
  readonly #context: ElsewhereContext;
  readonly #kept = new Map<number, Kept>();

  constructor(context: ElsewhereContext) {
    this.#context = context;
  }

  /** Knows what became of a publish. */
  published({ sender, publishId, seq, at }: ShownEntry): void {
    const kept = this.#of(sender);
    kept.record ??= new PublishRecord(this.#context.options.maxInFlight);
    kept.record.remember(publishId, seq, at);
    kept.publishedAt = this.#context.wheel.now;
  }

  /** Keeps what a session had that goes on at another process. */
  letGo(memberId: number, record: PublishRecord | undefined): void {
    if (record) this.#kept.set(memberId, { record, publishedAt: this.#context.wheel.now });
  }

  /** Hands over what is kept of a session that goes on here. */
  take(memberId: number): Kept | undefined {
    const kept = this.#kept.get(memberId);
    this.#kept.delete(memberId);
    return kept;
  }

  /** A session has ended. */
  ended(memberId: number): void {
    this.#kept.delete(memberId);
  }

  /** What is kept, by member id. */
  [Symbol.iterator](): IterableIterator<[number, Kept]> {
    return this.#kept.entries();
  }

  /** Drops answers that no client can still miss. To be called now and then. */
  expire(now: number): void {
    const { idleTimeoutMs, resumeWindowMs } = this.#context.options;
    for (const [memberId, kept] of this.#kept) {
      // By then a connection that was silent is closed, and its session is over.
      if (now - kept.publishedAt > 2 * (idleTimeoutMs + resumeWindowMs)) this.#kept.delete(memberId);
    }
  }

  #of(memberId: number): Kept {
    let kept = this.#kept.get(memberId);
    if (!kept) {
      kept = { publishedAt: this.#context.wheel.now };
      this.#kept.set(memberId, kept);
    }
    return kept;
  }
}
