/**
 * What the session tells, and where on the screen it goes.
 */
import type { ChatClient, ClientState, Clock } from '@chat/client';
import { errorText, type SessionEvent } from '../../session/session.js';
import type { Item } from '../state/conversation.js';
import type { ScreenEvent, ScreenState } from '../state/screen-state.js';
import type { OlderEntries } from './older-entries.js';
import type { Pulse } from './pulse.js';
import type { RoomWatch } from './room-watch.js';
import { note, noteOf, spokenOf } from './screen-events.js';

/** What {@link Incoming} needs of the screen. */
export interface IncomingOptions {
  readonly client: ChatClient;
  readonly clock: Clock;
  readonly older: OlderEntries;
  readonly pulse: Pulse;
  readonly rooms: RoomWatch;
  readonly dispatch: (event: ScreenEvent) => void;
  /** Shows an entry with the next frame: in the present conversation, without a key. */
  readonly collect: (key: string | undefined, item: Item | undefined) => void;
  /** The session is in this room now. */
  readonly enter: (room: string) => void;
  readonly leave: () => void;
}

export class Incoming {
  readonly #options: IncomingOptions;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  /** Shows what the session tells. */
  show(event: SessionEvent): void {
    const now = this.#options.clock.now();
    switch (event.type) {
      case 'message': {
        const { room, sender, seq } = event.message;
        this.#options.older.saw(room, seq);
        this.#options.rooms.spoke(room, sender.name);
        this.#options.collect(room, spokenOf(event.message, this.#options.client.name));
        return;
      }
      case 'direct':
        this.#options.collect(
          `@${event.message.sender.name}`,
          spokenOf(event.message, this.#options.client.name),
        );
        return;
      case 'notice':
        this.#options.older.saw(event.notice.room, event.notice.seq);
        this.#options.collect(event.notice.room, noteOf(event, now));
        return;
      case 'gap':
        this.#options.collect(event.gap.room, noteOf(event, now));
        return;
      case 'unreadable':
        this.#options.collect(event.message.room ?? `@${event.message.sender.name}`, noteOf(event, now));
        return;
      case 'state':
        this.#showConnection(event, now);
        return;
      case 'room':
        if (event.room === undefined) {
          this.#options.collect(undefined, noteOf(event, now));
          return;
        }
        this.#options.enter(event.room);
        return;
      case 'room-left':
        this.#options.older.forget(event.room);
        this.#options.dispatch({ type: 'left', key: event.room });
        this.#options.collect(undefined, noteOf(event, now));
        return;
      case 'rooms':
        this.#options.dispatch({ type: 'rooms-known', rooms: event.page.rooms.map(({ room }) => room) });
        this.#options.collect(undefined, noteOf(event, now));
        return;
      case 'renamed':
        this.#options.dispatch({ type: 'renamed', name: event.name });
        this.#options.collect(undefined, noteOf(event, now));
        return;
      case 'ping':
        this.#options.dispatch({ type: 'round-trip', roundTripMs: event.roundTripMs });
        this.#options.collect(undefined, noteOf(event, now));
        return;
      case 'quit':
        this.#options.leave();
        return;
      case 'waiting': // It is seen that it waits.
      case 'direct-sent':
        return;
      default:
        this.#options.collect(undefined, noteOf(event, now));
        return;
    }
  }

  #showConnection(event: Extract<SessionEvent, { readonly type: 'state' }>, now: number): void {
    const { state, before } = event;
    this.#options.dispatch({ type: 'connection', connection: connectionOf(state) });
    if (state.status !== 'open') this.#options.dispatch({ type: 'round-trip', roundTripMs: undefined });
    if (state.status === 'open') this.#options.dispatch({ type: 'renamed', name: this.#options.client.name });
    // The status line counts; the conversation says once that it was lost and once that it is back.
    if (before.status === 'reconnecting' && state.status === 'reconnecting') {
      this.#options.pulse.beat();
      return;
    }
    if (state.status === 'reconnecting') {
      this.#options.collect(undefined, note(`disconnected: ${errorText(state.error)}`, now, 'problem'));
    } else this.#options.collect(undefined, noteOf(event, now));
    if (state.status === 'closed') this.#options.leave();
    this.#options.pulse.beat(true);
  }
}

function connectionOf(state: ClientState): ScreenState['connection'] {
  switch (state.status) {
    case 'reconnecting': {
      const { attempt, nextAt, error } = state;
      return { status: 'reconnecting', attempt, nextAt, reason: errorText(error) };
    }
    case 'closed':
      return { status: 'closed', reason: errorText(state.reason) };
    case 'open':
      return { status: 'open' };
    default:
      return { status: 'connecting' };
  }
}
