/** The commands of moderators, and those about messages, own ones and others: understood, and carried out in the present room. */
import type { ModerationBody, Reaction, Role } from '@chat/protocol/frames';
import type { ChatClient } from '../../chat-client.js';
import type { Message, Notice } from '../../rooms/entry.js';
import type { Room } from '../../rooms/room.js';
import { type Answering, afterReaction, isAmong, RICH_FEATURE, richCodec } from '../rich-text.js';

/** A command about a room, or about a message in it. */
export type ModerationCommand =
  | { readonly type: 'topic'; readonly topic: string | undefined }
  | { readonly type: 'invite' | 'unmute' | 'unban'; readonly user: string }
  | {
      readonly type: 'kick' | 'mute' | 'ban';
      readonly user: string;
      /** Undefined for good. */
      readonly durationMs?: number;
      readonly reason?: string;
    }
  /** Without a name: those who are blocked. */
  | { readonly type: 'block'; readonly user: string | undefined }
  | { readonly type: 'unblock'; readonly user: string }
  | { readonly type: 'role'; readonly user: string; readonly role: string | undefined }
  | { readonly type: 'edit'; readonly text: string }
  /** `nth`: 1 for the last one. */
  | { readonly type: 'delete'; readonly user: string | undefined; readonly nth: number }
  | ({ readonly type: 'reply'; readonly text: string } & Aim)
  /** Takes the reaction back where it is there. */
  | ({ readonly type: 'react'; readonly reaction: string } & Aim);

/** Which message is meant: the last one, or the nth last one, of somebody, or of anybody else. */
export interface Aim {
  readonly user: string | undefined;
  /** 1 for the last one. */
  readonly nth: number;
}

/** Them by name, with what follows them and what they do. */
export const MODERATION_COMMANDS: ReadonlyMap<
  ModerationCommand['type'],
  { readonly usage: string; readonly summary: string }
> = new Map([
  [
    'reply',
    {
      usage: '/reply [@NAME] [#N] TEXT',
      summary: 'answers the last message, or the Nth last; or that of NAME',
    },
  ],
  ['react', { usage: '/react EMOJI [NAME] [N]', summary: 'reacts to it with an emoji, or takes that back' }],
  ['edit', { usage: '/edit TEXT', summary: 'gives your last message here another text' }],
  [
    'delete',
    {
      usage: '/delete [NAME] [N]',
      summary: 'takes back your last message, or the Nth last; or that of NAME',
    },
  ],
  [
    'block',
    { usage: '/block [NAME]', summary: 'takes no direct messages from somebody; shows whom you block' },
  ],
  ['unblock', { usage: '/unblock NAME', summary: 'takes direct messages from somebody again' }],
  ['topic', { usage: '/topic [TEXT]', summary: 'shows or changes what the room is about; - for nothing' }],
  [
    'role',
    { usage: '/role NAME [ROLE]', summary: 'shows or gives a role: guest, member, moderator, owner, none' },
  ],
  ['invite', { usage: '/invite NAME', summary: 'lets somebody into the room' }],
  ['mute', { usage: '/mute NAME [10m] [REASON]', summary: 'takes somebody the word here' }],
  ['unmute', { usage: '/unmute NAME', summary: 'lets somebody speak again' }],
  ['kick', { usage: '/kick NAME [REASON]', summary: 'shows somebody out of the room' }],
  ['ban', { usage: '/ban NAME [2h] [REASON]', summary: 'shows out and does not let in again' }],
  ['unban', { usage: '/unban NAME', summary: 'lets somebody in again' }],
]);

/** Emoji that are offered below a message, with the words that stand for them in `/react`. */
export const REACTIONS: ReadonlyMap<string, string> = new Map([
  ['+1', '👍'],
  ['heart', '❤️'],
  ['laugh', '😂'],
  ['hooray', '🎉'],
  ['eyes', '👀'],
  ['sad', '😢'],
]);

/** What can be given with `/role`. */
export const ROLES: readonly string[] = ['guest', 'member', 'moderator', 'owner', 'none'];
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @param users names that are known: the longest one is meant. @returns undefined when something is missing */
export function parseModeration(
  name: string,
  rest: string,
  users: Iterable<string>,
): ModerationCommand | undefined {
  const type = name as ModerationCommand['type'];
  switch (type) {
    case 'topic':
      return { type, topic: rest === '' ? undefined : rest === '-' ? '' : rest };
    case 'edit':
      return rest === '' ? undefined : { type, text: rest };
    case 'delete': {
      const [, user = '', count] = /^(.*?)(?:(?:^|\s+)(\d{1,3}))?$/su.exec(rest) ?? [];
      return { type, user: unquoted(user) || undefined, nth: count === undefined ? 1 : Number(count) };
    }
    case 'block':
      return { type, user: unquoted(rest) || undefined };
    case 'reply': {
      const { rest: text, ...aim } = splitAim(rest, users);
      return text === '' ? undefined : { type, text, ...aim };
    }
    case 'react': {
      const [, word = '', after = ''] = /^(\S*)\s*(.*)$/su.exec(rest) ?? [];
      if (word === '') return undefined;
      const [, user = '', count = '1'] = /^@?(.*?)(?:(?:^|\s+)#?(\d{1,3}))?$/su.exec(after) ?? [];
      const aim = { user: unquoted(user) || undefined, nth: Number(count) };
      return { type, reaction: REACTIONS.get(word.replace(/^:(.+):$/, '$1').toLowerCase()) ?? word, ...aim };
    }
    case 'kick':
    case 'mute':
    case 'ban': {
      const { user, rest: after } = splitUser(rest, users);
      const [, time, unit, words] =
        /^(?:(\d{1,6})([smhd])(?:\s+|$))?(.*)$/su.exec(type === 'kick' ? '' : after) ?? [];
      const reason = (type === 'kick' ? after : (words ?? '')).trim();
      return user === ''
        ? undefined
        : {
            type,
            user,
            ...(time === undefined ? {} : { durationMs: Number(time) * UNITS[unit!]! }),
            ...(reason === '' ? {} : { reason }),
          };
    }
    case 'role': {
      const { user, rest: role } = splitUser(rest, users);
      return user === '' ? undefined : { type, user, role: role === '' ? undefined : role.toLowerCase() };
    }
    default:
      return rest === '' ? undefined : { type, user: unquoted(rest) };
  }
}

/** `@NAME` and `#N`, and what follows them. */
function splitAim(text: string, users: Iterable<string>): Aim & { readonly rest: string } {
  const named = text.startsWith('@') ? splitUser(text.slice(1), users) : { user: '', rest: text };
  const [, count, rest] = /^(?:#(\d{1,3})(?:\s+|$))?(.*)$/su.exec(named.user === '' ? text : named.rest)!;
  return { user: named.user || undefined, nth: Number(count ?? 1), rest: rest! };
}

/** A name, and what follows it. */
function splitUser(text: string, users: Iterable<string>): { readonly user: string; readonly rest: string } {
  const quoted = /^"([^"]+)"\s*(.*)$/su.exec(text);
  if (quoted) return { user: quoted[1]!, rest: quoted[2]! };
  let user = /^\S*/u.exec(text)![0];
  let length = user.length;
  for (const known of users) {
    const isIt = `${text} `.toLowerCase().startsWith(`${known.toLowerCase()} `);
    if (isIt && known.length >= length) [user, length] = [known, known.length];
  }
  return { user, rest: text.slice(length).trim() };
}

function unquoted(name: string): string {
  return /^"([^"]+)"$/u.exec(name)?.[1] ?? name;
}

/** Messages of a room that can be meant by a command; so many of the newest. */
const KEPT = 500;

/** A message that was said, as far as commands and quotes need it. */
export interface Said {
  /** Position in the log. */
  readonly seq: number;
  /** Of its sender, at that time. */
  readonly name: string;
  readonly own: boolean;
  /** The value of the message: a string, unless the room has another codec. */
  readonly text: unknown;
  readonly reactions: readonly Reaction[];
}

/** Knows what was said last in each room, for the commands about messages, and for quotes. */
export class RecentMessages {
  readonly #byRoom = new Map<string, Said[]>();
  readonly #topics = new Map<string, string>();

  /** Takes what was said: it is the last message of its sender in that room now. */
  note({ room, seq, sender, own, value: text, reactions = [] }: Answering<Message<unknown>>): void {
    const said = this.#byRoom.get(room) ?? [];
    said.push({ seq, name: sender.name, own, text, reactions });
    if (said.length > KEPT) said.shift();
    this.#byRoom.set(room, said);
  }

  /** Takes what a notice says: a message is gone or another one, or the room has another topic. */
  changed({ room, kind, member, change }: Notice): void {
    if (change?.settings) this.#topics.set(room, change.settings.topic ?? '');
    const { text, reaction = '', removed } = change ?? {};
    const changed = (said: Said): Said[] => {
      if (said.seq !== change?.seq) return [said];
      if (kind === 'taken-back') return [];
      if (kind === 'edited') return [{ ...said, text }];
      return [{ ...said, reactions: afterReaction(said.reactions, reaction, member, removed) }];
    };
    if (change?.seq !== undefined) this.#byRoom.set(room, (this.#byRoom.get(room) ?? []).flatMap(changed));
  }

  /** The topic of a room as it is now. */
  topicOf({ name, about }: Room): string {
    return this.#topics.get(name) ?? about.settings?.topic ?? '';
  }

  /** Position of the last message of somebody, or of the nth last; of this user if none is named. */
  find(room: string, user: string | undefined, nth: number): number | undefined {
    return this.#find(room, nth, (said) => (user === undefined ? said.own : isBy(said, user)))?.seq;
  }

  /** The same of anybody else if none is named, with what was said. */
  aimed(room: string, { user, nth }: Aim): Said | undefined {
    return this.#find(room, nth, (said) => (user === undefined ? !said.own : isBy(said, user)));
  }

  /** What was said at a position, for a quote. */
  at(room: string, seq: number): Said | undefined {
    return this.#byRoom.get(room)?.find((said) => said.seq === seq);
  }

  #find(room: string, nth: number, isMeant: (said: Said) => boolean): Said | undefined {
    return (this.#byRoom.get(room) ?? []).filter(isMeant).at(-nth);
  }
}

function isBy({ name }: Said, user: string): boolean {
  return name.toLowerCase() === user.toLowerCase();
}

/** Direct messages are of no room. */
async function carryOutBlock(
  client: ChatClient,
  { type, user }: Extract<ModerationCommand, { type: 'block' | 'unblock' }>,
): Promise<{ readonly done: string }> {
  if (user === undefined) {
    const { blocks } = await client.moderate({ op: 'blocks' });
    return { done: `you block ${blocks.map((one) => one.user).join(', ') || 'nobody'}` };
  }
  await client.moderate({ op: type, user });
  return { done: type === 'block' ? `you block ${user}` : `you do not block ${user} any more` };
}

/**
 * Does what a command asks for.
 *
 * @returns what was done, empty where everybody sees it; or why it was not tried
 * @throws ClientError what the server refused
 */
export async function carryOutModeration(
  client: ChatClient,
  room: Room | undefined,
  command: ModerationCommand,
  recent: RecentMessages,
): Promise<{ readonly done: string } | { readonly invalid: string }> {
  if (command.type === 'block' || command.type === 'unblock') return carryOutBlock(client, command);
  if (!room) return { invalid: 'you are in no room' };
  const where = { room: room.name };
  const ask = <Request extends ModerationBody>(request: Request) => client.moderate(request);
  switch (command.type) {
    case 'topic': {
      const { topic } = command;
      if (topic === undefined) return { done: `topic: ${recent.topicOf(room) || 'none'}` };
      await ask({ op: 'topic', ...where, topic });
      return { done: topic === '' ? 'there is no topic any more' : `topic: ${topic}` };
    }
    case 'invite':
      await ask({ op: 'invite', ...where, user: command.user });
      return { done: `${command.user} is invited` };
    case 'unban':
      await ask({ op: 'unban', ...where, banned: command.user });
      return { done: `${command.user} is not banned any more` };
    case 'unmute':
      await ask({ op: 'unmute', ...where, user: command.user });
      return { done: `${command.user} may speak` };
    case 'kick':
    case 'mute':
    case 'ban': {
      const { type, ...whom } = command;
      await ask({ op: type, ...where, ...whom });
      return {
        done: `${command.user} is ${type === 'kick' ? 'kicked' : type === 'mute' ? 'muted' : 'banned'}`,
      };
    }
    case 'role': {
      const { user, role: wanted } = command;
      if (wanted !== undefined && !ROLES.includes(wanted))
        return { invalid: `a role is one of ${ROLES.join(', ')}` };
      const given = wanted === undefined ? {} : { role: wanted as Role | 'none' };
      const { role } = await ask({ op: 'role', ...where, user, ...given });
      return { done: `${user} is ${role} here` };
    }
    case 'reply':
    case 'react': {
      const aimed = recent.aimed(room.name, command);
      if (!aimed) return { invalid: 'there is no such message here' };
      const { seq, name, reactions } = aimed;
      if (command.type === 'reply') {
        const { text } = command;
        // To a server that does not know answers it is a text.
        if (!room.about.features?.includes(RICH_FEATURE)) await room.send(text);
        else await room.send({ text, reply: seq }, { codec: richCodec });
        return { done: '' };
      }
      const { reaction } = command;
      const those = reactions.find((one) => one.reaction === reaction)?.by ?? [];
      const remove = isAmong(those, client, room.about.role);
      await ask({ op: 'react', ...where, seq, reaction, remove });
      return { done: remove ? `${reaction} is taken back` : `${reaction} to ${name}` };
    }
    case 'edit':
    case 'delete': {
      const [user, nth] = command.type === 'edit' ? [undefined, 1] : [command.user, command.nth];
      const seq = recent.find(room.name, user, nth);
      if (seq === undefined)
        return { invalid: `there is no such message${user === undefined ? ' of yours' : ''} here` };
      if (command.type === 'edit') await ask({ op: 'edit', ...where, seq, text: command.text });
      else await ask({ op: 'take-back', ...where, seq });
      return { done: command.type === 'edit' ? 'it has its new text' : 'it is taken back' };
    }
  }
}
