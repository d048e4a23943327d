import { FrameType, type Hello } from '@chat/protocol/frames';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type IdentityStore, tabIdentity } from '../../src/index.js';
import { connected } from '../support/connected.js';
import { type FakeClock, turns } from '../support/fake-clock.js';

/** The hello of a client that was started with this identity, and the client. */
async function start(identity: string | IdentityStore, clock?: FakeClock) {
  const made = await connected({ identity, ...(clock && { clock }) });
  return { ...made, hello: made.server.end.last(FrameType.Hello).hello };
}

const isLater = (a: Hello, b: Hello) => b.attempt! > a.attempt!;

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
