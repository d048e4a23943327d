/**
 * The members that are writing. The signal for it is volatile: it is repeated while somebody goes on
 * writing, and believed for a while. So nothing is lost when one of them is dropped.
 *
 * The value of the signal is `{ "typing": true }` or `{ "typing": false }`.
 */
import type { Member } from '@chat/protocol';

/** How often own writing is told while it goes on. */
const REPEAT_MS = 3000;
/** How long a signal is believed. */
const BELIEVED_MS = 6000;
/** Names that are kept: where everybody writes, nobody reads them. */
const MAX_TYPISTS = 50;

/** The receiver of signals: a room. */
export interface SignalTarget {
  signal(value: unknown): boolean;
}

/** Tells the others of own writing. */
export class OwnTyping {
  #target: SignalTarget | undefined;
  #saidAt = 0;

  /** Own writing goes on. Cheap to call for every key. */
  goesOn(target: SignalTarget, now: number): void {
    if (this.#target !== target) this.stop();
    else if (now - this.#saidAt < REPEAT_MS) return;
    this.#target = target;
    this.#saidAt = now;
    target.signal({ typing: true });
  }

  /** Own writing ended without a message. */
  stop(): void {
    this.#target?.signal({ typing: false });
    this.#target = undefined;
  }

  /** A message was sent, which says to everybody that the writing has ended. */
  sent(): void {
    this.#target = undefined;
  }
}

/** The others that are writing. */
export class Typists {
  readonly #until = new Map<number, { readonly member: Member; readonly until: number }>();

  get members(): readonly Member[] {
    return [...this.#until.values()].map(({ member }) => member);
  }

  /** Takes a signal; one that is not understood is ignored. @returns whether the list changed */
  heard(member: Member, value: unknown, now: number): boolean {
    if (typeof value !== 'object' || value === null || !('typing' in value)) return false;
    if (value.typing !== true) return this.#until.delete(member.id);
    const isNew = !this.#until.has(member.id);
    if (isNew && this.#until.size >= MAX_TYPISTS) return false;
    this.#until.set(member.id, { member, until: now + BELIEVED_MS });
    return isNew;
  }

  /** A member that has spoken, or is gone, does not write any more. @returns whether the list changed */
  stopped(id: number): boolean {
    return this.#until.delete(id);
  }

  /** Forgets the signals that are no longer believed. @returns whether the list changed */
  expire(now: number): boolean {
    const { size } = this.#until;
    for (const [id, { until }] of this.#until) if (until <= now) this.#until.delete(id);
    return this.#until.size !== size;
  }

  /** Forgets all. @returns whether the list changed */
  clear(): boolean {
    const { size } = this.#until;
    this.#until.clear();
    return size > 0;
  }

  /** When the next signal is no longer believed; undefined when nobody writes. */
  get nextAt(): number | undefined {
    let next: number | undefined;
    for (const { until } of this.#until.values()) next = Math.min(next ?? until, until);
    return next;
  }
}
