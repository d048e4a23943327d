/**
 * Everything the screen shows, as one value, and the one function that changes it.
 *
 * `reduce` knows no clock, no connection and no terminal. The controller does the work outside (send, join,
 * leave), and tells the outcome as a further event.
 */
import { calmLine } from '../rows/cell-text.js';
import { layoutFor, type ScreenSize } from '../rows/layout.js';
import { scrollBy, scrollToEnd } from '../rows/message-pane.js';
import type { ScreenSnapshot } from '../rows/shown-item.js';
import { beginCompletion, type Completion, completedLine, stepCompletion } from './completion.js';
import { type Conversation, emptyConversation, follow } from './conversation.js';
import { EMPTY_HISTORY, type InputHistory, recall, remember } from './input-history.js';
import { type Edit, EMPTY_LINE, editLine, type InputLine } from './input-line.js';

/** How the connection is. */
export type ConnectionState =
  | { readonly status: 'connecting' | 'open' }
  | {
      readonly status: 'reconnecting';
      readonly attempt: number;
      readonly nextAt: number;
      readonly reason: string;
    }
  | { readonly status: 'closed'; readonly reason: string };

/** All that is shown. Immutable. */
export interface ScreenState {
  readonly me: string;
  readonly server: string;
  readonly connection: ConnectionState;
  /** The way to the server and back, when it was last measured. */
  readonly roundTripMs: number | undefined;
  /** In the order in which they are listed and numbered. */
  readonly conversations: readonly Conversation[];
  /** Key of the one that is seen; undefined before the first. */
  readonly current: string | undefined;
  readonly input: InputLine;
  readonly history: InputHistory;
  readonly completion: Completion | undefined;
  /** Pasted lines that wait for a decision. */
  readonly paste: readonly string[] | undefined;
  /** Rooms that are known to exist, for completion. */
  readonly knownRooms: readonly string[];
  readonly size: ScreenSize;
}

/** A change of the state. */
export type ScreenEvent =
  | { readonly type: 'resized'; readonly size: ScreenSize }
  | { readonly type: 'connection'; readonly connection: ConnectionState }
  | { readonly type: 'round-trip'; readonly roundTripMs: number | undefined }
  | { readonly type: 'renamed'; readonly name: string }
  /** The timeline of a conversation changed. */
  | { readonly type: 'timeline'; readonly key: string; readonly snapshot: ScreenSnapshot }
  /** The user scrolled up to where nothing is older. */
  | { readonly type: 'beginning'; readonly key: string }
  | { readonly type: 'entered'; readonly key: string }
  | { readonly type: 'left'; readonly key: string }
  | {
      readonly type: 'members';
      readonly key: string;
      readonly names: readonly string[];
      readonly count: number;
    }
  | { readonly type: 'rooms-known'; readonly rooms: readonly string[] }
  | { readonly type: 'edit'; readonly edit: Edit }
  | { readonly type: 'complete'; readonly direction: -1 | 1 }
  | { readonly type: 'recall'; readonly direction: -1 | 1 }
  | { readonly type: 'submitted' }
  | { readonly type: 'pasted'; readonly text: string }
  | { readonly type: 'paste-decided' }
  | { readonly type: 'scroll'; readonly by: 'page' | 'row'; readonly direction: -1 | 1 }
  | { readonly type: 'scroll-to-end' };

const MAX_KNOWN_ROOMS = 1000;
/** Items of which the speakers are completed first. */
const RECENT_ITEMS = 200;

export function initialState(me: string, server: string, size: ScreenSize): ScreenState {
  return {
    me: calmLine(me),
    server: calmLine(server),
    connection: { status: 'open' },
    roundTripMs: undefined,
    conversations: [],
    current: undefined,
    input: EMPTY_LINE,
    history: EMPTY_HISTORY,
    completion: undefined,
    paste: undefined,
    knownRooms: [],
    size,
  };
}

/** The conversation that is seen. */
export function currentConversation({ conversations, current }: ScreenState): Conversation | undefined {
  return conversations.find(({ key }) => key === current);
}

/** The state after `event`. */
export function reduce(state: ScreenState, event: ScreenEvent): ScreenState {
  switch (event.type) {
    case 'resized':
      return { ...state, size: event.size };
    case 'connection':
      return { ...state, connection: event.connection };
    case 'round-trip':
      return { ...state, roundTripMs: event.roundTripMs };
    case 'renamed': {
      const me = calmLine(event.name);
      return { ...state, me, conversations: state.conversations.map((known) => ({ ...known, me })) };
    }
    case 'timeline':
      return change(state, event.key, (conversation) => follow(conversation, event.snapshot));
    case 'beginning':
      return changeKnown(state, event.key, (conversation) => ({ ...conversation, beginning: true }));
    case 'entered':
      return enter(state, event.key);
    case 'left':
      return leave(state, event.key);
    case 'members': {
      const members = event.names.map(calmLine);
      return changeKnown(state, event.key, (known) => ({ ...known, members, memberCount: event.count }));
    }
    case 'rooms-known': {
      const knownRooms = [...new Set([...event.rooms, ...state.knownRooms])].slice(0, MAX_KNOWN_ROOMS);
      return { ...state, knownRooms };
    }
    case 'edit':
      return { ...state, input: editLine(state.input, event.edit), completion: undefined };
    case 'complete':
      return complete(state, event.direction);
    case 'recall': {
      const recalled = recall(state.history, event.direction, state.input.text);
      if (recalled === undefined) return state;
      const { history, text } = recalled;
      return { ...state, history, input: { text, cursor: text.length }, completion: undefined };
    }
    case 'submitted': {
      const { text } = state.input;
      const history = text.trim() === '' ? state.history : remember(state.history, text);
      return { ...state, history, input: EMPTY_LINE, completion: undefined };
    }
    case 'pasted':
      return paste(state, event.text);
    case 'paste-decided':
      return { ...state, paste: undefined };
    case 'scroll': {
      const { pane } = layoutFor(state.size);
      const rows = event.by === 'page' ? Math.max(1, pane.rows - 2) : 1;
      return changeCurrent(state, (conversation) => scrollBy(conversation, event.direction * rows, pane));
    }
    case 'scroll-to-end':
      return changeCurrent(state, scrollToEnd);
  }
}

/** The place of notes while there is no conversation. */
export const NOWHERE = '(no room)';

function change(
  state: ScreenState,
  key: string,
  by: (conversation: Conversation) => Conversation,
): ScreenState {
  if (state.conversations.some((conversation) => conversation.key === key))
    return changeKnown(state, key, by);
  const conversations = [...state.conversations, by(emptyConversation(key, state.me))];
  return { ...state, conversations: ordered(conversations), current: state.current ?? key };
}

function changeKnown(
  state: ScreenState,
  key: string,
  by: (conversation: Conversation) => Conversation,
): ScreenState {
  const conversations = state.conversations.map((conversation) =>
    conversation.key === key ? by(conversation) : conversation,
  );
  return { ...state, conversations };
}

function changeCurrent(state: ScreenState, by: (conversation: Conversation) => Conversation): ScreenState {
  return state.current === undefined ? state : changeKnown(state, state.current, by);
}

/** Rooms before users; each in the order of their coming, so that numbers stay what they were. */
function ordered(conversations: readonly Conversation[]): Conversation[] {
  const rooms = conversations.filter(({ kind }) => kind === 'room');
  return [...rooms, ...conversations.filter(({ kind }) => kind === 'direct')];
}

function enter(state: ScreenState, key: string): ScreenState {
  const entered = change(state, key, (conversation) => conversation);
  const conversations = entered.conversations.filter((known) => known.key === key || known.key !== NOWHERE);
  return { ...entered, conversations, current: key, completion: undefined };
}

function leave(state: ScreenState, key: string): ScreenState {
  const at = state.conversations.findIndex((conversation) => conversation.key === key);
  if (at === -1) return state;
  const conversations = state.conversations.filter((conversation) => conversation.key !== key);
  if (state.current !== key) return { ...state, conversations };
  const next = conversations[Math.min(at, conversations.length - 1)];
  const left = { ...state, conversations, current: undefined };
  return next === undefined ? left : enter(left, next.key);
}

function complete(state: ScreenState, direction: -1 | 1): ScreenState {
  const completion = state.completion
    ? stepCompletion(state.completion, direction)
    : beginCompletion(state.input, vocabulary(state), direction);
  if (completion === undefined) return state;
  return { ...state, completion, input: completedLine(state.input, completion) };
}

/** The last speakers come first, then the others of the room, then everybody else who is known. */
function vocabulary(state: ScreenState): {
  readonly names: readonly string[];
  readonly rooms: readonly string[];
} {
  const present = currentConversation(state);
  const spoke = present?.snapshot.items
    .slice(-RECENT_ITEMS)
    .flatMap((item) => (item.kind === 'message' && !item.own ? [calmLine(item.sender.name)] : []))
    .reverse();
  const all = state.conversations.flatMap((known) =>
    known.kind === 'direct' ? [known.key.slice(1), ...known.members] : known.members,
  );
  const names = new Set([...(spoke ?? []), ...(present?.members ?? []), ...all]);
  names.delete(state.me);
  const joined = state.conversations.filter(({ kind }) => kind === 'room').map(({ key }) => key);
  return { names: [...names], rooms: [...new Set([...joined, ...state.knownRooms])] };
}

/** One line goes into the input; several wait for a decision, joined with what was typed around them. */
function paste(state: ScreenState, text: string): ScreenState {
  const lines = text.replace(/(\r\n|[\n\r])+$/, '').split(/\r\n|[\n\r]/);
  if (lines.length === 1) {
    const [line = ''] = lines;
    return reduce(state, { type: 'edit', edit: { type: 'insert', text: calmLine(line) } });
  }
  const { text: typed, cursor } = state.input;
  lines[0] = typed.slice(0, cursor) + lines[0]!;
  lines[lines.length - 1] += typed.slice(cursor);
  return { ...state, paste: lines, input: EMPTY_LINE, completion: undefined };
}
