/**
 * Who is writing. A notice of it is volatile: it is said again while somebody goes on, believed for a while, and
 * nothing is lost with it.
 *
 * The value of the signal is `{ "typing": true }` or `{ "typing": false }`.
 */
import type { Room } from '@chat/client';
import type { Typist } from './conversation.js';
import type { Member } from './timeline.js';

/** How often it is said. */
const REPEAT_MS = 3000;
/** How long it is believed. */
const BELIEVED_MS = 6000;
/** Names that are kept at most: in a room where everybody writes, nobody reads them. */
const MAX_TYPISTS = 50;

export class TypingSignals {
  readonly #now: () => number;
  readonly #onChange: () => void;
  #room: Room | undefined;
  #saidAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lists = new Set<Map<number, Typist>>();

  constructor(now: () => number, onChange: () => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  /** Own writing goes on in this room. */
  start(room: Room): void {
    if (this.#room !== room) this.stop();
    const now = this.#now();
    if (this.#room && now - this.#saidAt < REPEAT_MS) return;
    this.#room = room;
    this.#saidAt = now;
    room.signal({ typing: true });
  }

  /** Own writing ended. */
  stop(): void {
    this.#room?.signal({ typing: false });
    this.#room = undefined;
  }

  /** Somebody else says something about writing. What is not understood is ignored. */
  heard(typists: Map<number, Typist>, { id, name }: Member, value: unknown): void {
    if (typeof value !== 'object' || value === null || !('typing' in value)) return;
    if (value.typing !== true) {
      if (typists.delete(id)) this.#onChange();
      return;
    }
    if (!typists.has(id) && typists.size >= MAX_TYPISTS) return;
    typists.set(id, { name, until: this.#now() + BELIEVED_MS });
    this.#lists.add(typists);
    this.#timer ??= setTimeout(() => this.#expire(), BELIEVED_MS);
    this.#onChange();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#now();
    let next = Infinity;
    for (const typists of this.#lists) {
      for (const [id, { until }] of typists) {
        if (until <= now) typists.delete(id);
        else next = Math.min(next, until);
      }
      if (typists.size === 0) this.#lists.delete(typists);
    }
    if (next !== Infinity) this.#timer = setTimeout(() => this.#expire(), next - now);
    this.#onChange();
  }
}
