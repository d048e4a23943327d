/**
 * A typed line, understood: text for the room, or a command. The table is the same for every user interface; each carries
 * out in its own way what is about itself.
 */
import { MODERATION_COMMANDS, type ModerationCommand, parseModeration } from './moderation.js';

/** A line, understood. `invalid` says to its user what is wrong with it. */
export type Command =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'me'; readonly text: string }
  | { readonly type: 'nick'; readonly name: string }
  | { readonly type: 'join'; readonly room: string }
  | { readonly type: 'leave'; readonly room: string | undefined }
  | { readonly type: 'rooms'; readonly prefix: string }
  | { readonly type: 'search'; readonly query: string }
  | { readonly type: 'who' }
  | { readonly type: 'msg'; readonly to: string; readonly text: string }
  | { readonly type: 'ping' }
  | { readonly type: 'help' }
  | { readonly type: 'quit' }
  | ModerationCommand
  | { readonly type: 'nothing' }
  | { readonly type: 'invalid'; readonly reason: string };

/** How a command is written, and what it does. */
export interface CommandHelp {
  readonly usage: string;
  readonly summary: string;
}

/** Commands by name, with what follows them and what they do. */
export const COMMANDS: ReadonlyMap<string, CommandHelp> = new Map<string, CommandHelp>([
  ['help', { usage: '/help', summary: 'shows this' }],
  ['nick', { usage: '/nick NAME', summary: 'takes another name' }],
  ['join', { usage: '/join ROOM', summary: 'joins a room, or switches to it' }],
  ['leave', { usage: '/leave [ROOM]', summary: 'leaves a room: this one, if none is named' }],
  ['rooms', { usage: '/rooms [PREFIX]', summary: 'lists the rooms of the server' }],
  ['who', { usage: '/who', summary: 'lists who is in this room' }],
  ['msg', { usage: '/msg NAME TEXT', summary: 'tells one user; "NAME" if it has spaces' }],
  [
    'search',
    { usage: '/search [WORDS]', summary: 'finds messages in your rooms; without words, older ones' },
  ],
  ['me', { usage: '/me DOES SOMETHING', summary: 'says what you do' }],
  ['ping', { usage: '/ping', summary: 'measures the way to the server and back' }],
  ...MODERATION_COMMANDS,
  ['quit', { usage: '/quit', summary: 'leaves the chat' }],
]);

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['part', 'leave'],
  ['exit', 'quit'],
  ['names', 'who'],
  ['list', 'rooms'],
  ['w', 'msg'],
  ['find', 'search'],
  ['?', 'help'],
]);

/**
 * Understands a line. A first slash makes a command; two of them make a text that begins with one.
 *
 * @param users - names that are known: the longest one that follows `/msg` is meant, spaces and all
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { parseCommand } from '@chat/client/timeline';
 *
 * assert.deepEqual(parseCommand('hello'), { type: 'text', text: 'hello' });
 * assert.deepEqual(parseCommand('/kick Eve L', ['Eve L']), { type: 'kick', user: 'Eve L' });
 * assert.deepEqual(parseCommand('/nick'), { type: 'invalid', reason: 'usage: /nick NAME' });
 * ```
 */
export function parseCommand(line: string, users: Iterable<string> = []): Command {
  if (line.trim() === '') return { type: 'nothing' };
  if (!line.startsWith('/')) return { type: 'text', text: line };
  if (line.startsWith('//')) return { type: 'text', text: line.slice(1) };
  const [, word = '', rest = ''] = /^\/(\S*)\s*(.*)$/su.exec(line.trimEnd()) ?? [];
  const name = ALIASES.get(word.toLowerCase()) ?? word.toLowerCase();
  const known = COMMANDS.get(name);
  if (known === undefined)
    return { type: 'invalid', reason: `there is no command /${word}; /help lists them` };
  const usage: Command = { type: 'invalid', reason: `usage: ${known.usage}` };
  if (MODERATION_COMMANDS.has(name as ModerationCommand['type']))
    return parseModeration(name, rest, users) ?? usage;
  switch (name) {
    case 'nick':
      return rest === '' ? usage : { type: 'nick', name: rest };
    case 'join':
      return rest === '' ? usage : { type: 'join', room: rest };
    case 'leave':
      return { type: 'leave', room: rest === '' ? undefined : rest };
    case 'rooms':
      return { type: 'rooms', prefix: rest };
    case 'search':
      return { type: 'search', query: rest };
    case 'me':
      return rest === '' ? usage : { type: 'me', text: rest };
    case 'msg': {
      const addressed = splitAddressee(rest, users);
      return addressed ? { type: 'msg', ...addressed } : usage;
    }
    default:
      return { type: name as 'who' | 'ping' | 'help' | 'quit' };
  }
}

function splitAddressee(
  rest: string,
  users: Iterable<string>,
): { readonly to: string; readonly text: string } | undefined {
  const quoted = /^"([^"]+)"\s+(.+)$/su.exec(rest);
  if (quoted) return { to: quoted[1]!, text: quoted[2]! };
  let longest = '';
  for (const user of users) {
    if (user.length > longest.length && rest.toLowerCase().startsWith(`${user.toLowerCase()} `))
      longest = user;
  }
  const end = longest === '' ? rest.search(/\s/u) : longest.length;
  const text = rest.slice(end).trim();
  return end <= 0 || text === '' ? undefined : { to: longest || rest.slice(0, end), text };
}

/** The text that stands for `/me …` on the wire; other clients show it as it is. */
export const ACTION_PREFIX = '/me ';
