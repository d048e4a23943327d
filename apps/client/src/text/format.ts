/**
 * Events as lines of text.
 *
 * Everything that others wrote goes through `printable`: a name or a message cannot move the cursor, change a
 * colour, or begin a line of its own. A message of several lines has its sender on each.
 */
import type { Notice, SearchHit } from '@chat/client';
import { ACTION_PREFIX, COMMANDS, changeText, withdrawnBy } from '@chat/client/timeline';
import { formatMessageLines, printable } from '@chat/protocol/lines';
import { errorText, type SessionEvent } from '../session/session.js';
import type { Palette } from './palette.js';
import { quoteText, reactionsText } from './quote-text.js';

/** How lines look. */
export interface FormatOptions {
  readonly palette: Palette;
  /** Whether the time stands before each line. */
  readonly times: boolean;
  /** The room that needs no mention. */
  readonly currentRoom: () => string | undefined;
  readonly now: () => number;
}

/** @returns the lines, without line ends; none when there is nothing to show */
export function formatEvent(event: SessionEvent, options: FormatOptions): string[] {
  const { palette } = options;
  const star = (text: string, at?: number): string[] => [
    `${time(at ?? options.now(), options)}${palette.dim(`*** ${oneLine(text)}`)}`,
  ];
  const problem = (text: string): string[] => [
    `${time(options.now(), options)}${palette.warn(`!!! ${oneLine(text)}`)}`,
  ];
  switch (event.type) {
    case 'message': {
      const { at, room, sender, value, own, reply, reactions = [] } = event.message;
      const where = room === options.currentRoom() ? '' : palette.dim(`[${oneLine(room)}] `);
      const beside = (text: string): string =>
        `${time(at, options)}${where}${palette.dim(`  ${oneLine(text)}`)}`;
      const above = reply === undefined ? [] : [beside(`> ${quoteText(event.quote)}`)];
      const below = reactions.length === 0 ? [] : [beside(reactionsText(reactions))];
      if (value.startsWith(ACTION_PREFIX)) {
        const text = oneLine(value.slice(ACTION_PREFIX.length));
        const line = `${time(at, options)}${where}* ${palette.person(shownName(sender.name), own)} ${text}`;
        return [...above, line, ...below];
      }
      const lines = spoken(sender.name, value, (name) => palette.person(name, own), at, where, options);
      return [...above, ...lines, ...below];
    }
    case 'direct': {
      const { at, sender, value, to, own } = event.message;
      const mark = palette.strong(`(to ${to === undefined ? 'you' : oneLine(to)}) `);
      return spoken(sender.name, value, (name) => palette.person(name, own), at, mark, options);
    }
    case 'direct-sent': {
      const mark = palette.strong(`(to ${oneLine(event.to)}) `);
      return formatMessageLines('', event.text)
        .trimEnd()
        .split('\n')
        .map((line) => `${time(options.now(), options)}${mark}${line.slice(2)}`)
        .concat(event.delivery === 'waiting' ? star(`${oneLine(event.to)} is away: the message waits`) : []);
    }
    case 'notice': {
      const { at, kind, member, oldName, own, history, room } = event.notice;
      // Other events tell of this user's own doings, and a message from before has its reactions.
      if (own || (kind === 'reacted' && history)) return [];
      const name = oneLine(member.name);
      const changed = changeText(event.notice);
      if (changed !== undefined) return star(`${name} ${oneLine(changed)}`, at);
      const where = room === options.currentRoom() ? 'the chat' : oneLine(room);
      const texts: Partial<Record<Notice['kind'], string>> = {
        joined: `${name} has joined ${where}`,
        left: `${name} has left ${where}`,
        gone: `${name} has left ${where} (connection lost)`,
        renamed: `${oneLine(oldName ?? '')} is now ${name}`,
      };
      return history && kind !== 'renamed' ? [] : star(texts[kind] ?? '', at);
    }
    case 'gap': {
      // The rooms tell of a restart. Nobody could send direct messages meanwhile, so none is missing.
      if (event.gap.room === undefined && event.gap.reason === 'epoch-changed') return [];
      const where = event.gap.room === undefined ? 'messages to you' : `messages in ${event.gap.room}`;
      return problem(`${where} may be missing here (${GAP_REASONS[event.gap.reason]})`);
    }
    case 'unreadable':
      if (withdrawnBy(event.message) !== undefined)
        return star(
          `a message of ${event.message.sender.name} was taken back by ${withdrawnBy(event.message)}`,
        );
      return star(`${event.message.sender.name} sent ${event.message.body.length} bytes that are not text`);
    case 'state':
      return formatState(event, star, problem, options.now());
    case 'waiting':
      return star(`waits for the connection: ${event.text}`);
    case 'failed':
      return problem(`${event.what} — ${errorText(event.error)}`);
    case 'room':
      if (event.room === undefined) return star('you are in no room; /join one');
      return star(
        `you are in ${event.room}, with ${event.members} ${event.members === 1 ? 'member' : 'members'}`,
      );
    case 'room-left':
      return event.error
        ? problem(`you are not in ${event.room} any more: ${errorText(event.error)}`)
        : star(`you have left ${event.room}`);
    case 'rooms': {
      const rooms = event.page.rooms.map(({ room, memberCount }) => `${room} (${memberCount})`);
      const more = event.page.cursor === undefined ? '' : ' and more';
      return star(rooms.length === 0 ? 'no rooms' : `rooms: ${rooms.join(', ')}${more}`);
    }
    case 'members': {
      const more = event.count > event.names.length ? ` and ${event.count - event.names.length} more` : '';
      return star(`in ${event.room}: ${event.names.join(', ')}${more}`);
    }
    case 'found':
      return [
        // The newest is the nearest to the line that is being typed.
        ...event.page.hits.map((hit) => found(hit, palette)).reverse(),
        ...star(foundText(event)),
      ];
    case 'renamed':
      return star(`you are now ${event.name}`);
    case 'ping':
      return star(`the server answered within ${event.roundTripMs} ms`);
    case 'help': {
      const width = Math.max(...[...COMMANDS.values()].map(({ usage }) => usage.length));
      return [...COMMANDS.values()].map(
        ({ usage, summary }) => `  ${usage.padEnd(width)}  ${palette.dim(summary)}`,
      );
    }
    case 'done':
      return star(event.text);
    case 'invalid':
      return problem(event.reason);
    case 'quit':
      return [];
  }
}

type Line = (text: string) => string[];

function formatState(
  { state, before }: Extract<SessionEvent, { readonly type: 'state' }>,
  star: Line,
  problem: Line,
  now: number,
): string[] {
  switch (state.status) {
    case 'reconnecting': {
      // Told once, and now and then: a server that is away for an hour must not fill the screen.
      if (state.attempt !== 1 && state.attempt % QUIET_ATTEMPTS !== 0) return [];
      const seconds = Math.max(0, Math.ceil((state.nextAt - now) / 1000));
      const when = seconds === 0 ? 'now' : `in ${seconds} s`;
      return problem(`${errorText(state.error)}; trying again ${when} (attempt ${state.attempt})`);
    }
    case 'open':
      return before.status === 'reconnecting' ? star('connected again') : [];
    case 'closed':
      return state.reason.code === 'ERR_CLIENT_CLOSED' ? [] : problem(errorText(state.reason));
    default:
      return [];
  }
}

/** A message that was found, as one line: when, where, who, what. */
function found({ at, room, sender, snippet, marks }: SearchHit, palette: Palette): string {
  let text = '';
  let shown = 0;
  for (const [from, to] of marks) {
    text += oneLine(snippet.slice(shown, from)) + palette.strong(oneLine(snippet.slice(from, to)));
    shown = to;
  }
  text += oneLine(snippet.slice(shown));
  const where = palette.dim(`${day(at)} ${clockTime(at)} [${oneLine(room)}]`);
  return `  ${where} ${palette.person(shownName(sender.name), false)}: ${text}`;
}

function foundText({ query, page }: Extract<SessionEvent, { readonly type: 'found' }>): string {
  const { hits, cursor, behind } = page;
  const count = hits.length === 0 ? 'nothing' : hits.length === 1 ? '1 message' : `${hits.length} messages`;
  const more = cursor === undefined ? '' : '; /search without words looks for older ones';
  const late = behind ? '; the newest messages are not searched yet' : '';
  return `${count} with ${query}${more}${late}`;
}

const QUIET_ATTEMPTS = 10;

const GAP_REASONS = {
  skipped: 'this client was too slow',
  expired: 'the server does not hold them any more',
  'epoch-changed': 'the server was restarted',
  'session-gone': 'the connection was away for too long',
  hole: 'the server left them out',
  overflow: 'there were too many at once',
} as const;

function spoken(
  name: string,
  text: string,
  paint: (name: string) => string,
  at: number,
  mark: string,
  options: FormatOptions,
): string[] {
  const plain = shownName(name);
  // The protocol's own form, so that all clients cut a text at the same places.
  return formatMessageLines(plain, text)
    .slice(0, -1)
    .split('\n')
    .map((line) => `${time(at, options)}${mark}${paint(plain)}${line.slice(plain.length)}`);
}

function time(at: number, { times, palette }: FormatOptions): string {
  return times ? palette.dim(`${clockTime(at)} `) : '';
}

function clockTime(at: number): string {
  const date = new Date(at);
  return `${digits(date.getHours())}:${digits(date.getMinutes())}`;
}

function day(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${digits(date.getMonth() + 1)}-${digits(date.getDate())}`;
}

function digits(value: number): string {
  return String(value).padStart(2, '0');
}

/**
 * A name in front of what its owner says. One that begins like a mark of this program (`[room]`, `(to you)`,
 * `***`, `!!!`) stands in quotes: no name makes a line look like one of another room, private, or of the
 * program.
 */
function shownName(name: string): string {
  const plain = oneLine(name);
  return /^[[(*!"]/.test(plain.normalize('NFKC')) ? `"${plain}"` : plain;
}

function oneLine(text: string): string {
  return printable(text.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/gu, ' '));
}
