import { describe, expect, it } from 'vitest';
import { bindKey } from '../../../src/screen/live/key-binding.js';
import {
  currentConversation,
  type ScreenEvent,
  type ScreenState,
} from '../../../src/screen/state/screen-state.js';
import type { Key } from '../../../src/screen/terminal/keyboard.js';
import { NOON, noted, numbered, said, stateAfter } from '../support/states.js';

const key = (chord: string, text = ''): Key => ({ type: 'key', chord, text });
const typed = (text: string): ScreenEvent => ({ type: 'edit', edit: { type: 'insert', text } });
const keysOf = ({ conversations }: ScreenState) => conversations.map((conversation) => conversation.key);
const sending = (pendingKey: number, text: string, room = 'lobby'): ScreenEvent => ({
  type: 'sending',
  key: room,
  pending: { key: pendingKey, text, item: said('ada', text, { own: true }) },
});

describe('reduce', () => {
  it('lists rooms before users, and turns to what is entered', () => {
    const state = stateAfter(
      { type: 'entered', key: 'lobby' },
      { type: 'items', key: '@bob', items: [said('bob', 'psst')] },
      { type: 'entered', key: 'random' },
    );
    expect(keysOf(state)).toEqual(['lobby', 'random', '@bob']);
    expect(state.current).toBe('random');
    expect(state.conversations[2]).toMatchObject({ unread: 1, mentioned: true });
  });

  it('counts as unread what comes while another room, or older text, is seen', () => {
    const items = numbered(40);
    const state = stateAfter(
      { type: 'entered', key: 'lobby' },
      { type: 'items', key: 'lobby', items },
      { type: 'items', key: 'random', items: numbered(3) },
      { type: 'scroll', by: 'page', direction: -1 },
      { type: 'items', key: 'lobby', items: numbered(2) },
    );
    expect(state.conversations.map(({ unread }) => unread)).toEqual([2, 3]);
    const back = stateAfter(
      { type: 'entered', key: 'lobby' },
      { type: 'items', key: 'random', items },
      { type: 'entered', key: 'random' },
    );
    expect(currentConversation(back)).toMatchObject({ unread: 0, newFrom: 0 });
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
    const nowhere = stateAfter({ type: 'items', key: undefined, items: [noted('cannot join')] });
    expect(currentConversation(nowhere)?.log.items).toHaveLength(1);
    const state = stateAfter(
      { type: 'items', key: undefined, items: [noted('x')] },
      { type: 'entered', key: 'lobby' },
    );
    expect(keysOf(state)).toEqual(['lobby']);
  });

  it('shows an own message from pending to acknowledged', () => {
    const pending = stateAfter({ type: 'entered', key: 'lobby' }, sending(1, 'hi'));
    expect(currentConversation(pending)?.pending).toHaveLength(1);
    const echo: ScreenEvent = { type: 'items', key: 'lobby', items: [said('ada', 'hi', { own: true })] };
    const done = stateAfter({ type: 'entered', key: 'lobby' }, sending(1, 'hi'), echo, {
      type: 'sent',
      key: 'lobby',
      pendingKey: 1,
    });
    expect(currentConversation(done)).toMatchObject({
      pending: [],
      log: { items: [{ type: 'spoken', own: true }] },
    });
  });

  it('shows an own message that failed, and leaves its likes alone', () => {
    const state = stateAfter({ type: 'entered', key: 'lobby' }, sending(1, 'hi'), sending(2, 'hi'), {
      type: 'not-sent',
      key: 'lobby',
      pendingKey: 1,
      at: NOON,
      failure: 'too\nlarge',
    });
    expect(currentConversation(state)?.pending.map((pending) => pending.key)).toEqual([2]);
    expect(currentConversation(state)?.log.items).toMatchObject([{ failure: 'too large' }]);
  });

  it('shows a direct message once it is acknowledged, since it has no echo', () => {
    const item = said('ada', 'psst', { own: true });
    const state = stateAfter({ type: 'entered', key: '@bob' }, sending(1, 'psst', '@bob'), {
      type: 'sent',
      key: '@bob',
      pendingKey: 1,
      item,
    });
    expect(currentConversation(state)).toMatchObject({ pending: [], log: { items: [item] } });
  });

  it('goes to the newest when something is sent', () => {
    const state = stateAfter(
      { type: 'entered', key: 'lobby' },
      { type: 'items', key: 'lobby', items: numbered(40) },
      { type: 'scroll', by: 'page', direction: -1 },
      sending(1, 'hi'),
    );
    expect(currentConversation(state)?.scroll).toBeUndefined();
  });

  it('completes names, those who spoke last first', () => {
    const events: ScreenEvent[] = [
      { type: 'entered', key: 'lobby' },
      { type: 'members', key: 'lobby', names: ['ada', 'bea', 'ben', 'bob'], count: 4 },
      { type: 'items', key: 'lobby', items: [said('ben', 'x'), said('bob', 'y')] },
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
