// @vitest-environment jsdom
/// <reference lib="dom" />
/** The hooks of `@chat/client/react` in a page without a screen, with a server. */
import { type ChatClient, type ClientState, connect } from '@chat/client';
import {
  ChatProvider,
  useChat,
  useConnection,
  useMembers,
  useMessages,
  useRoom,
  useTyping,
} from '@chat/client/react';
import { jsonCodec, textCodec } from '@chat/protocol';
import { type ChatServer, createChatServer, type Hooks, UNLIMITED } from '@chat/server';
import { Component, createElement as h, type ReactNode, StrictMode, Suspense, use } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Scene {
  readonly server: ChatServer;
  readonly url: string;
  /** Comings and goings, as the server sees them. */
  readonly seen: string[];
}

async function listen(hooks: Hooks = {}): Promise<Scene> {
  const server = createChatServer({ ...UNLIMITED, hooks });
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  closers.push(() => server.close());
  if (address.kind !== 'tcp') throw new Error('not a TCP address');
  const seen: string[] = [];
  server.on('room-joined', ({ name, room }) => seen.push(`${name} in ${room}`));
  server.on('room-left', ({ name, room }) => seen.push(`${name} out of ${room}`));
  server.on('session-ended', ({ name }) => seen.push(`${name} gone`));
  return { server, url: `tcp://127.0.0.1:${address.port}`, seen };
}

async function enter(url: string, name: string): Promise<ChatClient> {
  const client = await connect(url, { name });
  closers.push(() => client.close());
  return client;
}

/** A page: what is in it, and a way to draw something else. */
function show(element: ReactNode): { readonly page: HTMLElement; readonly root: Root } {
  const page = document.createElement('main');
  const root = createRoot(page);
  root.render(element);
  closers.push(() => root.unmount());
  return { page, root };
}

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });

const within = (url: string, ...children: ReactNode[]): ReactNode =>
  h(StrictMode, null, h(ChatProvider, { url, options: { name: 'ada' } }, ...children));

/** All that is told of a room, as text. */
function View({ room: name = 'lobby' }: { readonly room?: string }): ReactNode {
  const { status } = useConnection();
  const room = useRoom(name, { history: 10 });
  const { items, outgoing, send } = useMessages(room);
  const members = useMembers(room);
  const { typists, typing } = useTyping(room);
  const said = items.flatMap((item) =>
    item.kind === 'message' ? [`${item.sender.name}: ${item.value}`] : [],
  );
  const names = (list: readonly { readonly name: string }[]): string => list.map((one) => one.name).join(' ');
  return h(
    'section',
    null,
    h('p', null, `${status}, ${room.status}; here: ${names(members)}; typing: ${names(typists)}`),
    h('pre', null, said.join('\n')),
    h('i', null, outgoing.length),
    h('button', { type: 'button', onClick: () => void send('from the page') }, 'send'),
    h('input', { onInput: () => typing(true) }),
  );
}

const text = (page: HTMLElement, selector: string): string => page.querySelector(selector)?.textContent ?? '';

describe('a page in strict mode', () => {
  it('joins once, shows what is told, says what is sent, and leaves', async () => {
    const { url, seen } = await listen();
    const bob = await enter(url, 'bob');
    const lobby = await bob.join('lobby');
    const heard = lobby.messages();
    await lobby.send('before');
    const { page, root } = show(within(url, h(View)));
    await until(() => expect(text(page, 'p')).toBe('open, joined; here: bob ada; typing: '));
    await until(() => expect(text(page, 'pre')).toBe('bob: before'));

    await lobby.send('after');
    lobby.signal({ typing: true });
    await until(() => expect(text(page, 'p')).toContain('typing: bob'));
    expect(text(page, 'pre')).toBe('bob: before\nbob: after');

    const typing = new Promise((resolve) => lobby.on('signal', resolve, { once: true }));
    page.querySelector('input')!.dispatchEvent(new Event('input', { bubbles: true }));
    expect(await typing).toMatchObject({ sender: { name: 'ada' }, value: { typing: true } });
    page.querySelector('button')!.dispatchEvent(new Event('click', { bubbles: true }));
    await until(() => expect(text(page, 'pre')).toBe('bob: before\nbob: after\nada: from the page'));
    expect(text(page, 'i')).toBe('0');
    for await (const { sender } of heard) if (sender.name === 'ada') break;

    root.unmount();
    await until(() => expect(seen.at(-1)).toBe('ada gone'));
    expect(seen.filter((line) => line.startsWith('ada in'))).toEqual(['ada in lobby']);
  });

  it('shares a room between components, and leaves it after the last', async () => {
    const { url, seen } = await listen();
    const { page, root } = show(within(url, h(View, { key: 1 }), h(View, { key: 2 })));
    await until(() => expect(page.textContent?.match(/joined; here: ada/g)).toHaveLength(2));
    root.render(within(url, h(View, { key: 2 })));
    await until(() => expect(page.querySelectorAll('section')).toHaveLength(1));
    page.querySelector('button')!.dispatchEvent(new Event('click', { bubbles: true }));
    await until(() => expect(text(page, 'pre')).toBe('ada: from the page'));
    root.render(within(url));
    await until(() => expect(seen).toEqual(['ada in lobby', 'ada out of lobby']));
  });

  it('goes from one room to another', async () => {
    const { url, seen } = await listen();
    const { page, root } = show(within(url, h(View, { room: 'one' })));
    await until(() => expect(text(page, 'p')).toContain('joined'));
    root.render(within(url, h(View, { room: 'two' })));
    await until(() => expect(seen).toEqual(['ada in one', 'ada in two', 'ada out of one']));
    await until(() => expect(text(page, 'p')).toContain('joined'));
  });

  it('says that a room refuses it, and tries again when it is told to', async () => {
    let isOpen = false;
    const { url } = await listen({ authorize: (_session, action) => action !== 'join' || isOpen });
    function Door(): ReactNode {
      const { status, error, retry } = useRoom('club');
      return h(
        'button',
        { type: 'button', onClick: retry },
        `${status} ${(error as { code?: string })?.code ?? ''}`,
      );
    }
    const { page } = show(within(url, h(Door)));
    await until(() => expect(text(page, 'button')).toBe('failed ERR_CLIENT_FORBIDDEN'));
    isOpen = true;
    page.querySelector('button')!.dispatchEvent(new Event('click', { bubbles: true }));
    await until(() => expect(text(page, 'button')).toBe('joined '));
  });

  it('says that it was removed from a room, and that a connection is lost', async () => {
    const { url, server } = await listen();
    const { page } = show(within(url, h(View)));
    await until(() => expect(text(page, 'p')).toContain('open, joined; here: ada'));
    server.removeFromRoom('ada', 'lobby');
    await until(() => expect(text(page, 'p')).toContain('open, failed; here: ;'));
    server.kick('ada');
    await until(() => expect(text(page, 'p')).toContain('closed, failed'));
  });
});

describe('a page without a connection', () => {
  it('joins when there is one, however long that takes, and says what was written meanwhile', async () => {
    const first = await listen();
    const { port } = new URL(first.url);
    await first.server.close();
    const options = { name: 'ada', reconnect: { initial: true, baseDelayMs: 5, maxDelayMs: 20 } };
    const { page } = show(h(ChatProvider, { url: first.url, options }, h(View)));
    await until(() => expect(text(page, 'p')).toContain('reconnecting, joining'));
    page.querySelector('button')!.dispatchEvent(new Event('click', { bubbles: true }));
    await until(() => expect(text(page, 'i')).toBe('1'));
    const server = createChatServer(UNLIMITED);
    closers.push(() => server.close());
    await server.listen({ port: Number(port), host: '127.0.0.1' });
    await until(() => expect(text(page, 'p')).toContain('open, joined; here: ada'));
    await until(() => expect(text(page, 'pre')).toBe('ada: from the page'));
  });

  it('asks for no room before there is one, whose answer would be late', async () => {
    const listeners = new Set<(state: ClientState) => void>();
    const client = {
      state: { status: 'reconnecting' },
      joined: new Map(),
      join: vi.fn(() => new Promise(() => {})),
      on: (_event: string, listener: (state: ClientState) => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    show(h(ChatProvider, { client: client as unknown as ChatClient }, h(View)));
    // One of the connection, one of the room.
    await until(() => expect(listeners.size).toBe(2));
    expect(client.join).not.toHaveBeenCalled();
    client.state = { status: 'open' };
    for (const listener of listeners) listener(client.state as ClientState);
    for (const listener of listeners) listener(client.state as ClientState);
    expect(client.join).toHaveBeenCalledTimes(1);
  });

  it('says why when there will be none, and joins when the program connects anew', async () => {
    const { url } = await listen();
    const client = await enter(url, 'ada');
    const { page } = show(h(ChatProvider, { client }, h(View)));
    await until(() => expect(text(page, 'p')).toContain('open, joined'));
    await client.close();
    await until(() => expect(text(page, 'p')).toContain('closed, failed'));
    await client.connect();
    await until(() => expect(text(page, 'p')).toContain('open, joined; here: ada'));
  });
});

describe('a client of the program', () => {
  it('is neither closed nor taken out of a room that it had before', async () => {
    const { url, seen } = await listen();
    const client = await enter(url, 'ada');
    await client.join('lobby');
    const { page, root } = show(h(ChatProvider, { client }, h(View), h(View, { room: 'other' })));
    await until(() => expect(page.textContent?.match(/joined; here: ada/g)).toHaveLength(2));
    root.unmount();
    await until(() => expect(seen.at(-1)).toBe('ada out of other'));
    expect(client.state.status).toBe('open');
    await until(() => expect([...client.joined.keys()]).toEqual(['lobby']));
  });

  it('may be another one after a while', async () => {
    const { url, seen } = await listen();
    const [one, two] = [await enter(url, 'one'), await enter(url, 'two')];
    const { page, root } = show(h(ChatProvider, { client: one }, h(View)));
    await until(() => expect(text(page, 'p')).toContain('here: one'));
    root.render(h(ChatProvider, { client: two }, h(View)));
    await until(() => expect(text(page, 'p')).toMatch(/joined; here: two;/));
    await until(() => expect(seen).toContain('one out of lobby'));
  });
});

describe('rendering', () => {
  it('on a server connects nothing, and goes on in the page without a difference', async () => {
    const { url, seen, server } = await listen();
    const element = within(url, h(View));
    const html = renderToString(element);
    expect(html).toContain('idle, joining; here: ; typing: ');
    expect(server.sessions()).toEqual([]);

    const page = document.createElement('main');
    page.innerHTML = html;
    const errors: unknown[] = [];
    const root = hydrateRoot(page, element, { onRecoverableError: (error) => errors.push(error) });
    closers.push(() => root.unmount());
    await until(() => expect(text(page, 'p')).toContain('open, joined; here: ada'));
    expect(errors).toEqual([]);
    expect(seen).toEqual(['ada in lobby']);
  });

  it('that is given up and done again joins once', async () => {
    const { url, seen } = await listen();
    let go!: () => void;
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    function Late(): ReactNode {
      const room = useRoom('lobby');
      use(wait);
      return h('p', null, room.status);
    }
    const { page } = show(within(url, h(Suspense, { fallback: h('b', null, 'wait') }, h(Late))));
    await until(() => expect(text(page, 'b')).toBe('wait'));
    expect(seen).toEqual([]);
    go();
    await until(() => expect(text(page, 'p')).toBe('joined'));
    expect(seen).toEqual(['ada in lobby']);
  });

  it('gives the same client and functions each time', async () => {
    const { url } = await listen();
    const given: unknown[][] = [];
    function Stable(): ReactNode {
      const room = useRoom('lobby');
      const { send, loadOlder } = useMessages(room);
      const { typing } = useTyping(room);
      given.push([useChat(), room.room, room.timeline, send, loadOlder, typing, useMembers(room)]);
      return h('p', null, `${room.status} ${room.timeline?.snapshot.items.length}`);
    }
    const { page } = show(h(ChatProvider, { url, options: { name: 'ada' } }, h(Stable)));
    await until(() => expect(text(page, 'p')).toContain('joined'));
    const bob = await enter(url, 'bob');
    const lobby = await bob.join('lobby');
    await until(() => expect(given.at(-1)!.at(-1)).toHaveLength(2));
    const before = given.at(-1)!;
    const count = given.length;
    await lobby.send('hello');
    await until(() => expect(given.length).toBeGreaterThan(count));
    expect(given.at(-1)!.every((value, i) => value === before[i])).toBe(true);
  });
});

describe('a mistake', () => {
  class Border extends Component<{ readonly children?: ReactNode }, { readonly error?: Error }> {
    override state: { readonly error?: Error } = {};
    static getDerivedStateFromError(error: Error): { readonly error: Error } {
      return { error };
    }
    override render(): ReactNode {
      return this.state.error ? h('p', null, this.state.error.message) : this.props.children;
    }
  }

  it('is told: no provider, or a second codec for a room', async () => {
    const page = document.createElement('main');
    const root = createRoot(page, { onCaughtError: () => {} });
    closers.push(() => root.unmount());
    root.render(h(Border, { key: 1 }, h(View)));
    await until(() => expect(text(page, 'p')).toBe('there is no <ChatProvider> around this component'));

    const { url } = await listen();
    function Coded({ isText }: { readonly isText: boolean }): ReactNode {
      const room = useRoom<unknown>('lobby', { codec: isText ? textCodec : jsonCodec });
      return h('i', null, room.status);
    }
    const both = [h(Coded, { key: 1, isText: true }), h(Coded, { key: 2, isText: false })];
    root.render(h(Border, { key: 2 }, h(ChatProvider, { url, options: { name: 'ada' } }, both)));
    await until(() => expect(text(page, 'p')).toBe('the room lobby is used with another codec'));
  });
});
