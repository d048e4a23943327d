/**
 * Between what comes and what is shown: entries and changed members are collected, and reduced once for each frame,
 * so that a flood costs no more than its frames.
 */
import type { ChatClient } from '@chat/client';
import type { Item } from '../state/conversation.js';
import { reduce, type ScreenState } from '../state/screen-state.js';

const MAX_COLLECTED = 2000;
const MAX_MEMBERS_LISTED = 500;

export class Collector {
  readonly #client: ChatClient;
  readonly #changedMembers = new Set<string>();
  #items = new Map<string | undefined, Item[]>();
  #count = 0;

  constructor(client: ChatClient) {
    this.#client = client;
  }

  /** Whether so much waits that it should be taken before the next frame. */
  get isFull(): boolean {
    return this.#count >= MAX_COLLECTED;
  }

  /** @param key - of the conversation; undefined for the present one */
  add(key: string | undefined, item: Item): void {
    const items = this.#items.get(key);
    if (items === undefined) this.#items.set(key, [item]);
    else items.push(item);
    this.#count++;
  }

  /** Members of a room came or went. */
  membersChanged(room: string): void {
    this.#changedMembers.add(room);
  }

  /** The state with everything in it that was collected. */
  takeInto(before: ScreenState): ScreenState {
    let state = before;
    const items = this.#items;
    if (items.size > 0) {
      this.#items = new Map();
      this.#count = 0;
      for (const [key, added] of items) state = reduce(state, { type: 'items', key, items: added });
    }
    for (const key of this.#changedMembers) {
      const room = this.#client.joined.get(key);
      if (room === undefined) continue;
      const names = [...room.members.values()].slice(0, MAX_MEMBERS_LISTED).map(({ name }) => name);
      names.sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1));
      state = reduce(state, { type: 'members', key, names, count: room.memberCount });
    }
    this.#changedMembers.clear();
    return state;
  }
}
