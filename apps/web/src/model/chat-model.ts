/**
 * The state of the page: whether it is connected, the conversations, and which one is looked at.
 *
 * It listens to a `@chat/client` and turns its events into conversations; the interface draws the state and
 * calls its methods. It touches no document, so it is tested without one. Longer than most files here,
 * since each thing that a user can do is a method, most of a line or two.
 */
import {
  type ChatClient,
  type ClientError,
  ClientErrorCode,
  type ClientState,
  type ConnectOptions,
  type DirectMessage,
  type Gap,
  type Room,
  type RoomsPage,
  type SearchHit,
} from '@chat/client';
import {
  isAmong,
  type MessageItem,
  type ModerationCommand,
  mentionsIn,
  REACTIONS_FEATURE,
  READS_FEATURE,
  RICH_FEATURE,
  readRich,
} from '@chat/client/timeline';
import { LOBBY, type Member } from '@chat/protocol';
import { type PageClock, pageClock, signIn } from '../sign-in/sign-in.js';
import { calmText } from '../text/calm-text.js';
import { explain } from '../text/explain.js';
import { type CommandHost, type LineOutcome, TypedCommands } from './acting/typed-commands.js';
import { type Announcement, Announcements } from './announcements.js';
import type { Conversation, PageItem, RoomConversation, Watch } from './conversation.js';
import { ConversationList } from './conversation-list.js';
import { Excerpt } from './excerpt.js';
import { type NotificationPort, Notifications } from './notifications.js';
import type { Preferences } from './preferences.js';
import { Search } from './search.js';
import { Writing } from './writing.js';

/** The surroundings of the model; replaced in tests. */
export interface ChatModelOptions {
  readonly createClient: (url: string, options: ConnectOptions) => ChatClient;
  readonly preferences: Preferences;
  /** Calls `draw` soon, once for many changes. */
  readonly schedule: (draw: () => void) => void;
  /** Finds out why a server cannot be connected to; a sentence for people. */
  readonly diagnose?: (server: string) => Promise<string | undefined>;
  /** Whether somebody looks at the page. */
  readonly isVisible: () => boolean;
  /** Notifications of the system. @defaultValue there are none */
  readonly notifications?: NotificationPort | undefined;
  readonly clock?: PageClock;
}

/** The part of the page that the user sees. */
export type Phase = 'signed-out' | 'connecting' | 'chatting';

const JOIN_HISTORY = 60;
const MEMBERS_PAGE = 200;

export class ChatModel {
  readonly #options: ChatModelOptions;
  readonly #listeners = new Set<() => void>();
  readonly #list: ConversationList;
  #client: ChatClient | undefined;
  readonly #announcements = new Announcements();
  readonly #commands = new TypedCommands();
  #drawing = false;

  readonly writing = new Writing((conversation, error) => {
    if (this.active === conversation) this.#announce(`Not sent. ${explain(error)}`);
  });
  readonly search = new Search(
    (query, options) => this.#client?.search(query, options),
    () => this.#changed(),
  );
  readonly notifications: Notifications;
  phase: Phase = 'signed-out';
  /** URL of the server. */
  server = '';
  /** Why there is no connection, for the form. */
  problem: string | undefined;
  /** Whether the server has asked for a password. */
  wantsPassword = false;
  /** Of the connection; `idle` without one. */
  state: ClientState = { status: 'idle' };

  constructor(options: ChatModelOptions) {
    this.#options = options;
    const { notifications, preferences } = options;
    this.notifications = new Notifications(notifications, preferences, () => this.#changed());
    this.#list = new ConversationList((conversation) => this.#watch(conversation as Conversation));
  }

  /** Names of everybody else who is known. */
  get names(): readonly string[] {
    const members = this.#list.rooms.flatMap(({ room }) => [...(room?.members?.values() ?? [])]);
    return [...new Set(members.map(({ name }) => name))].filter((name) => name !== this.name);
  }

  /** Of the log of the server now. */
  get epoch(): string {
    return this.#client?.epoch ?? '';
  }

  /** Own name, as the server knows it. */
  get name(): string {
    return this.#client?.name ?? '';
  }

  get conversations(): readonly Conversation[] {
    return this.#list.all;
  }

  /** The conversation that is looked at. */
  get active(): Conversation | undefined {
    return this.#list.active;
  }

  /** Sentences that assistive technology is to say. */
  get announcements(): readonly Announcement[] {
    return this.#announcements.all;
  }

  /** Unread messages of all conversations. */
  get unread(): number {
    return this.#list.unread;
  }

  /** Calls `listener` after changes. @returns a function that ends this */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Connects and joins the rooms of the last visit, or the lobby.
   *
   * @param password kept in this page alone, and gone with it
   * @param again whether this goes on after a reload, when the name may still be held for the page before
   */
  async connect(server: string, name: string, { again = false, password = '' } = {}): Promise<void> {
    if (this.phase !== 'signed-out') return;
    this.phase = 'connecting';
    this.problem = undefined;
    this.server = server;
    this.#changed();
    const { createClient, diagnose, clock = pageClock } = this.#options;
    const outcome = await signIn({
      begin: () => {
        const client = createClient(server, {
          name,
          agent: 'chat-web',
          features: [RICH_FEATURE, REACTIONS_FEATURE, READS_FEATURE],
          ...(password !== '' && { credentials: { password } }),
        });
        this.#client = client;
        this.#listen(client);
        return client;
      },
      isWanted: (client) => this.#client === client,
      again,
      onHeld: () => {
        this.problem = 'The server still keeps your name from before. Trying again…';
        this.#changed();
      },
      diagnose: async () => diagnose?.(server),
      clock,
    });
    if (outcome === undefined) return;
    if ('problem' in outcome) {
      this.wantsPassword = outcome.wantsPassword || this.wantsPassword;
      this.#signOut(outcome.problem);
      return;
    }
    this.phase = 'chatting';
    this.problem = undefined;
    this.#options.preferences.name = this.name;
    this.#options.preferences.visit = { server, name: this.name };
    const rooms = this.#options.preferences.rooms(server) ?? [];
    for (const room of rooms.length > 0 ? rooms : [LOBBY]) this.#list.openRoom(room);
    this.show(this.conversations[0]);
    await Promise.all(this.#list.rooms.map((conversation) => this.#join(conversation)));
  }

  /** Says goodbye. The conversations are forgotten here. */
  disconnect(): void {
    this.#options.preferences.visit = undefined;
    const client = this.#client;
    this.#signOut(undefined);
    void client?.close();
  }

  /** Says goodbye because the page goes away; coming back is another visit. */
  async suspend(): Promise<void> {
    await this.#client?.close();
  }

  /** Makes the next attempt to connect now. */
  reconnectNow(): void {
    this.#client?.reconnectNow();
  }

  /** Looks at a conversation. */
  show(conversation: Conversation | undefined): void {
    this.#list.look(conversation);
    this.markRead();
    this.#changed();
  }

  /** The user looks at the active conversation. */
  markRead(): void {
    const { active } = this;
    if (active && this.#isSeen(active)) active.timeline.markRead();
  }

  /**
   * Joins a room and looks at it. @throws ClientError when it cannot be joined; then nothing is shown of it
   */
  async join(name: string): Promise<void> {
    const wanted = name.trim();
    const present = this.#list.room(wanted);
    if (present && !present.error) return this.show(present);
    const room = await this.#client?.join(wanted, { history: JOIN_HISTORY });
    if (!room) return;
    // The server may spell it differently.
    const conversation = this.#list.openRoom(room.name);
    this.#attach(conversation, room);
    this.#rememberRooms();
    this.show(conversation);
  }

  /** Begins private words with somebody. */
  talkTo(name: string): void {
    if (this.#client) this.show(this.#list.openDirect(name, this.#client));
  }

  /** Leaves a room, or puts private words away. */
  async leave(conversation: Conversation): Promise<void> {
    this.#list.close(conversation);
    this.markRead();
    this.#rememberRooms();
    this.#changed();
    if (conversation.kind === 'room') await conversation.room?.leave().catch(() => {});
  }

  /** Takes another name. @throws ClientError when the server does not grant it */
  async rename(name: string): Promise<void> {
    await this.#client?.rename(name);
  }

  /** Rooms of the server whose names begin so. */
  async listRooms(prefix: string): Promise<RoomsPage> {
    const page = await this.#client?.rooms({ limit: 50, ...(prefix && { prefix }) });
    return page ?? { rooms: [] };
  }

  /** Reads on backwards. */
  async loadOlder(conversation: Conversation): Promise<void> {
    // After a failure scrolling asks again.
    if (this.state.status === 'open') await conversation.timeline.loadOlder().catch(() => {});
  }

  /** Looks at a message that was found, and what was said around it. */
  showHit(hit: SearchHit): void {
    const conversation = this.#list.room(hit.room);
    if (!conversation?.room) {
      this.#announce(`You are not in ${hit.room} any more.`);
      return;
    }
    conversation.excerpt = new Excerpt(conversation.room, hit, () => this.#changed());
    void conversation.excerpt.open();
    this.show(conversation);
  }

  /** Looks at the newest messages of a room again. */
  toNewest(conversation: RoomConversation): void {
    conversation.excerpt = undefined;
    this.markRead();
    this.#changed();
  }

  /** Does what a line that begins with a slash asks for. */
  type(conversation: Conversation, line: string): Promise<LineOutcome> {
    return this.#commands.run(this.#hostOf(conversation), line);
  }

  /** Does what a moderator has chosen. @throws ClientError what the server refused */
  moderate(conversation: Conversation, command: ModerationCommand): Promise<void> {
    return this.#commands.moderate(this.#hostOf(conversation), command);
  }

  /** Begins to change an own message, or gives that up. */
  edit(conversation: Conversation, item: MessageItem | undefined): void {
    conversation.editing = item;
    conversation.answering = undefined;
    this.#changed();
  }

  /** Begins to answer a message, or gives that up. */
  answer(conversation: Conversation, item: MessageItem | undefined): void {
    conversation.answering = item;
    conversation.editing = undefined;
    this.#changed();
  }

  /** Looks at a message of a room by its position, and at what was said around it. */
  showPosition({ name: room }: Conversation, seq: number): void {
    const id = `${this.epoch}-${seq}`;
    this.showHit({ id, room, seq, at: 0, sender: { id: 0, name: '' }, snippet: '', marks: [] });
  }

  /** Gives a message another text, or takes it back. @throws ClientError what the server refused */
  async correct(conversation: Conversation, { seq }: MessageItem, text: string | undefined): Promise<void> {
    const where = { room: conversation.name, seq };
    await this.#client?.moderate(
      text === undefined ? { op: 'take-back', ...where } : { op: 'edit', ...where, text },
    );
  }

  /** Whether the user is among those who react to a message. */
  isAmong({ timeline }: Conversation, by: readonly Member[]): boolean {
    const me = { id: this.#client?.id, name: this.name };
    return isAmong(by, me, timeline.snapshot.about.role);
  }

  /** Reacts to a message, or takes that back. What the server refuses is told. */
  async react(
    conversation: Conversation,
    { seq, reactions = [] }: MessageItem,
    reaction: string,
  ): Promise<void> {
    const by = reactions.find((one) => one.reaction === reaction)?.by ?? [];
    const remove = this.isAmong(conversation, by);
    try {
      await this.#client?.moderate({ op: 'react', room: conversation.name, seq, reaction, remove });
    } catch (error) {
      conversation.timeline.addLocal({ tone: 'problem', text: explain(error) });
    }
  }

  /** Gets to know more members of a room. */
  async loadMembers(conversation: RoomConversation): Promise<void> {
    await conversation.room?.loadMembers({ limit: MEMBERS_PAGE }).catch(() => {});
    this.#changed();
  }

  #listen(client: ChatClient): void {
    const mine =
      <Value>(listener: (value: Value) => void) =>
      (value: Value): void => {
        if (this.#client === client) listener(value);
      };
    client.on(
      'state',
      mine((state) => this.#onState(state)),
    );
    client.on(
      'direct',
      mine((message) => this.#onDirect(client, message)),
    );
    client.on(
      'gap',
      mine((gap) => this.#onGap(gap)),
    );
    client.on(
      'renamed',
      mine(({ name }) => this.#onRenamed(name)),
    );
    client.on(
      'room-lost',
      mine(({ room, error }) => this.#onRoomLost(room, error)),
    );
  }

  #onState(state: ClientState): void {
    const before = this.state.status;
    this.state = state;
    if (state.status === 'closed' && this.phase === 'chatting') {
      // A user that was removed does not come back by loading the page again.
      if (state.reason.code !== ClientErrorCode.Closed) this.#options.preferences.visit = undefined;
      this.wantsPassword ||= state.reason.code === ClientErrorCode.Unauthorized;
      this.#signOut(explain(state.reason));
      return;
    }
    if (state.status === 'reconnecting' && before === 'open') this.#announce('Connection lost.');
    if (state.status === 'open' && before === 'reconnecting') this.#announce('Connected again.');
    this.#changed();
  }

  #onDirect(client: ChatClient, message: DirectMessage): void {
    this.#list.openDirect(message.to ?? message.sender.name, client).timeline.add(message);
  }

  #onGap(gap: Gap): void {
    if (gap.room !== undefined) return; // The room tells itself, in its place.
    for (const conversation of this.conversations) {
      if (conversation.kind === 'direct') conversation.timeline.add(gap);
    }
  }

  #onRenamed(name: string): void {
    this.#options.preferences.name = name;
    this.#options.preferences.visit = { server: this.server, name };
    this.#changed();
  }

  #onRoomLost(room: string, error: ClientError): void {
    const conversation = this.#list.room(room);
    if (!conversation) return;
    conversation.lose(error);
    this.#changed();
  }

  async #join(conversation: RoomConversation): Promise<void> {
    const client = this.#client;
    try {
      const room = await client?.join(conversation.name, { history: JOIN_HISTORY });
      if (!room || this.#client !== client) return;
      if (this.#list.has(conversation)) this.#attach(conversation, room);
      // It was left before it was in.
      else if (!this.#list.room(room.name)) await room.leave();
    } catch (error) {
      if (this.#client !== client) return;
      conversation.lose(error as Error);
    }
    this.#changed();
  }

  #attach(conversation: RoomConversation, room: Room): void {
    if (conversation.room === room) return;
    conversation.enter(room);
    room.on('members', () => this.#changed());
    room.on('message', (message) => this.#commands.note(message));
    room.on('unreadable', (unreadable) => {
      const message = readRich<string>(unreadable);
      if (message.type === 'message') this.#commands.note(message);
    });
    room.on('notice', (notice) => {
      this.#commands.changed(notice);
      const { oldName, member } = notice;
      if (oldName !== undefined) this.#list.rename(oldName, member.name);
    });
  }

  /** The page, as far as what is typed in a conversation is about it. */
  #hostOf(conversation: Conversation): CommandHost {
    const open = (name: string | undefined): Conversation | undefined =>
      name === undefined ? conversation : this.#list.room(name);
    return {
      client: this.#client,
      room: conversation.kind === 'room' ? conversation.room : undefined,
      names: this.names,
      tell: (words) => conversation.timeline.addLocal(words),
      send: (text) => this.writing.send(conversation, text),
      whisper: (to, text) => {
        this.talkTo(to);
        if (this.active) this.writing.send(this.active, text);
      },
      join: (room) => this.join(room),
      leave: async (name) => {
        const left = open(name);
        if (left) await this.leave(left);
        return left !== undefined;
      },
      disconnect: () => this.disconnect(),
    };
  }

  #watch(conversation: Conversation): ReturnType<Watch> {
    return {
      ...(this.#client && { client: this.#client }),
      isSeen: () => this.#isSeen(conversation),
      onItem: (item) => this.#arrived(conversation, item, this.active === conversation),
      self: () => ({ id: this.#client?.id ?? 0, name: this.name }),
      onChange: () => this.#changed(),
    };
  }

  /** Whether the user sees what arrives there. */
  #isSeen(conversation: Conversation): boolean {
    const looksAtPast = conversation.kind === 'room' && conversation.excerpt !== undefined;
    return this.active === conversation && !looksAtPast && this.#options.isVisible();
  }

  #arrived(conversation: Conversation, item: PageItem, isActive: boolean): void {
    if (item.kind !== 'message' || item.own || item.history) return;
    this.#notify(conversation, item);
    if (isActive) this.#announce(`${item.sender.name}: ${item.value.slice(0, 200)}`);
    else if (conversation.kind === 'direct') this.#announce(`Private message from ${item.sender.name}.`);
  }

  /** Draws the attention of the user to what speaks of them, or to them alone. */
  #notify(conversation: Conversation, { sender, value }: MessageItem): void {
    const isDirect = conversation.kind === 'direct';
    if (!isDirect && mentionsIn(value, this.name).length === 0) return;
    const news = {
      tag: conversation.id,
      title: isDirect ? sender.name : `${sender.name} in ${conversation.name}`,
      body: calmText(value.slice(0, 200)),
      open: () => this.#list.has(conversation) && this.show(conversation),
    };
    this.notifications.hear(news, this.#options.isVisible());
  }

  #rememberRooms(): void {
    const rooms = this.#list.rooms.map(({ name }) => name);
    this.#options.preferences.setRooms(this.server, rooms);
  }

  #signOut(problem: string | undefined): void {
    this.#client = undefined;
    this.writing.clear();
    this.search.clear();
    this.#list.clear();
    this.#announcements.clear();
    this.state = { status: 'idle' };
    this.phase = 'signed-out';
    this.problem = problem;
    this.#changed();
  }

  #announce(text: string): void {
    this.#announcements.say(text);
    this.#changed();
  }

  #changed(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    this.#options.schedule(() => {
      this.#drawing = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
