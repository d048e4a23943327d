/** The rooms of a page that are used now, by the name under which components ask for them. */
import type { ChatClient } from '@chat/client';
import { SharedRoom } from './shared-room.js';

export class SharedRooms {
  readonly #client: ChatClient<unknown>;
  readonly #byName = new Map<string, SharedRoom>();

  constructor(client: ChatClient<unknown>) {
    this.#client = client;
  }

  /** The room, if it is used: rendering makes nothing that would have to be given back. */
  find(name: string): SharedRoom | undefined {
    return this.#byName.get(name);
  }

  /** The room, to be used at once. */
  get(name: string): SharedRoom {
    const known = this.#byName.get(name);
    if (known) return known;
    const room = new SharedRoom(this.#client, name, () => this.#byName.delete(name));
    this.#byName.set(name, room);
    return room;
  }
}
