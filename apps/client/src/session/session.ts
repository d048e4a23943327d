/**
 * Does the work of the app without its looks: lines go in, events come out.
 *
 * The front ends (lines in a terminal, lines through a pipe, a follower without input) call `submit` and show
 * what `show` is given. This class knows rooms and commands, and neither a terminal nor a colour.
 */
import type {
  ChatClient,
  ClientError,
  ClientState,
  DirectMessage,
  Gap,
  Message,
  Notice,
  Room,
  RoomsPage,
  SearchPage,
  UnreadableMessage,
} from '@chat/client';
import {
  ACTION_PREFIX,
  type Answering,
  type Command,
  carryOutModeration,
  completionsFor,
  parseCommand,
  RecentMessages,
  readRich,
} from '@chat/client/timeline';
import { printable } from '@chat/protocol/lines';

export { errorText } from './error-text.js';

/** Something to show. */
export type SessionEvent =
  | {
      readonly type: 'message';
      readonly message: Answering<Message>;
      /** Whom it answers, and what was said; absent where that is not known any more, or it is no answer. */
      readonly quote?: { readonly name: string; readonly text: string };
    }
  | { readonly type: 'direct'; readonly message: DirectMessage }
  | {
      readonly type: 'direct-sent';
      readonly to: string;
      readonly text: string;
      readonly delivery: 'delivered' | 'waiting';
    }
  | { readonly type: 'notice'; readonly notice: Notice }
  | { readonly type: 'gap'; readonly gap: Gap }
  | { readonly type: 'unreadable'; readonly message: UnreadableMessage }
  | { readonly type: 'state'; readonly state: ClientState; readonly before: ClientState }
  | { readonly type: 'waiting'; readonly text: string }
  | { readonly type: 'failed'; readonly what: string; readonly error: unknown }
  | { readonly type: 'room'; readonly room: string | undefined; readonly members: number }
  | { readonly type: 'room-left'; readonly room: string; readonly error: ClientError | undefined }
  | { readonly type: 'rooms'; readonly page: RoomsPage }
  | { readonly type: 'found'; readonly query: string; readonly page: SearchPage }
  | {
      readonly type: 'members';
      readonly room: string;
      readonly names: readonly string[];
      readonly count: number;
    }
  | { readonly type: 'renamed'; readonly name: string }
  | { readonly type: 'ping'; readonly roundTripMs: number }
  | { readonly type: 'help' }
  /** What a command of a moderator has done. */
  | { readonly type: 'done'; readonly text: string }
  | { readonly type: 'invalid'; readonly reason: string }
  | { readonly type: 'quit' };

/** Options of {@link ChatSession}. */
export interface SessionOptions {
  /** How many earlier entries to show when joining. */
  readonly history: number;
  readonly show: (event: SessionEvent) => void;
}

const ROOMS_SHOWN = 200;
const MEMBERS_SHOWN = 500;
const HITS_SHOWN = 20;
const MAX_EXCERPT = 200;

export class ChatSession {
  readonly #client: ChatClient;
  readonly #history: number;
  readonly #show: (event: SessionEvent) => void;
  #current: Room | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #listening = new WeakSet<Room>();
  readonly #recent = new RecentMessages();
  /** The last search, and the position before which its older hits are. */
  #searched: { readonly query: string; readonly cursor: number | undefined } | undefined;

  constructor(client: ChatClient, { history, show }: SessionOptions) {
    this.#client = client;
    this.#history = history;
    this.#show = show;
    let before = client.state;
    client.on('state', (state) => {
      // Until it was open once, it is connecting, however many attempts that takes.
      show({ type: 'state', state, before });
      if (before.status !== 'connecting' || state.status === 'open') before = state;
    });
    client.on('direct', (message) => show({ type: 'direct', message }));
    client.on('unreadable', (unreadable) => {
      const message = readRich<string>(unreadable);
      if (message.type === 'direct') show({ type: 'direct', message });
      else show({ type: 'unreadable', message: unreadable });
    });
    client.on('gap', (gap) => show({ type: 'gap', gap }));
    client.on('renamed', ({ name }) => show({ type: 'renamed', name }));
  }

  /** The room that text goes to. */
  get room(): Room | undefined {
    return this.#current;
  }

  get name(): string {
    return this.#client.name;
  }

  /** Whether there is a connection. */
  get online(): boolean {
    return this.#client.state.status === 'open';
  }

  /** Names of the rooms that were joined, oldest first. */
  get rooms(): readonly string[] {
    return [...this.#client.joined.keys()];
  }

  /**
   * Does what `line` asks for. Lines begin in the order in which they were submitted; only what decides where
   * later ones go (joining, leaving) is waited for by them.
   *
   * @param options - `quietly` says which errors are returned to the caller instead of being shown
   * @returns whether it succeeded, what went wrong having been shown; or the error that was not shown
   */
  async submit(
    line: string,
    options: { readonly quietly?: (error: unknown) => boolean } = {},
  ): Promise<boolean | Error> {
    const command = parseCommand(line, this.#userNames());
    if (command.type !== 'quit') await this.#turn;
    const done = this.#try(command, options.quietly);
    if (command.type === 'join' || command.type === 'leave') this.#turn = done;
    return done;
  }

  /** Joins `name` and makes it the room that text goes to. */
  async join(name: string): Promise<Room> {
    const before = this.#client.joined.get(name);
    const room = (before as Room | undefined) ?? (await this.#client.join(name, { history: this.#history }));
    const listens = this.#listening.has(room);
    this.#enter(room);
    if (!listens) this.#listen(room);
    return room;
  }

  /** Sends text to the present room. @throws ClientError as `room.send` */
  async send(text: string): Promise<void> {
    if (this.#current === undefined) throw new Error('you are in no room: /join one first');
    const sending = this.#current.send(text);
    if (this.#client.state.status !== 'open') this.#show({ type: 'waiting', text: excerpt(text) });
    await sending;
  }

  /** Lines that `line` may become by completing its last word, for the Tab key. */
  completions(line: string): readonly string[] {
    const word = /\S*$/u.exec(line)![0];
    const before = line.slice(0, line.length - word.length);
    // Text that a terminal would obey is not typed into its line.
    const names = this.#userNames().filter((name) => printable(name) === name);
    return completionsFor(before, word, { names, rooms: this.rooms }).map((words) => before + words);
  }

  async #try(command: Command, quietly: ((error: unknown) => boolean) | undefined): Promise<boolean | Error> {
    try {
      return await this.#run(command);
    } catch (error) {
      if (error instanceof Error && quietly?.(error)) return error;
      this.#show({ type: 'failed', what: describe(command), error });
      return false;
    }
  }

  async #run(command: Command): Promise<boolean> {
    const client = this.#client;
    switch (command.type) {
      case 'text':
        await this.send(command.text);
        return true;
      case 'me':
        await this.send(`${ACTION_PREFIX}${command.text}`);
        return true;
      case 'msg':
        await this.#whisper(command.to, command.text);
        return true;
      case 'nick':
        await client.rename(command.name);
        return true;
      case 'join':
        await this.join(command.room);
        return true;
      case 'leave':
        return this.#leave(command.room);
      case 'rooms':
        this.#show({
          type: 'rooms',
          page: await client.rooms({ prefix: command.prefix, limit: ROOMS_SHOWN }),
        });
        return true;
      case 'search':
        return this.#search(command.query);
      case 'who':
        return this.#who();
      case 'ping':
        this.#show({ type: 'ping', roundTripMs: await client.ping() });
        return true;
      case 'invalid':
        this.#show({ type: 'invalid', reason: command.reason });
        return false;
      case 'help':
      case 'quit':
        this.#show({ type: command.type });
        return true;
      case 'nothing':
        return true;
      default: {
        const answer = await carryOutModeration(client, this.#current, command, this.#recent);
        if ('invalid' in answer) this.#show({ type: 'invalid', reason: answer.invalid });
        else if (answer.done !== '') this.#show({ type: 'done', text: answer.done });
        return 'done' in answer;
      }
    }
  }

  async #whisper(to: string, text: string): Promise<void> {
    const { delivery } = await this.#client.direct(to, text);
    this.#show({ type: 'direct-sent', to, text, delivery });
  }

  async #leave(name: string | undefined): Promise<boolean> {
    const leaving = name ?? this.#current?.name;
    if (leaving === undefined || !(await this.#client.leave(leaving))) {
      this.#show({ type: 'invalid', reason: leaving ? `you are not in ${leaving}` : 'you are in no room' });
      return false;
    }
    return true;
  }

  /** Finds the newest messages with these words; without words, those before what was found last. */
  async #search(words: string): Promise<boolean> {
    const before = words === '' ? this.#searched?.cursor : undefined;
    const query = words || this.#searched?.query;
    if (query === undefined || (words === '' && before === undefined)) {
      const reason = query === undefined ? 'usage: /search WORDS' : `there is nothing older with ${query}`;
      this.#show({ type: 'invalid', reason });
      return false;
    }
    const older = before === undefined ? {} : { before };
    const page = await this.#client.search(query, { limit: HITS_SHOWN, ...older });
    this.#searched = { query, cursor: page.cursor };
    this.#show({ type: 'found', query, page });
    return true;
  }

  async #who(): Promise<boolean> {
    const room = this.#current;
    if (room === undefined) {
      this.#show({ type: 'invalid', reason: 'you are in no room' });
      return false;
    }
    await room.loadMembers({ limit: MEMBERS_SHOWN });
    const names = [...room.members.values()].map(({ name }) => name);
    this.#show({ type: 'members', room: room.name, names, count: room.memberCount });
    return true;
  }

  #listen(room: Room): void {
    this.#listening.add(room);
    room.on('message', (message) => this.#said(message));
    room.on('notice', (notice) => {
      this.#recent.changed(notice);
      this.#show({ type: 'notice', notice });
    });
    room.on('unreadable', (unreadable) => {
      const message = readRich<string>(unreadable);
      if (message.type === 'message') this.#said(message);
      else this.#show({ type: 'unreadable', message: unreadable });
    });
    room.on('closed', ({ error }) => {
      if (this.#client.state.status === 'closed') return;
      this.#show({ type: 'room-left', room: room.name, error });
      if (room !== this.#current) return;
      this.#current = undefined;
      const next = [...this.#client.joined.values()].at(-1);
      this.#enter(next as Room | undefined);
    });
  }

  #said(message: Answering<Message>): void {
    this.#recent.note(message);
    const { room, reply } = message;
    const answered = reply === undefined ? undefined : this.#recent.at(room, reply);
    const quote = answered && { name: answered.name, text: String(answered.text) };
    this.#show({ type: 'message', message, ...(quote ? { quote } : {}) });
  }

  #enter(room: Room | undefined): void {
    this.#current = room;
    this.#show({ type: 'room', room: room?.name, members: room?.memberCount ?? 0 });
  }

  /** Everybody who is known, in any room. */
  #userNames(): string[] {
    const names = new Set<string>();
    for (const room of this.#client.joined.values()) {
      for (const { id, name } of room.members.values()) if (id !== this.#client.id) names.add(name);
    }
    return [...names];
  }
}

function describe(command: Command): string {
  switch (command.type) {
    case 'text':
    case 'me':
    case 'reply':
      return `not sent: ${excerpt(command.text)}`;
    case 'msg':
      return `not sent to ${command.to}: ${excerpt(command.text)}`;
    default:
      return `/${command.type}`;
  }
}

/** Enough of a text to know which it was: one that was too large to be sent would flood its reader. */
function excerpt(text: string): string {
  if (text.length <= MAX_EXCERPT) return text;
  // Not half of a surrogate pair.
  return `${text.slice(0, MAX_EXCERPT).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
