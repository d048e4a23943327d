/** A client whose server does what the test says: what {@link ChatModel} needs of one, and no more. */
import type { ChatClient, ClientState, HistoryPage, Room, RoomAbout } from '@chat/client';

type AnyListener = (value: never) => unknown;

class Events {
  readonly #listeners = new Map<string, AnyListener[]>();

  readonly on = (event: string, listener: AnyListener): (() => void) => {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return () => {};
  };

  tell(event: string, value: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }
}

export class FakeRoom extends Events {
  readonly name: string;
  left = false;
  about: RoomAbout = {};
  readonly members = new Map<number, { readonly id: number; readonly name: string }>();
  readonly memberCount = 0;

  constructor(name: string) {
    super();
    this.name = name;
  }

  /** Somebody says something. */
  hear(seq: number, text: string): void {
    this.tell('message', {
      type: 'message',
      room: this.name,
      id: `e1-${seq}`,
      seq,
      prev: seq - 1,
      at: seq,
      own: false,
      history: false,
      sender: { id: 2, name: 'Grace' },
      value: text,
      codec: 1,
    });
  }

  loadMembers(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** Nothing was said before. */
  history(): Promise<HistoryPage<string>> {
    return Promise.resolve({ entries: [], end: true });
  }

  leave(): Promise<void> {
    this.left = true;
    return Promise.resolve();
  }
}

export class FakeClient extends Events {
  readonly name: string;
  readonly id = 1;
  readonly epoch = 'e1';
  /** Requests of moderators, and what the server answers to them. */
  readonly asked: unknown[] = [];
  answer: Error | object = {};
  readonly rooms = new Map<string, FakeRoom>();
  /** Joins that wait for {@link FakeClient.admit}. */
  readonly joining = new Map<string, (room: FakeRoom) => void>();
  state: ClientState = { status: 'idle' };
  closed = false;

  constructor(name: string) {
    super();
    this.name = name;
  }

  become(state: ClientState): void {
    this.state = state;
    this.tell('state', state);
  }

  connect(): Promise<void> {
    this.become({ status: 'open', resumed: false });
    return Promise.resolve();
  }

  join(name: string): Promise<Room> {
    return new Promise<FakeRoom>((resolve) => {
      this.joining.set(name, resolve);
    }) as unknown as Promise<Room>;
  }

  /** The server lets it in. */
  async admit(name: string): Promise<FakeRoom> {
    const room = new FakeRoom(name);
    this.rooms.set(name, room);
    this.joining.get(name)!(room);
    for (let i = 0; i < 5; i++) await Promise.resolve();
    return room;
  }

  moderate(request: unknown): Promise<unknown> {
    this.asked.push(request);
    return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer);
  }

  ping(): Promise<number> {
    return Promise.resolve(3.4);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  asClient(): ChatClient {
    return this as unknown as ChatClient;
  }
}
