/**
 * The members of a room: the first page from the join, further pages on demand, and every notice since.
 *
 * Notices that are older than the join's snapshot are history and change nothing here.
 */
import type { Member } from '@chat/protocol';
import type { Joined } from '@chat/protocol/frames';
import type { Notice } from './entry.js';

export class MemberList {
  #count = 0;

  /** The snapshot that it began with. */
  joined!: Joined;
  /** Members that are known, by id; live. */
  readonly byId: Map<number, Member> = new Map();
  /** Whether every member is known. */
  complete = false;

  /** Number of members, known or not. */
  get count(): number {
    return this.complete ? this.byId.size : this.#count;
  }

  /** Begins anew with the snapshot of a join. */
  reset(joined: Joined): void {
    this.joined = joined;
    this.byId.clear();
    this.add(joined.members, false);
    this.#count = joined.memberCount;
    this.complete = this.byId.size >= joined.memberCount;
  }

  /** @returns whether the notice is newer than the snapshot */
  apply({ kind, seq, member }: Notice): boolean {
    if (seq <= this.joined.head) return false;
    if (kind === 'left' || kind === 'gone') {
      this.#count--;
      this.byId.delete(member.id);
    } else if (kind === 'joined' || kind === 'renamed') {
      if (kind === 'joined' && !this.byId.has(member.id)) this.#count++;
      this.byId.set(member.id, member);
    }
    return true;
  }

  /** Adds a page; `last` when no other page follows. */
  add(page: readonly Member[], last: boolean): void {
    for (const { id, name } of page) this.byId.set(id, { id, name });
    if (last) this.complete = true;
  }
}
