/**
 * One conversation: a room, or private words with one person. What is said in it is in its timeline.
 */
import type { ChatClient, ClientError, Room } from '@chat/client';
import {
  createTimeline,
  type MessageItem,
  type Timeline,
  type TimelineItem,
  type TimelineOptions,
} from '@chat/client/timeline';
import type { Words } from './acting/typed-commands.js';
import type { Excerpt } from './excerpt.js';

/** An item of a conversation of this page, its own words among them. */
export type PageItem = TimelineItem<string, Words>;

/** With whom one talks. */
export type Conversation = RoomConversation | DirectConversation;

/** How the timeline of a conversation behaves, and who is told when it changes. */
export type Watch = (
  conversation: BaseConversation,
) => TimelineOptions<string, Words> & { readonly onChange: () => void };

class BaseConversation {
  readonly timeline: Timeline<string, Words>;
  /** A message that was begun, kept while the user looks elsewhere. */
  draft = '';
  /** An own message that gets another text. */
  editing: MessageItem | undefined;
  /** The message that the next one answers. */
  answering: MessageItem | undefined;

  constructor(watch: Watch) {
    const { onChange, ...options } = watch(this);
    this.timeline = createTimeline<string, Words>(undefined, options);
    this.timeline.subscribe(onChange);
  }

  /** Messages that were not looked at. */
  get unread(): number {
    return this.timeline.snapshot.unread;
  }
}

/** A room. */
export class RoomConversation extends BaseConversation {
  readonly kind = 'room';
  readonly id: string;
  readonly name: string;
  /** Undefined while it is being joined, and after it was lost. */
  room: Room | undefined;
  /** Why it could not be joined, or was lost. */
  error: ClientError | Error | undefined;
  /** A part of its past that is looked at in place of the newest. */
  excerpt: Excerpt | undefined;

  constructor(name: string, watch: Watch) {
    super(watch);
    this.name = name;
    this.id = roomId(name);
  }

  /** The room is joined, again or for the first time. */
  enter(room: Room): void {
    this.room = room;
    this.error = undefined;
    this.timeline.attach(room);
  }

  /** The room is lost, or cannot be joined. The messages stay. */
  lose(error: ClientError | Error): void {
    this.room = undefined;
    this.error = error;
    this.excerpt = undefined;
    this.timeline.detach();
  }
}

/** Private words with one person. */
export class DirectConversation extends BaseConversation {
  readonly kind = 'direct';
  readonly #client: ChatClient;
  name: string;

  constructor(name: string, client: ChatClient, watch: Watch) {
    super(watch);
    this.#client = client;
    this.name = name;
    this.rename(name);
  }

  get id(): string {
    return directId(this.name);
  }

  /** The person has another name now. */
  rename(name: string): void {
    this.name = name;
    this.timeline.attach({ client: this.#client, to: name });
  }
}

/** Under which id the conversation of a room is found, by the name that the server gave it. */
export function roomId(name: string): string {
  return `room:${name}`;
}

/** Under which id the conversation with somebody is found, however the name is capitalised. */
export function directId(name: string): string {
  return `direct:${name.toLowerCase()}`;
}
