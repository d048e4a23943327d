/**
 * Takes the events of the session to their place on the screen.
 */
import type { ChatClient, ClientState, Clock } from '@chat/client';
import { errorText, type SessionEvent } from '../../session/session.js';
import { type Note, note, noteOf } from '../rows/note.js';
import type { ScreenEvent, ScreenState } from '../state/screen-state.js';
import type { Conversations } from './conversations.js';
import type { Pulse } from './pulse.js';

/** The part of the screen that {@link Incoming} needs. */
export interface IncomingOptions {
  readonly client: ChatClient;
  readonly clock: Clock;
  readonly conversations: Conversations;
  readonly pulse: Pulse;
  readonly dispatch: (event: ScreenEvent) => void;
  /** Shows a note in the present conversation. */
  readonly say: (note: Note | undefined) => void;
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
    const { clock, conversations, dispatch, say } = this.#options;
    const now = clock.now();
    switch (event.type) {
      case 'message': // The timeline of the room has these.
      case 'notice':
        return;
      case 'direct':
        conversations.open(`@${event.message.to ?? event.message.sender.name}`).add(event.message);
        return;
      case 'unreadable':
        if (event.message.room === undefined)
          conversations.open(`@${event.message.sender.name}`).add(event.message);
        return;
      case 'gap':
        if (event.gap.room === undefined) say(noteOf(event, now));
        return;
      case 'state':
        this.#showConnection(event, now);
        return;
      case 'room':
        if (event.room === undefined) {
          say(noteOf(event, now));
          return;
        }
        this.#options.enter(event.room);
        return;
      case 'room-left':
        dispatch({ type: 'left', key: event.room });
        conversations.close(event.room);
        say(noteOf(event, now));
        return;
      case 'rooms':
        dispatch({ type: 'rooms-known', rooms: event.page.rooms.map(({ room }) => room) });
        say(noteOf(event, now));
        return;
      case 'renamed':
        dispatch({ type: 'renamed', name: event.name });
        say(noteOf(event, now));
        return;
      case 'ping':
        dispatch({ type: 'round-trip', roundTripMs: event.roundTripMs });
        say(noteOf(event, now));
        return;
      case 'quit':
        this.#options.leave();
        return;
      case 'waiting': // It is seen that it waits.
      case 'direct-sent':
        return;
      default:
        say(noteOf(event, now));
        return;
    }
  }

  #showConnection(event: Extract<SessionEvent, { readonly type: 'state' }>, now: number): void {
    const { client, dispatch, pulse, say } = this.#options;
    const { state, before } = event;
    dispatch({ type: 'connection', connection: connectionOf(state) });
    if (state.status !== 'open') dispatch({ type: 'round-trip', roundTripMs: undefined });
    if (state.status === 'open') dispatch({ type: 'renamed', name: client.name });
    // The status line counts; the conversation says once that it was lost and once that it is back.
    if (before.status === 'reconnecting' && state.status === 'reconnecting') {
      pulse.beat();
      return;
    }
    if (state.status === 'reconnecting') {
      say(note(`disconnected: ${errorText(state.error)}`, 'problem'));
    } else say(noteOf(event, now));
    if (state.status === 'closed') this.#options.leave();
    pulse.beat(true);
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
