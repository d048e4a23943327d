/**
 * Who is in a room: the first page from the join, further pages on demand, and every notice since.
 *
 * Notices that are older than the join's snapshot are history and change nothing here.
 */
import type { Joined, Member } from '@chat/protocol';
import type { Notice } from './entry.js';

export class MemberList {
  readonly #members = new Map<number, Member>();
  #count = 0;
  #head = 0;
  #complete = false;

  /** Members that are known, by id; live. */
  get members(): ReadonlyMap<number, Member> {
    return this.#members;
  }

  /** Whether every member is known. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Number of members, known or not. */
  get count(): number {
    return this.#complete ? this.#members.size : this.#count;
  }

  /** Begins anew with the snapshot of a join. */
  reset({ members, memberCount, head }: Joined): void {
    this.#members.clear();
    for (const { id, name } of members) this.#members.set(id, { id, name });
    this.#count = memberCount;
    this.#head = head;
    this.#complete = this.#members.size >= memberCount;
  }

  apply({ kind, seq, member }: Notice): void {
    if (seq <= this.#head) return;
    const known = this.#members.has(member.id);
    if (kind === 'joined') {
      if (!known) this.#count++;
      this.#members.set(member.id, member);
    } else if (kind === 'renamed') {
      this.#members.set(member.id, member);
    } else {
      this.#count--;
      this.#members.delete(member.id);
    }
  }

  /** Adds a page; `last` when no other page follows. */
  add(page: readonly Member[], last: boolean): void {
    for (const { id, name } of page) this.#members.set(id, { id, name });
    if (last) this.#complete = true;
  }
}
