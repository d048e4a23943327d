/**
 * Who is writing, told and heard as the web client does: `{ "typing": true }` again while somebody goes on, believed
 * for a while. Volatile: nothing is lost with it.
 */
import type { Room } from '@chat/client';

const REPEAT_MS = 3000;
const BELIEVED_MS = 6000;
const MAX_TYPISTS = 50;

/** Tells the others of own writing. */
export class OwnTyping {
  #room: Room | undefined;
  #saidAt = 0;

  /** The line is being changed. */
  goesOn(room: Room, now: number): void {
    if (this.#room !== room) this.stop();
    else if (now - this.#saidAt < REPEAT_MS) return;
    this.#room = room;
    this.#saidAt = now;
    room.signal({ typing: true });
  }

  stop(): void {
    this.#room?.signal({ typing: false });
    this.#room = undefined;
  }

  /** A message says it too. */
  sent(): void {
    this.#room = undefined;
  }
}

/** Who else writes in one room. */
export class Typists {
  readonly #until = new Map<string, number>();

  /** @returns whether the list changed. What is not understood is ignored. */
  heard(name: string, value: unknown, now: number): boolean {
    if (typeof value !== 'object' || value === null || !('typing' in value)) return false;
    if (value.typing !== true) return this.#until.delete(name);
    const isNew = !this.#until.has(name);
    if (isNew && this.#until.size >= MAX_TYPISTS) return false;
    this.#until.set(name, now + BELIEVED_MS);
    return isNew;
  }

  /** Who has spoken does not write any more. */
  spoke(name: string): boolean {
    return this.#until.delete(name);
  }

  /** Forgets who has stopped. @returns whether the list changed */
  expire(now: number): boolean {
    const { size } = this.#until;
    for (const [name, until] of this.#until) if (until <= now) this.#until.delete(name);
    return this.#until.size !== size;
  }

  get names(): readonly string[] {
    return [...this.#until.keys()];
  }
}
