/**
 * What goes on in the rooms beside their entries: who is in them, and who is writing.
 */
import type { Clock, Room } from '@chat/client';
import { Typists } from './typing.js';

/** What {@link RoomWatch} tells. */
export interface RoomWatchOptions {
  readonly clock: Clock;
  readonly onMembers: (room: string) => void;
  readonly onTypists: (room: string, names: readonly string[]) => void;
}

export class RoomWatch {
  readonly #options: RoomWatchOptions;
  readonly #watched = new WeakSet<object>();
  readonly #typists = new Map<string, Typists>();

  constructor(options: RoomWatchOptions) {
    this.#options = options;
  }

  /** Watches a room until it is left. Watching it again is fine. */
  watch(room: Room<unknown>): void {
    const { clock, onMembers } = this.#options;
    if (this.#watched.has(room)) return;
    this.#watched.add(room);
    const { name } = room;
    const typists = new Typists();
    this.#typists.set(name, typists);
    room.on('members', () => onMembers(name));
    room.on('signal', ({ sender, value }) => {
      if (typists.heard(sender.name, value, clock.now())) this.#tell(name);
    });
  }

  /** Who has spoken does not write any more. */
  spoke(room: string, name: string): void {
    if (this.#typists.get(room)?.spoke(name)) this.#tell(room);
  }

  /** Forgets who stopped writing. @returns whether somebody writes */
  expire(): boolean {
    let isTyping = false;
    for (const [room, typists] of this.#typists) {
      if (typists.expire(this.#options.clock.now())) this.#tell(room);
      isTyping ||= typists.names.length > 0;
    }
    return isTyping;
  }

  #tell(room: string): void {
    this.#options.onTypists(room, this.#typists.get(room)?.names ?? []);
  }
}
