import { describe, expect, it } from 'vitest';
import { message, own } from '../../../../../packages/client/test/support/fake-room.js';
import { FakeChat } from '../support/fake-chat.js';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

const sent = (seq: number) => ({ id: `e-${seq}`, seq, at: seq });

describe('what arrives', () => {
  it('costs a frame, and not one for each message', async () => {
    const chat = await FakeChat.inLobby();
    chat.now();
    const before = chat.frames.length;
    chat.hear(1, 5000);
    expect(chat.frames.length).toBe(before);
    chat.clock.advance(66);
    expect(chat.frames.length).toBe(before + 1);
    expect(chat.now().snapshot.items).toHaveLength(5000);
  });

  it('is unread while older text is seen, and read at the newest', async () => {
    const chat = await FakeChat.inLobby();
    chat.hear(1, 40);
    expect(chat.now().snapshot).toMatchObject({ unread: 0, firstUnread: undefined });
    chat.press('pageup');
    chat.hear(41, 42);
    expect(chat.now().snapshot).toMatchObject({ unread: 2, firstUnread: 'e-41' });
    chat.press('escape');
    expect(chat.now().snapshot).toMatchObject({ unread: 0, firstUnread: 'e-41' });
  });

  it('is unread while another conversation is seen; the mark goes when the user turns away', async () => {
    const chat = await FakeChat.inLobby();
    chat.hearDirect('psst');
    expect(chat.now('@Bob')).toMatchObject({ mentioned: true, snapshot: { unread: 1 } });
    chat.press('alt+a');
    expect(chat.now()).toMatchObject({ key: '@Bob', mentioned: false, snapshot: { unread: 0 } });
    chat.room.tell(message(7, 'ada?'));
    expect(chat.now('lobby')).toMatchObject({ mentioned: true, snapshot: { unread: 1 } });
    chat.press('ctrl+n');
    expect(chat.now().snapshot).toMatchObject({ unread: 0, firstUnread: 'e-7' });
    chat.press('ctrl+n');
    expect(chat.now('lobby').snapshot.firstUnread).toBeUndefined();
  });

  it('is heard, wherever it is said and whatever is seen', async () => {
    const chat = await FakeChat.inLobby();
    chat.hear(1, 2);
    chat.hearDirect('psst');
    expect(chat.heard).toEqual(['message 1', 'message 2', '@psst']);
  });

  it('is loaded page by page when the user scrolls up, until the beginning is told', async () => {
    const chat = await FakeChat.inLobby();
    chat.hear(51, 60);
    chat.press('pageup');
    expect(chat.room.pages).toMatchObject([{ before: 51 }]);
    const entries = Array.from({ length: 50 }, (_, index) => message(index + 1, `${index + 1}`));
    chat.room.pages[0]!.resolve({ entries, end: true });
    await turns();
    expect(chat.now()).toMatchObject({ beginning: true, snapshot: { atStart: true, firstIndex: -50 } });
    chat.press('pageup', 'pageup');
    expect(chat.room.pages).toHaveLength(1);
  });
});

describe('an own message', () => {
  it('is known again by its place in the log, also beside one of the same text', async () => {
    const chat = await FakeChat.inLobby();
    chat.enter('hi');
    chat.enter('hi');
    const keys = chat.now().snapshot.outgoing.map(({ key }) => key);
    chat.room.sends[1]!.resolve(sent(4));
    await turns();
    chat.room.tell(own(4, 'hi'));
    expect(chat.now().snapshot.outgoing.map(({ key }) => key)).toEqual([keys[0]]);
    expect(chat.now().waiting).toBe(1);
  });

  it('that failed stays, is sent again, or dropped', async () => {
    const chat = await FakeChat.inLobby();
    chat.enter('/me waves');
    chat.room.sends[0]!.reject(new Error('too large'));
    await turns();
    expect(chat.now().snapshot.outgoing).toMatchObject([{ status: 'failed', value: '/me waves' }]);
    chat.press('alt+r');
    expect(chat.room.sends.map(({ value }) => value)).toEqual(['/me waves', '/me waves']);
    chat.room.sends[1]!.reject(new Error('too large'));
    await turns();
    chat.press('alt+x');
    expect(chat.now().snapshot.outgoing).toEqual([]);
    chat.press('alt+r', 'alt+x');
    expect(chat.texts()).toEqual([]);
  });

  it('takes the user to the newest', async () => {
    const chat = await FakeChat.inLobby();
    chat.hear(1, 40);
    chat.press('pageup');
    expect(chat.now().scroll).toBeDefined();
    chat.enter('hi');
    expect(chat.now().scroll).toBeUndefined();
  });

  it('to one user is shown when it is acknowledged, since it has no echo', async () => {
    const chat = await FakeChat.inLobby();
    chat.direct = () => Promise.resolve(sent(9));
    chat.enter('/msg bob psst');
    await chat.controller.settled();
    expect(chat.texts('@bob')).toEqual(['psst']);
    expect(chat.now()).toMatchObject({ key: '@bob', snapshot: { outgoing: [] } });
  });

  it('goes nowhere where there is no room, which is said', async () => {
    const chat = new FakeChat();
    chat.enter('hello?');
    expect(chat.texts()).toEqual(['* you are in no room: /join one first']);
    await chat.controller.join('lobby');
    chat.now();
    expect(chat.controller.state.conversations.map(({ key }) => key)).toEqual(['lobby']);
  });

  it('of several pasted lines ends them where it fails', async () => {
    const chat = await FakeChat.inLobby();
    chat.controller.press({ type: 'paste', text: 'one\ntwo\n\nthree' });
    chat.press('l');
    chat.room.sends[0]!.resolve(sent(1));
    await turns();
    chat.room.sends[1]!.reject(new Error('no'));
    await chat.controller.settled();
    expect(chat.room.sends.map(({ value }) => value)).toEqual(['one', 'two']);
    expect(chat.texts()).toEqual(['* the last pasted line was not sent']);
  });
});

describe('the screen', () => {
  it('tells others that the user writes, and that it ended when the user looks elsewhere', async () => {
    const chat = await FakeChat.inLobby();
    chat.hearDirect('psst');
    chat.controller.press({ type: 'key', chord: 'h', text: 'h' });
    expect(chat.room.signals).toEqual([{ typing: true }]);
    chat.press('alt+a');
    expect(chat.room.signals).toEqual([{ typing: true }, { typing: false }]);
  });

  it('leaves no timer and no listener behind, and draws no more', async () => {
    const chat = await FakeChat.inLobby();
    chat.hear(1, 3);
    chat.enter('hi');
    chat.room.sends[0]!.resolve(sent(4));
    await turns();
    chat.controller.stop();
    const { length } = chat.frames;
    chat.hear(5, 6);
    chat.clock.advance(100_000);
    expect([chat.clock.timers, chat.frames.length]).toEqual([0, length]);
  });
});
