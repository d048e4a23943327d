/**
 * The timelines of all conversations, and what of them changed since the last frame.
 *
 * Changes are marked as they come and reduced once for each frame, so that a flood costs no more than its
 * frames.
 */
import type { ChatClient, Clock, Room } from '@chat/client';
import { createTimeline, type MessageItem, type Timeline } from '@chat/client/timeline';
import type { Note } from '../rows/note.js';
import { reduce, type ScreenState } from '../state/screen-state.js';

/** The timeline of a conversation on this screen. */
export type ScreenTimeline = Timeline<string, Note>;

/** The part of the screen that {@link Conversations} needs. */
export interface ConversationsOptions {
  readonly client: ChatClient;
  readonly clock: Clock;
  /** Whether the newest of this conversation is what the user sees. */
  readonly isSeen: (key: string) => boolean;
  /** Somebody says something; `isDirect`: to this user alone. */
  readonly onMessage: (item: MessageItem, isDirect: boolean) => void;
  /** Something changed: {@link Conversations.takeInto} has it. */
  readonly onChange: () => void;
}

/** Items that are kept of each conversation. */
const MAX_ITEMS = 10_000;
const MAX_MEMBERS_LISTED = 500;

export class Conversations {
  readonly #options: ConversationsOptions;
  readonly #timelines = new Map<string, ScreenTimeline>();
  readonly #changed = new Set<string>();
  readonly #changedMembers = new Set<string>();
  readonly #watched = new WeakSet<Room<unknown>>();

  constructor(options: ConversationsOptions) {
    this.#options = options;
  }

  get(key: string): ScreenTimeline | undefined {
    return this.#timelines.get(key);
  }

  /** The timeline of a conversation, which begins now if it is new. */
  open(key: string): ScreenTimeline {
    const known = this.#timelines.get(key);
    if (known) return known;
    const { client, clock, isSeen, onMessage } = this.#options;
    const timeline: ScreenTimeline = createTimeline<string, Note>(
      key.startsWith('@') ? { client, to: key.slice(1) } : undefined,
      {
        client,
        clock,
        maxItems: MAX_ITEMS,
        isSeen: () => isSeen(key),
        onItem: (item) => item.kind === 'message' && onMessage(item, key.startsWith('@')),
        self: () => ({ id: client.id ?? 0, name: client.name }),
      },
    );
    this.#timelines.set(key, timeline);
    timeline.subscribe(() => this.#mark(this.#changed, key));
    return timeline;
  }

  /** The session is in this room now. */
  enter(room: Room): void {
    const { name } = room;
    this.open(name).attach(room);
    this.#mark(this.#changedMembers, name);
    if (this.#watched.has(room)) return;
    this.#watched.add(room);
    room.on('members', () => this.#mark(this.#changedMembers, name));
  }

  /** Ends a conversation and forgets what was said. */
  close(key: string): void {
    this.#timelines.get(key)?.close();
    this.#timelines.delete(key);
    this.#changed.delete(key);
  }

  /** Ends all of them. */
  stop(): void {
    for (const key of [...this.#timelines.keys()]) this.close(key);
  }

  /** The state with everything in it that changed. */
  takeInto(before: ScreenState): ScreenState {
    let state = before;
    for (const key of this.#changed) {
      const timeline = this.#timelines.get(key);
      if (timeline) state = reduce(state, { type: 'timeline', key, snapshot: timeline.snapshot });
    }
    this.#changed.clear();
    for (const key of this.#changedMembers) {
      const room = this.#options.client.joined.get(key);
      if (room === undefined) continue;
      const names = [...room.members.values()].slice(0, MAX_MEMBERS_LISTED).map(({ name }) => name);
      names.sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1));
      state = reduce(state, { type: 'members', key, names, count: room.memberCount });
    }
    this.#changedMembers.clear();
    return state;
  }

  #mark(set: Set<string>, key: string): void {
    set.add(key);
    this.#options.onChange();
  }
}
