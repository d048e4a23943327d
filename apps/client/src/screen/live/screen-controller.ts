/**
 * Between the session, the keys and what is shown: does what keys ask for, and tells the state what became of it.
 *
 * Everything that comes is collected and reduced once for each frame, so a flood costs no more than a frame.
 */
import type { ChatClient, Clock, Room } from '@chat/client';
import { parseCommand } from '../../session/command.js';
import { ChatSession } from '../../session/session.js';
import { layoutFor, type ScreenSize } from '../rows/layout.js';
import { isAtTop } from '../rows/message-pane.js';
import type { Item } from '../state/conversation.js';
import {
  currentConversation,
  initialState,
  reduce,
  type ScreenEvent,
  type ScreenState,
} from '../state/screen-state.js';
import type { Key } from '../terminal/keyboard.js';
import { Collector } from './collector.js';
import { FrameClock } from './frame-clock.js';
import { Incoming } from './incoming.js';
import { bindKey, type Task } from './key-binding.js';
import { OlderEntries } from './older-entries.js';
import { Outgoing } from './outgoing.js';
import { Pulse } from './pulse.js';
import { RoomWatch } from './room-watch.js';
import { note } from './screen-events.js';
import { OwnTyping } from './typing.js';

/** What the controller needs of the world. */
export interface ControllerOptions {
  readonly client: ChatClient;
  /** The server, as people write it. */
  readonly server: string;
  readonly history: number;
  readonly size: ScreenSize;
  readonly clock: Clock;
  readonly draw: (state: ScreenState) => void;
  /** Draws everything anew. */
  readonly redraw: () => void;
  readonly suspend: () => void;
  /** The user leaves, or the client was closed. */
  readonly leave: () => void;
}

const KEYS_HELP = [
  'Keys: Tab completes · Up/Down earlier lines · PageUp/PageDown scroll · Esc back to the newest',
  'Alt-1…9, Ctrl-N, Ctrl-P other rooms · Alt-A next unread · Ctrl-R reconnect now · Ctrl-L redraw · Ctrl-C leave',
].join('\n');

export class ScreenController {
  readonly #options: ControllerOptions;
  readonly #client: ChatClient;
  readonly #clock: Clock;
  readonly #session: ChatSession;
  readonly #frames: FrameClock;
  readonly #ownTyping = new OwnTyping();
  readonly #older: OlderEntries;
  readonly #rooms: RoomWatch;
  readonly #pulse: Pulse;
  readonly #incoming: Incoming;
  readonly #collector: Collector;
  readonly #outgoing: Outgoing;
  #joining = 0;
  #state: ScreenState;

  constructor(options: ControllerOptions) {
    const { client, clock, server, size, history } = options;
    this.#options = options;
    this.#client = client;
    this.#clock = clock;
    this.#state = initialState(client.name, server, size);
    this.#frames = new FrameClock(clock, () => {
      this.#takeCollected();
      options.draw(this.#state);
    });
    this.#older = new OlderEntries((key, items) => this.dispatch({ type: 'older', key, items }));
    this.#collector = new Collector(client);
    this.#outgoing = new Outgoing({
      client,
      clock,
      dispatch: (event) => this.dispatch(event),
      isPending: (key, pendingKey) => this.#isPending(key, pendingKey),
    });
    this.#rooms = new RoomWatch({
      clock,
      onMembers: (room) => {
        this.#collector.membersChanged(room);
        this.#frames.request();
      },
      onTypists: (key, names) => {
        this.dispatch({ type: 'typists', key, names });
        if (names.length > 0) this.#pulse.beat();
      },
    });
    this.#pulse = new Pulse({
      client,
      clock,
      onRoundTrip: (roundTripMs) => this.dispatch({ type: 'round-trip', roundTripMs }),
      onSecond: () => {
        const isCounting = this.#rooms.expire() || client.state.status === 'reconnecting';
        if (isCounting) this.#frames.request();
        return isCounting;
      },
    });
    this.#incoming = new Incoming({
      client,
      clock,
      older: this.#older,
      pulse: this.#pulse,
      rooms: this.#rooms,
      dispatch: (event) => this.dispatch(event),
      collect: (key, item) => this.#collect(key, item),
      enter: (room) => this.#enter(room),
      leave: options.leave,
    });
    this.#session = new ChatSession(client, { history, show: (event) => this.#incoming.show(event) });
    this.#pulse.beat(true);
  }

  get state(): ScreenState {
    return this.#state;
  }

  /** Resolved when every message that is under way now has an outcome. */
  settled(): Promise<void> {
    return this.#outgoing.settled();
  }

  /** Joins a room and turns to it. A failure is shown. */
  async join(room: string): Promise<void> {
    this.#joining++;
    try {
      await this.#session.join(room);
    } catch (error) {
      this.#incoming.show({ type: 'failed', what: `cannot join ${room}`, error });
    } finally {
      this.#joining--;
    }
  }

  /** Takes a key. */
  press(key: Key): void {
    this.#takeCollected();
    const binding = bindKey(key, this.#state);
    if (binding === undefined) return;
    if ('task' in binding) this.#do(binding.task);
    else this.dispatch(binding.event);
    if (!('event' in binding)) return;
    if (binding.event.type === 'edit') this.#tellTyping();
    if (binding.event.type === 'scroll' && binding.event.direction === -1) this.#loadOlder();
  }

  /** Changes what is shown, and draws it soon. */
  dispatch(event: ScreenEvent): void {
    this.#takeCollected();
    this.#state = reduce(this.#state, event);
    this.#frames.request();
  }

  /** Draws at once. */
  draw(): void {
    this.#frames.flush();
  }

  /** Ends timers; nothing is drawn any more. */
  stop(): void {
    this.#frames.stop();
    this.#pulse.stop();
    this.#ownTyping.stop();
    this.#outgoing.stop();
  }

  #do(task: Task): void {
    switch (task.type) {
      case 'submit':
        this.#submit();
        return;
      case 'interrupt':
        if (this.#state.input.text === '') {
          this.#options.leave();
          return;
        }
        this.dispatch({ type: 'edit', edit: { type: 'end' } });
        this.dispatch({ type: 'edit', edit: { type: 'delete-to-home' } });
        return;
      case 'end':
        if (this.#state.input.text === '') {
          this.#options.leave();
          return;
        }
        this.dispatch({ type: 'edit', edit: { type: 'delete-right' } });
        return;
      case 'suspend':
        this.#options.suspend();
        return;
      case 'redraw':
        this.#options.redraw();
        return;
      case 'reconnect':
        this.#client.reconnectNow();
        return;
      case 'switch':
        this.#switch(task.to);
        return;
      case 'send-paste': {
        const { paste = [], current } = this.#state;
        this.dispatch({ type: 'paste-decided' });
        if (task.as === 'message') this.#send(current, paste.join('\n'));
        else this.#outgoing.sendLines(current, paste);
      }
    }
  }

  #submit(): void {
    const { input, current } = this.#state;
    const line = input.text;
    const names = this.#state.conversations.flatMap(({ members }) => members);
    const command = parseCommand(line, names);
    this.dispatch({ type: 'submitted' });
    switch (command.type) {
      case 'nothing':
        this.dispatch({ type: 'scroll-to-end' });
        return;
      case 'quit':
        this.#options.leave();
        return;
      case 'text':
        this.#send(current, command.text);
        return;
      case 'me':
        this.#send(current, command.text, true);
        return;
      case 'msg': {
        const key = `@${command.to}`;
        this.dispatch({ type: 'entered', key });
        this.#send(key, command.text);
        return;
      }
      case 'leave':
        if (command.room === undefined && current?.startsWith('@')) {
          this.#close(current);
          return;
        }
        if (command.room?.startsWith('@')) {
          this.#close(command.room);
          return;
        }
        break;
      case 'join':
        void this.join(command.room);
        return;
      default:
    }
    void this.#session.submit(line).then(() => {
      if (command.type === 'help') this.#collect(undefined, note(KEYS_HELP, this.#clock.now()));
    });
  }

  #close(key: string): void {
    this.dispatch({ type: 'left', key });
    this.#turnSession();
  }

  #send(key: string | undefined, text: string, action = false): void {
    this.#ownTyping.sent();
    this.#outgoing.send(key, text, action);
  }

  #isPending(key: string, pendingKey: number): boolean {
    this.#takeCollected();
    const conversation = this.#state.conversations.find((known) => known.key === key);
    return conversation?.pending.some((pending) => pending.key === pendingKey) === true;
  }

  #switch(to: number | 'next' | 'previous' | 'unread'): void {
    const { conversations, current } = this.#state;
    const at = conversations.findIndex(({ key }) => key === current);
    const count = conversations.length;
    const index =
      to === 'next'
        ? (at + 1) % count
        : to === 'previous'
          ? (at + count - 1) % count
          : to === 'unread'
            ? bestUnread(this.#state)
            : to;
    const conversation = conversations[index];
    if (conversation === undefined || conversation.key === current) return;
    this.#ownTyping.stop();
    this.dispatch({ type: 'entered', key: conversation.key });
    this.#turnSession();
  }

  /** Commands without a room mean the one that is seen. */
  #turnSession(): void {
    const { current } = this.#state;
    if (current !== undefined && this.#client.joined.has(current)) void this.join(current);
  }

  #enter(name: string): void {
    const { current } = this.#state;
    // A room that was left while a user is being written to changes nothing that is seen.
    if (this.#joining > 0 || current === undefined || !current.startsWith('@')) {
      if (current !== name) this.dispatch({ type: 'entered', key: name });
    }
    const room = this.#client.joined.get(name);
    if (room !== undefined) this.#rooms.watch(room);
    this.#collector.membersChanged(name);
    this.#frames.request();
  }

  #collect(key: string | undefined, item: Item | undefined): void {
    if (item === undefined) return;
    this.#collector.add(key, item);
    if (this.#collector.isFull) this.#takeCollected();
    this.#frames.request();
  }

  #takeCollected(): void {
    this.#state = this.#collector.takeInto(this.#state);
  }

  #tellTyping(): void {
    const { current, input } = this.#state;
    const room = current === undefined ? undefined : this.#client.joined.get(current);
    if (room === undefined || input.text === '' || input.text.startsWith('/')) this.#ownTyping.stop();
    else this.#ownTyping.goesOn(room as Room, this.#clock.now());
  }

  #loadOlder(): void {
    const conversation = currentConversation(this.#state);
    const room = conversation && this.#client.joined.get(conversation.key);
    if (room === undefined || !isAtTop(conversation!, layoutFor(this.#state.size).pane)) return;
    void this.#older.load(room as Room, this.#state.me);
  }
}

/** Where somebody speaks of the user before where others speak. */
function bestUnread({ conversations }: ScreenState): number {
  const mentioned = conversations.findIndex((conversation) => conversation.mentioned);
  return mentioned !== -1 ? mentioned : conversations.findIndex(({ unread }) => unread > 0);
}
