/**
 * Between the session, the keys and what is shown: does what keys ask for, and tells the state what became of
 * it.
 *
 * Everything that comes is collected and reduced once for each frame, so a flood costs no more than a frame.
 *
 * Longer than most files here: each key and each event is a case of a line or two.
 */
import type { ChatClient, Room } from '@chat/client';
import { type MessageItem, parseCommand } from '@chat/client/timeline';
import type { SteadyClock } from '../../clock.js';
import { ChatSession } from '../../session/session.js';
import { layoutFor, type ScreenSize } from '../rows/layout.js';
import { isAtTop } from '../rows/message-pane.js';
import { type Note, note } from '../rows/note.js';
import {
  currentConversation,
  initialState,
  NOWHERE,
  reduce,
  type ScreenEvent,
  type ScreenState,
} from '../state/screen-state.js';
import type { Key } from '../terminal/keyboard.js';
import { Conversations } from './conversations.js';
import { FrameClock } from './frame-clock.js';
import { Incoming } from './incoming.js';
import { bindKey, type Task } from './key-binding.js';
import { Pulse } from './pulse.js';
import { Sending } from './sending.js';

/** The world around the controller. */
export interface ControllerOptions {
  readonly client: ChatClient;
  /** The server, as people write it. */
  readonly server: string;
  readonly history: number;
  readonly size: ScreenSize;
  readonly clock: SteadyClock;
  readonly draw: (state: ScreenState) => void;
  /** Somebody says something; `isDirect`: to this user alone. */
  readonly hear: (message: MessageItem, isDirect: boolean) => void;
  /** Draws everything anew. */
  readonly redraw: () => void;
  readonly suspend: () => void;
  /** The user leaves, or the client was closed. */
  readonly leave: () => void;
}

const KEYS_HELP = [
  'Keys: Tab completes · Up/Down earlier lines · PageUp/PageDown scroll · Esc back to the newest',
  'Alt-1…9, Ctrl-N, Ctrl-P other rooms · Alt-A next unread · Alt-R sends again what failed, Alt-X drops it',
  'Ctrl-R reconnects now · Ctrl-L redraws · Ctrl-C leaves',
].join('\n');

export class ScreenController {
  readonly #options: ControllerOptions;
  readonly #client: ChatClient;
  readonly #session: ChatSession;
  readonly #frames: FrameClock;
  readonly #conversations: Conversations;
  readonly #sending: Sending;
  readonly #pulse: Pulse;
  readonly #incoming: Incoming;
  #joining = 0;
  #state: ScreenState;

  constructor(options: ControllerOptions) {
    const { client, clock, server, size, history } = options;
    this.#options = options;
    this.#client = client;
    this.#state = initialState(client.name, server, size);
    this.#frames = new FrameClock(clock, () => {
      this.#takeChanges();
      options.draw(this.#state);
    });
    this.#conversations = new Conversations({
      client,
      clock,
      isSeen: (key) => this.#isSeen(key),
      onMessage: options.hear,
      onChange: () => this.#frames.request(),
    });
    this.#sending = new Sending({
      conversations: this.#conversations,
      say: (key, words) => this.#say(words, key),
    });
    this.#pulse = new Pulse({
      client,
      clock,
      onRoundTrip: (roundTripMs) => this.dispatch({ type: 'round-trip', roundTripMs }),
      onSecond: () => {
        const isCounting = client.state.status === 'reconnecting';
        if (isCounting) this.#frames.request();
        return isCounting;
      },
    });
    this.#incoming = new Incoming({
      client,
      clock,
      conversations: this.#conversations,
      pulse: this.#pulse,
      dispatch: (event) => this.dispatch(event),
      say: (words) => this.#say(words),
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
    return this.#sending.settled();
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
    this.#takeChanges();
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
    this.#takeChanges();
    const { current: before } = this.#state;
    this.#state = reduce(this.#state, event);
    this.#turned(before);
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
    this.#conversations.stop();
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
      case 'retry':
        this.#sending.retry(this.#state.current);
        return;
      case 'discard':
        this.#sending.discard(this.#state.current);
        return;
      case 'switch':
        this.#switch(task.to);
        return;
      case 'send-paste': {
        const { paste = [], current } = this.#state;
        this.dispatch({ type: 'paste-decided' });
        this.dispatch({ type: 'scroll-to-end' });
        if (task.as === 'message') this.#sending.send(current, paste.join('\n'));
        else this.#sending.sendLines(current, paste);
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
      if (command.type === 'help') this.#say(note(KEYS_HELP));
    });
  }

  #close(key: string): void {
    this.dispatch({ type: 'left', key });
    this.#conversations.close(key);
    this.#turnSession();
  }

  #send(key: string | undefined, text: string, action = false): void {
    this.dispatch({ type: 'scroll-to-end' });
    this.#sending.send(key, text, action);
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
    if (room !== undefined) this.#conversations.enter(room as Room);
  }

  /** Shows a note, in the present conversation if none is named. */
  #say(words: Note | undefined, key = this.#state.current): void {
    if (words === undefined) return;
    this.#conversations.open(key ?? this.#state.conversations[0]?.key ?? NOWHERE).addLocal(words);
  }

  #takeChanges(): void {
    this.#state = this.#conversations.takeInto(this.#state);
  }

  /** A user who scrolled up does not see what comes at the bottom. */
  #isSeen(key: string): boolean {
    const conversation = currentConversation(this.#state);
    return conversation === undefined || (conversation.key === key && conversation.scroll === undefined);
  }

  /**
   * The newest of what the user looks at is read, and what the user turned away from needs no mark any more.
   */
  #turned(before: string | undefined): void {
    const { current } = this.#state;
    if (current !== undefined && this.#isSeen(current)) this.#conversations.get(current)?.markRead();
    if (before === undefined || before === current) return;
    const left = this.#conversations.get(before);
    left?.typing(false);
    if (left?.snapshot.unread === 0) left.clearMark();
    if (before === NOWHERE) this.#conversations.close(NOWHERE);
  }

  #tellTyping(): void {
    const { current, input } = this.#state;
    const isWriting = input.text !== '' && !input.text.startsWith('/');
    if (current !== undefined) this.#conversations.get(current)?.typing(isWriting);
  }

  #loadOlder(): void {
    const conversation = currentConversation(this.#state);
    if (conversation?.kind !== 'room' || !isAtTop(conversation, layoutFor(this.#state.size).pane)) return;
    const { key } = conversation;
    const timeline = this.#conversations.get(key);
    void timeline?.loadOlder().then(
      () => timeline.snapshot.atStart && this.dispatch({ type: 'beginning', key }),
      () => {}, // Away, or not a member any more: scrolling up again tries again.
    );
  }
}

/** A conversation that mentions the user comes before one that does not. */
function bestUnread({ conversations }: ScreenState): number {
  const mentioned = conversations.findIndex((conversation) => conversation.mentioned);
  return mentioned !== -1 ? mentioned : conversations.findIndex(({ snapshot }) => snapshot.unread > 0);
}
