/**
 * What this process keeps of sessions that another one holds: enough to go on with each of them, whenever its client
 * comes here. Its rooms and its name are in the state; here are its direct messages, and the answers to its publishes.
 *
 * There is nothing in it where one process has the log for itself.
 */
import type { ShownEntry } from '../../log/entry.js';
import type { SessionState } from '../../log/state/chat-state.js';
import type { Room } from '../../room/room.js';
import { type InboxContext, inboxRoom } from '../directs/inbox.js';
import { PublishRecord } from '../publish-record.js';

/** What is kept of one session. */
export interface Kept {
  /** What became of its latest publishes. */
  record?: PublishRecord;
  /** Its direct messages. */
  inbox?: Room;
  /** When the newest of its publishes came, by the clock of the wheel. */
  publishedAt: number;
}

/** What keeping needs of the server. */
export type ElsewhereContext = InboxContext & { readonly wheel: { readonly now: number } };

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

  /**
   * The inbox of a session, made if need be.
   *
   * @param floor position up to which nothing can be said of it
   */
  inboxOf({ memberId, place }: SessionState, floor?: number): Room {
    const kept = this.#of(memberId);
    kept.inbox ??= inboxRoom(this.#context, memberId, place?.address ?? '', floor);
    return kept.inbox;
  }

  /** Keeps what a session had that goes on at another process. */
  letGo(memberId: number, record: PublishRecord | undefined, inbox: Room | undefined): void {
    if (!record && !inbox) return;
    const kept = { ...(record ? { record } : {}), ...(inbox ? { inbox } : {}) };
    this.#kept.set(memberId, { ...kept, publishedAt: this.#context.wheel.now });
  }

  /** Hands over what is kept of a session that goes on here. */
  take(memberId: number): Kept | undefined {
    const kept = this.#kept.get(memberId);
    this.#kept.delete(memberId);
    return kept;
  }

  /** A session has ended. */
  ended(memberId: number): void {
    const room = this.take(memberId)?.inbox;
    if (!room) return;
    room.log.clear();
    if (room.share) this.#context.rooms.budget.close(room.share);
  }

  /** What is kept, by member id. */
  [Symbol.iterator](): IterableIterator<[number, Kept]> {
    return this.#kept.entries();
  }

  /** Drops messages that are too old, and answers that no client can still miss. To be called now and then. */
  expire(now: number): void {
    const { idleTimeoutMs, resumeWindowMs } = this.#context.options;
    for (const [memberId, kept] of this.#kept) {
      kept.inbox?.log.expire(now);
      // By then a connection that was silent is closed, and its session is over.
      if (now - kept.publishedAt > 2 * (idleTimeoutMs + resumeWindowMs)) delete kept.record;
      if (!kept.record && !kept.inbox) this.#kept.delete(memberId);
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
