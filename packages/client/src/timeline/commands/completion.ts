/** What the word before the cursor may become: a command, a room or a name. */
import { COMMANDS } from './command.js';
import { REACTIONS } from './moderation.js';

/** Words to complete from, best first. */
export interface Vocabulary {
  readonly names: readonly string[];
  readonly rooms: readonly string[];
}

const ROOM_COMMANDS: ReadonlySet<string> = new Set(['join', 'leave', 'part', 'rooms', 'list']);
const PERSON_COMMANDS: ReadonlySet<string> = new Set([
  ...['msg', 'w', 'invite', 'mute', 'unmute', 'kick', 'ban', 'unban', 'role', 'delete', 'block', 'unblock'],
]);

/**
 * Words that may stand in the place of `word`, best first, each with what goes on behind it.
 *
 * @param before - the line up to the word
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { completionsFor } from '@chat/client/timeline';
 *
 * const vocabulary = { names: ['bob', 'Ada Lovelace'], rooms: ['lobby'] };
 * assert.deepEqual(completionsFor('', '/ki', vocabulary), ['/kick ']);
 * assert.deepEqual(completionsFor('/msg ', 'ad', vocabulary), ['"Ada Lovelace" ']);
 * ```
 */
export function completionsFor(before: string, word: string, { names, rooms }: Vocabulary): string[] {
  if (before === '' && word.startsWith('/')) {
    return [...COMMANDS.keys()]
      .map((name) => `/${name} `)
      .filter((command) => command.startsWith(word.toLowerCase()));
  }
  const command = /^\/(\S+)\s+$/u.exec(before)?.[1]?.toLowerCase() ?? '';
  if (ROOM_COMMANDS.has(command)) return startingWith(rooms, word).map((room) => `${room} `);
  if (PERSON_COMMANDS.has(command)) {
    return startingWith(names, word).map((name) => `${name.includes(' ') ? `"${name}"` : name} `);
  }
  if (command === 'react')
    return startingWith([...REACTIONS.keys()], word).map((name) => `${REACTIONS.get(name)} `);
  if (word === '') return [];
  if (word.startsWith('@')) return startingWith(names, word.slice(1)).map((name) => `@${name} `);
  return startingWith(names, word).map((name) => `${name}${before === '' ? ': ' : ' '}`);
}

function startingWith(names: readonly string[], word: string): string[] {
  const wanted = word.toLowerCase().replace(/^"/, '');
  return names.filter((name) => name.toLowerCase().startsWith(wanted));
}
