/**
 * Carries out what a user types behind a slash. The commands are those of the terminal client, and what comes of them is
 * told below the messages, to the user alone.
 */
import type { ChatClient, Message, Notice, Room } from '@chat/client';
import {
  ACTION_PREFIX,
  COMMANDS,
  type Command,
  carryOutModeration,
  type ModerationCommand,
  parseCommand,
  RecentMessages,
} from '@chat/client/timeline';
import { LOBBY } from '@chat/protocol';
import { explain } from '../../text/explain.js';

/** Words of the page itself, to its user. */
export interface Words {
  readonly tone: 'answer' | 'problem';
  readonly text: string;
}

/** The part of the page that commands are about. */
export interface CommandHost {
  /** Undefined without a connection. */
  readonly client: ChatClient | undefined;
  /** The room that is looked at; undefined where it is none, or one that the user is not in. */
  readonly room: Room | undefined;
  /** Names of everybody who is known. */
  readonly names: readonly string[];
  tell(words: Words): void;
  /** Says something where the user is. */
  send(text: string): void;
  whisper(to: string, text: string): void;
  join(room: string): Promise<void>;
  /** Leaves a room, or puts the present conversation away. @returns whether it was there */
  leave(room: string | undefined): Promise<boolean>;
  disconnect(): void;
}

/**
 * What became of a line. `kept`: it stays to be mended. `search`: the user is to see what was found, or to say what is to
 * be.
 */
export type LineOutcome = 'done' | 'kept' | { readonly search: string };

const ROOMS_TOLD = 50;
const MEMBERS_TOLD = 200;

export class TypedCommands {
  readonly #recent = new RecentMessages();

  /** Takes a message, which `/edit` and `/delete` may mean. */
  note(message: Message): void {
    this.#recent.note(message);
  }

  /** Takes what is told of messages and rooms. */
  changed(notice: Notice): void {
    this.#recent.changed(notice);
  }

  /** Does what a line asks for. What goes wrong is told. */
  async run(host: CommandHost, line: string): Promise<LineOutcome> {
    const command = parseCommand(line, host.names);
    if (command.type === 'invalid') {
      host.tell({ tone: 'problem', text: command.reason });
      return 'kept';
    }
    if (command.type === 'search') return { search: command.query };
    try {
      const answer = await this.#do(host, command);
      if (answer !== undefined) host.tell({ tone: 'answer', text: answer });
    } catch (error) {
      host.tell({ tone: 'problem', text: explain(error) });
    }
    return 'done';
  }

  /** Carries out what was chosen from a menu. @throws ClientError what the server refused */
  async moderate({ client, room, tell }: CommandHost, command: ModerationCommand): Promise<void> {
    if (!client) return;
    const answer = await carryOutModeration(client, room, command, this.#recent);
    if ('invalid' in answer) throw new Error(answer.invalid);
    if (answer.done !== '' && !isToldToAll(command)) tell({ tone: 'answer', text: answer.done });
  }

  /** @returns what the user is told */
  async #do(
    host: CommandHost,
    command: Exclude<Command, { type: 'invalid' | 'search' }>,
  ): Promise<string | undefined> {
    const { client, room } = host;
    switch (command.type) {
      case 'nothing':
        return undefined;
      case 'text':
        host.send(command.text);
        return undefined;
      case 'me':
        host.send(ACTION_PREFIX + command.text);
        return undefined;
      case 'msg':
        host.whisper(command.to, command.text);
        return undefined;
      case 'help':
        return [...COMMANDS.values()].map(({ usage, summary }) => `${usage} — ${summary}`).join('\n');
      case 'quit':
        host.disconnect();
        return undefined;
      case 'nick':
        await client?.rename(command.name);
        return undefined;
      case 'join':
        await host.join(command.room);
        return undefined;
      case 'leave':
        return (await host.leave(command.room)) ? undefined : `you are not in ${command.room ?? LOBBY}`;
      case 'rooms': {
        const page = await client?.rooms({ prefix: command.prefix, limit: ROOMS_TOLD });
        const rooms = (page?.rooms ?? []).map(({ room: name, memberCount }) => `${name} (${memberCount})`);
        return rooms.length === 0
          ? 'no rooms'
          : `rooms: ${rooms.join(', ')}${page?.cursor ? ' and more' : ''}`;
      }
      case 'who': {
        if (!room) return 'you are in no room';
        await room.loadMembers({ limit: MEMBERS_TOLD });
        const names = [...room.members.values()].map(({ name }) => name);
        const more = room.memberCount > names.length ? ` and ${room.memberCount - names.length} more` : '';
        return `in ${room.name}: ${names.join(', ')}${more}`;
      }
      case 'ping':
        return client && `the server answered within ${Math.round(await client.ping())} ms`;
      default:
        await this.moderate(host, command);
        return undefined;
    }
  }
}

/** What the room itself tells everybody needs no answer beside it. */
function isToldToAll(command: ModerationCommand): boolean {
  return (
    command.type === 'react' ||
    (command.type === 'topic' && command.topic !== undefined) ||
    (command.type === 'role' && command.role !== undefined)
  );
}
