import { ClientError } from '@chat/client';
import { describe, expect, it } from 'vitest';
import { ChatModel } from '../../src/model/chat-model.js';
import type { Conversation } from '../../src/model/conversation.js';
import type { News } from '../../src/model/notifications.js';
import { type KeyValueStore, Preferences } from '../../src/model/preferences.js';
import { FakeClient } from '../support/fake-client.js';

const SERVER = 'ws://test';

class Store implements KeyValueStore {
  readonly #items = new Map<string, string>();
  getItem = (key: string): string | null => this.#items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.#items.set(key, value);
  removeItem = (key: string): void => void this.#items.delete(key);
}

/** A model that is connected; the joins of its rooms are under way. */
async function connected(...rooms: string[]) {
  const preferences = new Preferences(new Store(), new Store());
  if (rooms.length > 0) preferences.setRooms(SERVER, rooms);
  const client = new FakeClient('Ada');
  const page = { visible: true, draws: [] as (() => void)[], news: [] as News[] };
  const model = new ChatModel({
    createClient: () => client.asClient(),
    preferences,
    schedule: (draw) => page.draws.push(draw),
    isVisible: () => page.visible,
    notifications: {
      permission: 'granted',
      ask: () => Promise.resolve(),
      show: (news) => page.news.push(news),
    },
  });
  void model.connect(SERVER, 'Ada');
  for (let i = 0; i < 5; i++) await Promise.resolve();
  return { model, client, preferences, page };
}

/** Such a model, and a message that it has heard in the lobby, at position 7. */
async function heard(text: string) {
  const { model, client } = await connected('lobby');
  const lobby = await client.admit('lobby');
  lobby.hear(7, text);
  const conversation = model.active!;
  const [item] = conversation.timeline.snapshot.items;
  if (item?.kind !== 'message') throw new Error('no message');
  return { model, client, conversation, item };
}

function named(model: ChatModel, name: string): Conversation {
  return model.conversations.find((conversation) => conversation.name === name)!;
}

describe('ChatModel', () => {
  it('joins the rooms of the last visit, and remembers whom it is connected as', async () => {
    const { model, client, preferences } = await connected('lobby', 'garden');
    expect(model.phase).toBe('chatting');
    expect([...client.joining.keys()]).toEqual(['lobby', 'garden']);
    expect(model.active?.name).toBe('lobby');
    expect(preferences.visit).toEqual({ server: SERVER, name: 'Ada' });
  });

  it('begins in the lobby where it has never been', async () => {
    const { client } = await connected();
    expect([...client.joining.keys()]).toEqual(['lobby']);
  });

  it('counts what is not looked at: in other rooms, and while the page is hidden', async () => {
    const { model, client, page } = await connected('lobby', 'garden');
    const lobby = await client.admit('lobby');
    const garden = await client.admit('garden');
    lobby.hear(1, 'seen');
    garden.hear(2, 'not seen');
    page.visible = false;
    lobby.hear(3, 'not seen either');
    expect(model.unread).toBe(2);
    page.visible = true;
    model.markRead();
    expect(model.unread).toBe(1);
    model.show(named(model, 'garden'));
    expect(model.unread).toBe(0);
  });

  it('notifies of what speaks of the user while the page is hidden, and leads there', async () => {
    const { model, client, page } = await connected('lobby', 'garden');
    await client.admit('lobby');
    const garden = await client.admit('garden');
    garden.hear(1, '@Ada, look');
    page.visible = false;
    garden.hear(2, 'an adapter');
    garden.hear(3, 'and you, ada?');
    client.tell('direct', {
      ...{ type: 'direct', id: 'e1-4', seq: 4, prev: 0, at: 4, own: false, history: false },
      ...{ sender: { id: 2, name: 'Grace' }, value: 'psst', codec: 1 },
    });
    expect(page.news).toMatchObject([
      { tag: 'room:garden', title: 'Grace in garden', body: 'and you, ada?' },
      { tag: 'direct:grace', title: 'Grace', body: 'psst' },
    ]);
    page.news[0]?.open();
    expect(model.active?.name).toBe('garden');
  });

  it('leaves a room that was left before it was in', async () => {
    const { model, client, preferences } = await connected('lobby', 'garden');
    await model.leave(named(model, 'garden'));
    expect((await client.admit('garden')).left).toBe(true);
    expect((await client.admit('lobby')).left).toBe(false);
    expect(model.conversations.map(({ name }) => name)).toEqual(['lobby']);
    expect(preferences.rooms(SERVER)).toEqual(['lobby']);
  });

  it('keeps the conversation of a room that was lost, and says why', async () => {
    const { model, client } = await connected('lobby');
    await client.admit('lobby');
    client.tell('room-lost', { room: 'lobby', error: new Error('shown out') });
    expect(named(model, 'lobby')).toMatchObject({ room: undefined, error: { message: 'shown out' } });
  });

  it('goes back to the form when the connection is over, and says nothing more', async () => {
    const { model, client, preferences } = await connected('lobby');
    const lobby = await client.admit('lobby');
    model.disconnect();
    expect(model.phase).toBe('signed-out');
    expect(client.closed).toBe(true);
    expect(preferences.visit).toBeUndefined();
    client.become({ status: 'open', resumed: false });
    lobby.hear(1, 'too late');
    expect(model.conversations).toEqual([]);
    expect(model.state).toEqual({ status: 'idle' });
  });

  it('draws once for many changes', async () => {
    const { model, client, page } = await connected('lobby');
    const lobby = await client.admit('lobby');
    let drawn = 0;
    model.subscribe(() => drawn++);
    for (const draw of page.draws.splice(0)) draw();
    drawn = 0;
    for (let seq = 1; seq <= 50; seq++) lobby.hear(seq, `message ${seq}`);
    for (const draw of page.draws.splice(0)) draw();
    expect(drawn).toBe(1);
  });

  it('looks at a message that was found; what arrives meanwhile is unread until it looks at the newest', async () => {
    const { model, client } = await connected('lobby', 'garden');
    await client.admit('lobby');
    const garden = await client.admit('garden');
    const hit = {
      id: 'e1-7',
      room: 'garden',
      seq: 7,
      at: 7,
      sender: { id: 2, name: 'Grace' },
      snippet: '',
      marks: [],
    };
    model.showHit(hit);
    const conversation = model.active!;
    expect(conversation).toMatchObject({ name: 'garden', excerpt: { hit } });
    garden.hear(9, 'meanwhile');
    expect(model.unread).toBe(1);
    if (conversation.kind === 'room') model.toNewest(conversation);
    expect([model.unread, named(model, 'garden')]).toMatchObject([0, { excerpt: undefined }]);
    model.showHit({ ...hit, room: 'elsewhere' });
    expect(model.active?.name).toBe('garden');
    expect(model.announcements.at(-1)?.text).toBe('You are not in elsewhere any more.');
  });

  it('changes an own message, and takes one back', async () => {
    const { model, client, conversation, item } = await heard('helo');
    model.edit(conversation, item);
    expect(conversation.editing).toBe(item);
    await model.correct(conversation, item, 'hello');
    await model.correct(conversation, item, undefined);
    expect(client.asked).toEqual([
      { op: 'edit', room: 'lobby', seq: 7, text: 'hello' },
      { op: 'take-back', room: 'lobby', seq: 7 },
    ]);
  });

  it('reacts to a message, takes that back where it is there, and tells what the server refuses', async () => {
    const { model, client, conversation, item } = await heard('tea?');
    const me = [{ id: client.asClient().id!, name: 'Ada' }];
    await model.react(conversation, item, '👍');
    await model.react(conversation, { ...item, reactions: [{ reaction: '👍', by: me }] }, '👍');
    const react = { op: 'react', room: 'lobby', seq: 7, reaction: '👍' };
    expect(client.asked).toEqual([
      { ...react, remove: false },
      { ...react, remove: true },
    ]);
    // Another guest of that name is another user.
    expect(model.isAmong(conversation, [{ id: 99, name: 'Ada' }])).toBe(false);
    client.answer = new ClientError('ERR_CLIENT_MUTED', 'muted');
    await model.react(conversation, item, '👍');
    const { items } = conversation.timeline.snapshot;
    expect(items.at(-1)).toMatchObject({ kind: 'local', value: { tone: 'problem' } });
  });

  it('answers typed commands below the messages, to the user alone', async () => {
    const { model, client } = await connected('lobby');
    await client.admit('lobby');
    expect(await model.type(model.active!, '/topic')).toBe('done');
    const { items } = model.active!.timeline.snapshot;
    expect(items).toMatchObject([{ kind: 'local', value: { tone: 'answer', text: 'topic: none' } }]);
    expect(client.asked).toEqual([]);
  });

  it('answers a message with the next one, and with that alone', async () => {
    const { model, client } = await connected('lobby');
    const lobby = await client.admit('lobby');
    lobby.hear(7, 'tea?');
    const conversation = model.active!;
    const [item] = conversation.timeline.snapshot.items;
    if (item?.kind !== 'message') throw new Error('no message');
    const sent: unknown[] = [];
    conversation.timeline.send = (...said) => Promise.resolve(sent.push(said) > 0);
    model.answer(conversation, item);
    model.writing.send(conversation, 'please');
    model.writing.send(conversation, 'and milk');
    expect(sent).toEqual([
      ['please', { reply: 7 }],
      ['and milk', { reply: undefined }],
    ]);
    model.edit(conversation, item);
    model.answer(conversation, item);
    expect([conversation.editing, conversation.answering]).toEqual([undefined, item]);
  });
});
