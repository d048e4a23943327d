/** A client that comes back after its process or page has ended is known by its secret, and its hellos go on counting. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FrameType, type Hello } from '@chat/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../../src/client.js';
import { type ClientIdentity, fileIdentity, type IdentityStore, tabIdentity } from '../../src/index.js';
import { comeBack, connected, join as joinRoom, scene } from '../support/connected.js';
import { FakeClock, turns } from '../support/fake-clock.js';
import { joined, ScriptedServer } from '../support/scripted-server.js';

/** The hello of a client that was started with this identity, and the client. */
async function start(identity: string | IdentityStore, clock?: FakeClock) {
  const made = await connected({ identity, ...(clock && { clock }) });
  return { ...made, hello: made.server.end.last(FrameType.Hello).hello };
}

/** A store in memory that shows what is in it. */
function memoryStore(): IdentityStore & { saved: ClientIdentity | undefined } {
  return {
    saved: undefined,
    async load() {
      return this.saved;
    },
    async save(identity) {
      this.saved = { ...identity };
    },
  };
}

const isLater = (a: Hello, b: Hello) => b.attempt! > a.attempt!;

describe('an identity', () => {
  it('is another one for each client when nobody keeps it', async () => {
    const [ada, bob] = [await connected(), await connected()];
    const [one, two] = [ada, bob].map(({ server }) => server.end.last(FrameType.Hello).hello.clientSecret);
    expect(one).not.toBe(two);
    expect(one!.length).toBeGreaterThanOrEqual(16);
  });

  it('is the same in a later run, which counts on', async () => {
    const store = memoryStore();
    const first = await start(store);
    // Killed, while it was trying to come back.
    for (let i = 0; i < 3; i++) {
      await first.server.end.cut();
      await comeBack(first);
    }
    const last = first.server.end.last(FrameType.Hello).hello;
    const second = await start(store);
    expect(second.hello.clientSecret).toBe(first.hello.clientSecret);
    expect([isLater(first.hello, last), isLater(last, second.hello)]).toEqual([true, true]);
    expect(store.saved).toEqual({ secret: first.hello.clientSecret, run: 1 });
  });

  it('may be a secret of the program, which counts by the time of day', async () => {
    const clock = new FakeClock();
    const first = await start('the secret of a program', clock);
    await clock.advance(1000);
    const second = await start('the secret of a program', clock);
    expect(second.hello.clientSecret).toBe('the secret of a program');
    expect(isLater(first.hello, second.hello)).toBe(true);
  });

  it.each(['too short', 'x'.repeat(65), ''])('refuses the secret "%s"', (identity) => {
    expect(() => scene({ identity })).toThrow(RangeError);
  });

  it('that cannot be kept is an error of connect, and nothing is said to the server', async () => {
    const full = { load: () => undefined, save: () => Promise.reject(new Error('the disk is full')) };
    const { client, server } = scene({ identity: full, reconnect: { initial: true } });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_IDENTITY',
      message: expect.stringContaining('the disk is full'),
    });
    expect(server.ends).toEqual([]);
  });

  it('is let go when the client is closed, and taken again when it connects again', async () => {
    const calls: string[] = [];
    const store: IdentityStore = {
      load: () => void calls.push('load'),
      save: () => void calls.push('save'),
      release: () => void calls.push('release'),
    };
    const made = scene({ identity: store });
    // As an effect that runs twice: closed before anything could happen.
    made.client.connect().catch(() => {});
    void made.client.close();
    const opened = made.client.connect();
    await turns();
    await made.server.end.welcome();
    await opened;
    await made.client.close();
    await turns();
    expect(made.server.ends).toHaveLength(1);
    expect(calls).toEqual(['load', 'save', 'release']);
  });
});

describe('fileIdentity', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'identity-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps it in a file for its user alone', async () => {
    const path = join(folder, 'bot.identity');
    const first = await start(fileIdentity(path));
    const second = await start(fileIdentity(pathToFileURL(path)));
    expect(second.hello.clientSecret).toBe(first.hello.clientSecret);
    expect(isLater(first.hello, second.hello)).toBe(true);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ secret: first.hello.clientSecret, run: 1 });
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('leaves a file alone that is something else', async () => {
    const path = join(folder, 'diary.txt');
    writeFileSync(path, 'dear diary');
    await expect(scene({ identity: fileIdentity(path) }).client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_IDENTITY',
      message: expect.stringContaining('diary.txt is not an identity'),
    });
    expect(readFileSync(path, 'utf8')).toBe('dear diary');
  });

  it('says when there is no place for it', async () => {
    const path = join(folder, 'missing', 'bot.identity');
    await expect(scene({ identity: fileIdentity(path) }).client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_IDENTITY',
      message: expect.stringContaining('ENOENT'),
    });
    expect(existsSync(path)).toBe(false);
  });
});

/** The locks of a browser, and who holds them. */
class Locks {
  readonly #held = new Map<string, { readonly owner: unknown; readonly released: Promise<unknown> }>();

  async request(
    owner: unknown,
    name: string,
    { ifAvailable }: { readonly ifAvailable?: boolean },
    use: (lock: unknown) => unknown,
  ): Promise<unknown> {
    while (this.#held.has(name)) {
      if (ifAvailable) return use(null);
      await this.#held.get(name)!.released;
    }
    const used = Promise.resolve(use({}));
    const released = used.then(() => this.#held.delete(name));
    this.#held.set(name, { owner, released });
    return used;
  }

  /** The browser takes them from a page that is gone. */
  drop(owner: unknown): void {
    for (const [name, lock] of this.#held) if (lock.owner === owner) this.#held.delete(name);
  }
}

/** A tab with its storage, and one page in it after the other. */
class Tab {
  readonly items: Map<string, string>;
  readonly #locks: Locks | undefined;
  #listeners = new Map<string, Set<() => void>>();

  constructor(locks: Locks | undefined, items = new Map<string, string>()) {
    this.items = items;
    this.#locks = locks;
  }

  /** From here on, code runs in this tab. */
  enter(): void {
    const { items } = this;
    const locks = this.#locks;
    const listeners = this.#listeners;
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
    });
    vi.stubGlobal('addEventListener', (event: string, listener: () => void) => {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
    });
    vi.stubGlobal('removeEventListener', (event: string, listener: () => void) => {
      listeners.get(event)?.delete(listener);
    });
    const request = (name: string, options: object, use: (lock: unknown) => unknown) =>
      locks!.request(this, name, options, use);
    vi.stubGlobal('navigator', locks ? { locks: { request } } : {});
  }

  tell(event: string): void {
    this.enter();
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }

  /** The page is left: what it held and listened to is gone. */
  unload(): void {
    this.tell('pagehide');
    this.crash();
  }

  /** The same, and nobody was told. */
  crash(): void {
    this.#listeners.clear();
    this.#locks?.drop(this);
  }

  /** The browser copies the storage. */
  duplicate(): Tab {
    return new Tab(this.#locks, new Map(this.items));
  }
}

describe.each([
  ['with Web Locks', () => new Locks()],
  ['without Web Locks', () => undefined],
])('tabIdentity %s', (_title, makeLocks) => {
  afterEach(() => void vi.unstubAllGlobals());

  async function page(tab: Tab, key?: string) {
    tab.enter();
    const made = await start(tabIdentity(key));
    await turns();
    return made;
  }

  it('survives a reload', async () => {
    const tab = new Tab(makeLocks());
    const first = await page(tab);
    tab.unload();
    const second = await page(tab);
    expect(second.hello.clientSecret).toBe(first.hello.clientSecret);
    expect(isLater(first.hello, second.hello)).toBe(true);
  });

  it('is another one in a duplicated tab, and stays with the first', async () => {
    const tab = new Tab(makeLocks());
    const first = await page(tab);
    const copy = tab.duplicate();
    const second = await page(copy);
    expect(second.hello.clientSecret).not.toBe(first.hello.clientSecret);
    // Each is itself from then on.
    tab.unload();
    copy.unload();
    expect((await page(tab)).hello.clientSecret).toBe(first.hello.clientSecret);
    expect((await page(copy)).hello.clientSecret).toBe(second.hello.clientSecret);
  });

  it('survives a page that goes into the cache of the browser and comes back', async () => {
    const tab = new Tab(makeLocks());
    const first = await page(tab);
    tab.tell('pagehide');
    tab.tell('pageshow');
    await turns();
    const second = await page(tab.duplicate());
    expect(second.hello.clientSecret).not.toBe(first.hello.clientSecret);
  });

  it('is free once the client is closed, for the next one of the page', async () => {
    const tab = new Tab(makeLocks());
    const first = await page(tab);
    await first.client.close();
    await turns();
    expect((await page(tab)).hello.clientSecret).toBe(first.hello.clientSecret);
  });

  it('is one for each key', async () => {
    const tab = new Tab(makeLocks());
    const [one, two] = [await page(tab, 'one'), await page(tab, 'two')];
    expect(one.hello.clientSecret).not.toBe(two.hello.clientSecret);
  });
});

describe('tabIdentity', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('survives a crash where Web Locks tell that the page is gone', async () => {
    const tab = new Tab(new Locks());
    tab.enter();
    const first = await start(tabIdentity());
    await turns();
    tab.crash();
    expect((await start(tabIdentity())).hello.clientSecret).toBe(first.hello.clientSecret);
  });

  it('does without a storage, and with one that is forbidden or full of something else', async () => {
    vi.stubGlobal('sessionStorage', undefined);
    await start(tabIdentity());
    vi.stubGlobal('sessionStorage', {
      getItem: () => {
        throw new Error('forbidden');
      },
      setItem: () => {
        throw new Error('forbidden');
      },
    });
    await start(tabIdentity());
    const items = new Map([['chat.identity', '{"secret":7}']]);
    const tab = new Tab(undefined, items);
    tab.enter();
    await start(tabIdentity());
    expect(JSON.parse(items.get('chat.identity')!)).toMatchObject({ run: 0 });
  });
});

describe('a platform that lacks something', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('is told so, in a call and not before', async () => {
    vi.stubGlobal('crypto', undefined);
    await expect(scene().client.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_PLATFORM',
      message: expect.stringContaining('crypto.getRandomValues'),
    });
    vi.unstubAllGlobals();
    vi.stubGlobal('WebSocket', undefined);
    const { connect } = await import('../../src/browser.js');
    await expect(connect('ws://localhost', { name: 'ada' })).rejects.toMatchObject({
      code: 'ERR_CLIENT_PLATFORM',
      message: expect.stringContaining('WebSocket'),
    });
  });
});

describe('a session that has used up its publish numbers', () => {
  it('goes on in another one, once everything is answered, with the same identity and in the same rooms', async () => {
    const server = new ScriptedServer();
    const clock = new FakeClock();
    const platform = { transports: new Map() };
    const options = { name: 'ada', clock, random: () => 0.5, transport: server.transport };
    const client = new Client<string>(platform, 'tcp://test', options, 3);
    const opened = client.connect();
    await turns();
    await server.end.welcome();
    await opened;
    const room = await joinRoom({ client, server, clock });
    const sending = ['a', 'b', 'c', 'd', 'e'].map((text) => room.send(text));
    await turns();
    expect(server.end.texts).toEqual(['a', 'b', 'c']);
    for (const id of [1, 2]) await server.end.ack(id, 10 + id);
    expect(server.ends).toHaveLength(1);
    await server.end.ack(3, 13);
    expect(client.state.status).toBe('reconnecting');
    await clock.advance(500);
    const [before, after] = server.ends.map((end) => end.last(FrameType.Hello).hello);
    expect(after).toMatchObject({ clientSecret: before!.clientSecret, attempt: 2 });
    expect(after!.resume).toBeUndefined();
    await server.end.welcome({ session: 's2' });
    await server.end.respond(joined('lobby', { handle: 8, start: 0 }));
    expect(server.end.all(FrameType.Publish).map(({ room, publishId }) => [room, publishId])).toEqual([
      [8, 1],
      [8, 2],
    ]);
    await server.end.ack(1, 20);
    await server.end.ack(2, 21);
    expect((await Promise.all(sending)).map(({ seq }) => seq)).toEqual([11, 12, 13, 20, 21]);
  });
});
