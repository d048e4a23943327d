import { describe, expect, it } from 'vitest';
import { bindKey } from '../../../src/screen/live/key-binding.js';
import {
  currentConversation,
  NOWHERE,
  type ScreenEvent,
  type ScreenState,
} from '../../../src/screen/state/screen-state.js';
import type { Key } from '../../../src/screen/terminal/keyboard.js';
import { has, noted, said, stateAfter } from '../support/states.js';

const key = (chord: string, text = ''): Key => ({ type: 'key', chord, text });
const typed = (text: string): ScreenEvent => ({ type: 'edit', edit: { type: 'insert', text } });
const keysOf = ({ conversations }: ScreenState) => conversations.map((conversation) => conversation.key);

describe('reduce', () => {
  it('lists rooms before users, and turns to what is entered', () => {
    const state = stateAfter(
      { type: 'entered', key: 'lobby' },
      has('@bob', [said('bob', 'psst')], { unread: 1 }),
      { type: 'entered', key: 'random' },
    );
    expect(keysOf(state)).toEqual(['lobby', 'random', '@bob']);
    expect(state.current).toBe('random');
    expect(state.conversations[2]).toMatchObject({ snapshot: { unread: 1 }, mentioned: true });
  });

  it('turns to a neighbour when the room that is seen is left', () => {
    const rooms = ['a', 'b', 'c'].map((room): ScreenEvent => ({ type: 'entered', key: room }));
    expect(stateAfter(...rooms, { type: 'entered', key: 'b' }, { type: 'left', key: 'b' }).current).toBe('c');
    expect(stateAfter(...rooms, { type: 'left', key: 'c' }).current).toBe('b');
    expect(stateAfter({ type: 'entered', key: 'a' }, { type: 'left', key: 'a' })).toMatchObject({
      current: undefined,
      conversations: [],
    });
  });

  it('has a place for words while there is no room, and drops it when there is one', () => {
    const nowhere = stateAfter(has(NOWHERE, [noted('cannot join')]));
    expect(currentConversation(nowhere)?.snapshot.items).toHaveLength(1);
    const state = stateAfter(has(NOWHERE, [noted('x')]), { type: 'entered', key: 'lobby' });
    expect(keysOf(state)).toEqual(['lobby']);
  });

  it('marks the beginning of a conversation that is known, and makes none', () => {
    const beginning: ScreenEvent = { type: 'beginning', key: 'lobby' };
    const state = stateAfter({ type: 'entered', key: 'lobby' }, beginning);
    expect(currentConversation(state)?.beginning).toBe(true);
    expect(stateAfter(beginning).conversations).toEqual([]);
  });

  it('tells every conversation of a new name', () => {
    const rooms = ['a', 'b'].map((room): ScreenEvent => ({ type: 'entered', key: room }));
    const state = stateAfter(...rooms, { type: 'renamed', name: 'ida' });
    expect(state.conversations.map(({ me }) => me)).toEqual(['ida', 'ida']);
  });

  it('completes names, those who spoke last first', () => {
    const events: ScreenEvent[] = [
      { type: 'entered', key: 'lobby' },
      { type: 'members', key: 'lobby', names: ['ada', 'bea', 'ben', 'bob'], count: 4 },
      has('lobby', [said('ben', 'x'), said('bob', 'y')]),
      typed('b'),
    ];
    const after = (times: number) =>
      stateAfter(...events, ...Array<ScreenEvent>(times).fill({ type: 'complete', direction: 1 })).input.text;
    expect([1, 2, 3, 4].map(after)).toEqual(['bob: ', 'ben: ', 'bea: ', 'bob: ']);
  });

  it('takes one pasted line into the input, and lets several wait for a decision', () => {
    const one = stateAfter(typed('say '), { type: 'pasted', text: 'hello\tyou\n' });
    expect(one).toMatchObject({ input: { text: 'say hello    you' }, paste: undefined });
    const many = stateAfter(typed('a'), { type: 'pasted', text: 'one\r\n/quit\rthree\n\n' });
    expect(many).toMatchObject({ input: { text: '' }, paste: ['aone', '/quit', 'three'] });
  });
});

describe('bindKey', () => {
  const state = stateAfter(typed('hello'));

  it('writes what is text, and knows keys by their names', () => {
    expect(bindKey(key('x', 'x'), state)).toEqual({ event: typed('x') });
    expect(bindKey(key('ctrl+w'), state)).toEqual({
      event: { type: 'edit', edit: { type: 'delete-word-left' } },
    });
    expect(bindKey(key('alt+3'), state)).toEqual({ task: { type: 'switch', to: 2 } });
    expect(bindKey(key('return'), state)).toEqual({ task: { type: 'submit' } });
    expect(bindKey(key('f11'), state)).toBeUndefined();
  });

  it('lets no key but those that decide have a meaning while pasted lines wait', () => {
    const waiting = stateAfter({ type: 'pasted', text: 'one\n/quit' });
    for (const ignored of [key('x', 'x'), key('ctrl+d'), key('tab'), key('alt+1')])
      expect(bindKey(ignored, waiting)).toBeUndefined();
    expect(bindKey({ type: 'paste', text: 'more' }, waiting)).toBeUndefined();
    expect(bindKey(key('return'), waiting)).toEqual({ task: { type: 'send-paste', as: 'message' } });
    expect(bindKey(key('L', 'L'), waiting)).toEqual({ task: { type: 'send-paste', as: 'lines' } });
    expect(bindKey(key('escape'), waiting)).toEqual({ event: { type: 'paste-decided' } });
  });
});
