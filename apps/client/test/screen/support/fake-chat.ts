/** A screen over a client with one room, in which a test says what happens. */
import type { ChatClient, DirectMessage, Sent } from '@chat/client';
import { FakeRoom, message } from '../../../../../packages/client/test/support/fake-room.js';
import { ScreenController } from '../../../src/screen/live/screen-controller.js';
import type { Conversation } from '../../../src/screen/state/conversation.js';
import { currentConversation, type ScreenState } from '../../../src/screen/state/screen-state.js';
import { ManualClock } from './manual-clock.js';

class Lobby extends FakeRoom {
  readonly members: ReadonlyMap<number, unknown> = new Map();
  readonly memberCount: number = 2;
}

/** What a test does, and what is on the screen then. */
export class FakeChat {
  readonly clock: ManualClock = new ManualClock();
  readonly room: FakeRoom = new Lobby();
  readonly joined: Map<string, unknown> = new Map();
  readonly controller: ScreenController;
  readonly #listeners = new Map<string, (value: never) => unknown>();
  /** Every state that was drawn, in order. */
  readonly frames: ScreenState[] = [];
  hasLeft = false;
  /** One text for each message that the bell was told of. */
  readonly heard: string[] = [];
  /** What a direct message comes to. */
  direct: () => Promise<Sent> = () => Promise.reject(new Error('no such user'));

  constructor() {
    const client = {
      ...{ name: 'ada', id: 1, url: 'tcp://localhost:1', state: { status: 'open', resumed: false } },
      joined: this.joined,
      on: (event: string, listener: (value: never) => unknown) => {
        this.#listeners.set(event, listener);
        return () => {};
      },
      markRead: () => Promise.resolve(),
      ping: () => Promise.resolve(1),
      direct: () => this.direct(),
      join: () => {
        this.joined.set('lobby', this.room);
        return Promise.resolve(this.room);
      },
    };
    this.controller = new ScreenController({
      client: client as unknown as ChatClient,
      server: 'localhost',
      history: 0,
      size: { columns: 100, rows: 20 },
      clock: this.clock,
      draw: (state) => this.frames.push(state),
      hear: ({ value, own }, isDirect) =>
        this.heard.push(`${isDirect ? '@' : ''}${own ? 'own ' : ''}${value}`),
      redraw: () => {},
      suspend: () => {},
      leave: () => {
        this.hasLeft = true;
      },
    });
  }

  /** A user who is in the lobby. */
  static async inLobby(): Promise<FakeChat> {
    const chat = new FakeChat();
    await chat.controller.join('lobby');
    return chat;
  }

  /** Messages of somebody else arrive. */
  hear(from: number, to: number): void {
    for (let seq = from; seq <= to; seq++) this.room.tell(message(seq, `message ${seq}`));
  }

  /** Somebody else tells this user alone. */
  hearDirect(text: string): void {
    const { room: _, ...rest } = message(1, text);
    const direct: DirectMessage = { ...rest, id: 'direct-1', type: 'direct' };
    this.#listeners.get('direct')?.(direct as never);
  }

  press(...chords: readonly string[]): void {
    for (const chord of chords) this.controller.press({ type: 'key', chord, text: '' });
  }

  /** Types a line and ends it. */
  enter(line: string): void {
    for (const text of line) this.controller.press({ type: 'key', chord: text, text });
    this.press('return');
  }

  /** Draws, and answers the conversation of that key, or the present one. */
  now(key?: string): Conversation {
    this.controller.draw();
    const { state } = this.controller;
    return (key ? state.conversations.find((known) => known.key === key) : currentConversation(state))!;
  }

  /** The texts in a conversation: messages, and notes after a star. */
  texts(key?: string): string[] {
    return this.now(key).snapshot.items.flatMap((item) => {
      if (item.kind === 'message') return [item.value];
      return item.kind === 'local' ? [`* ${item.value.lines.join(' ')}`] : [];
    });
  }
}
