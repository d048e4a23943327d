/**
 * One conversation: a room, or private words with one person. It holds what is shown of it, and what is unread.
 */
import type { ClientError, DirectMessage, Room, RoomEntry } from '@chat/client';
import { Timeline, type TimelineItem } from './timeline.js';

/** With whom one talks. */
export type Conversation = RoomConversation | DirectConversation;

/** Somebody who is writing, and until when that is believed. */
export interface Typist {
  readonly name: string;
  readonly until: number;
}

class BaseConversation {
  readonly timeline: Timeline = new Timeline();
  /** What was begun to be written, kept while one looks elsewhere. */
  draft = '';
  /** Messages that were not looked at. */
  unread = 0;
  /** Key of the first of them; stays for a while, so that one finds the place. */
  firstUnread: string | undefined;

  /** Takes what arrives. @returns the message it became, if it is a new one of somebody else */
  receive(entry: RoomEntry | DirectMessage, isRead: boolean): TimelineItem | undefined {
    const item = this.timeline.add(entry);
    if (item?.kind !== 'message' || item.own) return undefined;
    if (entry.type === 'gap' || entry.history) return undefined;
    if (!isRead) {
      this.firstUnread = this.unread === 0 ? item.key : this.firstUnread;
      this.unread++;
    }
    return item;
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
  /** Whether older messages are on their way. */
  loading = false;
  /** Who is writing, by member id. */
  readonly typists: Map<number, Typist> = new Map();

  constructor(name: string) {
    super();
    this.name = name;
    this.id = roomId(name);
  }
}

/** Private words with one person. */
export class DirectConversation extends BaseConversation {
  readonly kind = 'direct';
  readonly id: string;
  name: string;

  constructor(name: string) {
    super();
    this.name = name;
    this.id = directId(name);
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
