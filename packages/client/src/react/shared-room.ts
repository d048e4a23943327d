/**
 * One room of a page, shared by all components that use it: joined with the first, left after the last, and
 * joined again when somebody asks for it. Knows nothing of React; tells its subscribers of each change.
 */
import type { ChatClient, ClientState, JoinOptions, Room } from '@chat/client';
import { createTimeline, type Timeline, type TimelineOptions } from '@chat/client/timeline';
import { Lease } from './lease.js';

/** Options of `useRoom`. They count when the first component uses the room. */
export interface UseRoomOptions<T = string> extends Omit<JoinOptions<T>, 'signal'> {
  /** How the conversation is kept. */
  readonly timeline?: TimelineOptions<T>;
}

/** A room as a component sees it. Immutable; the same object until something changes. */
export interface RoomView<T = string> {
  /** `joining` also on a server that renders; `failed` when the room refused this client, or was lost. */
  readonly status: 'joining' | 'joined' | 'failed';
  /** The room, once it is joined. */
  readonly room: Room<T> | undefined;
  /** Why it failed. */
  readonly error: Error | undefined;
  /** The conversation, from the first effect on: it takes messages that wait for the room. */
  readonly timeline: Timeline<T> | undefined;
  /** Tries to join once more where it failed. Done by itself where the connection was in the way. */
  readonly retry: () => void;
}

const nothing = (): void => {};

/** The view of a room that nobody uses yet. */
export const UNUSED: RoomView<unknown> = {
  status: 'joining',
  room: undefined,
  error: undefined,
  timeline: undefined,
  retry: nothing,
};

export class SharedRoom {
  readonly #client: ChatClient<unknown>;
  readonly #name: string;
  readonly #onUnused: () => void;
  readonly #lease: Lease;
  readonly #subscribers = new Set<() => void>();
  #options: UseRoomOptions<unknown> = {};
  /** Whether it was joined here: a room that the program had before is not left. */
  #isOurs = false;
  /** Whether the server has been asked to let it join, and has not answered. */
  #isAsking = false;
  /** Whether it failed for want of a connection: it is joined again when there is one. */
  #isCutOff = false;
  /** Aborted when nobody uses the room any more. */
  #using = new AbortController();
  view: RoomView<unknown> = UNUSED;

  constructor(client: ChatClient<unknown>, name: string, onUnused: () => void) {
    this.#client = client;
    this.#name = name;
    this.#onUnused = onUnused;
    this.#lease = new Lease(
      () => this.#begin(),
      () => this.#end(),
    );
  }

  /** @throws TypeError when it is used with another codec already */
  use(options: UseRoomOptions<unknown>, subscriber: () => void): () => void {
    if (this.#subscribers.size === 0) this.#options = options;
    else if (options.codec !== undefined && options.codec !== this.#options.codec) {
      throw new TypeError(`the room ${this.#name} is used with another codec`);
    }
    // Each use is one subscriber, even when the function is the same.
    const subscribed = () => subscriber();
    this.#subscribers.add(subscribed);
    const giveBack = this.#lease.take();
    return () => {
      this.#subscribers.delete(subscribed);
      giveBack();
    };
  }

  #begin(): void {
    this.#using = new AbortController();
    const { signal } = this.#using;
    const timeline = createTimeline<unknown>(undefined, this.#options.timeline);
    this.view = { ...UNUSED, timeline, retry: () => this.#retry() };
    this.#client.on('state', (state) => this.#onState(state), { signal });
    this.#onState(this.#client.state);
  }

  /** Asks once there is a connection: how long that takes says nothing about the room. */
  #onState(state: ClientState): void {
    const { status } = this.view;
    if (state.status === 'closed' && status === 'joining') this.#fail(state.reason);
    if (state.status !== 'open' || this.#isAsking) return;
    if (status === 'failed' && this.#isCutOff) {
      this.#become({ status: 'joining', room: undefined, error: undefined });
    }
    if (this.view.status === 'joining') void this.#join();
  }

  async #join(): Promise<void> {
    const { signal } = this.#using;
    const { timeline: _, ...options } = this.#options;
    const before = new Set(this.#client.joined.values());
    this.#isAsking = true;
    try {
      const room = await this.#client.join(this.#name, { ...options, signal });
      this.#isAsking = false;
      this.#isOurs = !before.has(room);
      if (signal.aborted) this.#leave(room);
      else this.#show(room, signal);
    } catch (error) {
      this.#isAsking = false;
      if (!signal.aborted) this.#fail(error);
    }
  }

  #show(room: Room<unknown>, signal: AbortSignal): void {
    room.on('closed', ({ error }) => this.#fail(error), { signal });
    this.view.timeline?.attach(room);
    this.#become({ status: 'joined', room, error: undefined });
  }

  #fail(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error('the room was left', { cause });
    this.#isCutOff = this.#client.state.status !== 'open';
    // What waits to be sent fails, too.
    this.view.timeline?.detach();
    this.#become({ status: 'failed', room: undefined, error });
  }

  #retry(): void {
    if (this.view.status !== 'failed') return;
    this.#become({ status: 'joining', room: undefined, error: undefined });
    this.#onState(this.#client.state);
  }

  #end(): void {
    const { room, timeline } = this.view;
    this.#using.abort();
    timeline?.close();
    if (room) this.#leave(room);
    this.view = UNUSED;
    this.#onUnused();
  }

  #leave(room: Room<unknown>): void {
    // Where it cannot be left there is no connection, or no room any more.
    if (this.#isOurs) room.leave().catch(nothing);
  }

  #become(change: Pick<RoomView<unknown>, 'status' | 'room' | 'error'>): void {
    this.view = { ...this.view, ...change };
    for (const subscriber of [...this.#subscribers]) subscriber();
  }
}
