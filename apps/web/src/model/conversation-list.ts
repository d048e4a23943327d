/**
 * The conversations of one visit, in the order in which they were opened, and the one that is looked at.
 */
import type { ChatClient } from '@chat/client';
import {
  type Conversation,
  DirectConversation,
  directId,
  RoomConversation,
  roomId,
  type Watch,
} from './conversation.js';

export class ConversationList {
  readonly #byId = new Map<string, Conversation>();
  readonly #watch: Watch;
  active: Conversation | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  get all(): readonly Conversation[] {
    return [...this.#byId.values()];
  }

  get rooms(): readonly RoomConversation[] {
    return this.all.filter((conversation) => conversation.kind === 'room');
  }

  /** Unread messages of all of them. */
  get unread(): number {
    let unread = 0;
    for (const conversation of this.#byId.values()) unread += conversation.unread;
    return unread;
  }

  has(conversation: Conversation): boolean {
    return this.#byId.get(conversation.id) === conversation;
  }

  room(name: string): RoomConversation | undefined {
    return this.#byId.get(roomId(name)) as RoomConversation | undefined;
  }

  /** Opens a room, unless it is open. */
  openRoom(name: string): RoomConversation {
    return this.room(name) ?? this.#add(new RoomConversation(name, this.#watch));
  }

  /** Begins private words with somebody, or goes on with them. */
  openDirect(name: string, client: ChatClient): DirectConversation {
    const present = this.#byId.get(directId(name)) as DirectConversation | undefined;
    return present ?? this.#add(new DirectConversation(name, client, this.#watch));
  }

  /** Takes it away. If it was looked at, the first of the others is. */
  close(conversation: Conversation): void {
    this.#byId.delete(conversation.id);
    conversation.timeline.close();
    if (this.active === conversation) this.look(this.all[0]);
  }

  /** Looks at another one. Messages that were new in the one before are not new any more. */
  look(conversation: Conversation | undefined): void {
    const before = this.active;
    if (before && before !== conversation && before.unread === 0) before.timeline.clearMark();
    this.active = conversation;
  }

  /** Private words go on with somebody who changed the name, unless there are some under the new one. */
  rename(oldName: string, name: string): void {
    const conversation = this.#byId.get(directId(oldName));
    if (conversation?.kind !== 'direct' || this.#byId.has(directId(name))) return;
    this.#byId.delete(conversation.id);
    conversation.rename(name);
    this.#add(conversation);
  }

  clear(): void {
    for (const { timeline } of this.#byId.values()) timeline.close();
    this.#byId.clear();
    this.active = undefined;
  }

  #add<Kind extends Conversation>(conversation: Kind): Kind {
    this.#byId.set(conversation.id, conversation);
    return conversation;
  }
}
