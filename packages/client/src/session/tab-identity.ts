/**
 * The identity of a page, kept in the `sessionStorage` of its tab: it outlives a reload and ends with the
 * tab.
 *
 * A duplicated tab is given a copy of that storage, and must not take the place of the first one. So a
 * page marks the identity that it uses, and removes the mark when it is left. Where the platform has Web
 * Locks, the page holds a lock meanwhile: a mark without its lock belongs to a page that crashed. A page
 * that finds the identity in use makes a new one.
 */
import { type ClientIdentity, type IdentityStore, isIdentity } from './identity.js';

interface Marked extends ClientIdentity {
  readonly isUsed?: boolean;
}

interface Page {
  readonly sessionStorage?: {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
  };
  readonly navigator?: {
    readonly locks?: {
      request(
        name: string,
        options: { readonly ifAvailable?: boolean },
        use: (lock: unknown) => unknown,
      ): Promise<unknown>;
    };
  };
  addEventListener?(event: string, listener: () => void): void;
  removeEventListener?(event: string, listener: () => void): void;
}

/**
 * Keeps the identity of a page over its reload, so that it has its name back at once, also where its
 * connection was torn.
 *
 * Each page begins as somebody new where there is no storage, or the browser forbids it.
 *
 * @param key - of the item in `sessionStorage`; one for each client of a page
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { createChatClient, tabIdentity } from '@chat/client';
 *
 * const client = createChatClient('ws://127.0.0.1:1', { name: 'ada', identity: tabIdentity() }); // nobody listens there
 * await assert.rejects(client.connect(), { code: 'ERR_CLIENT_CONNECT_FAILED' });
 * ```
 */
export function tabIdentity(key = 'chat.identity'): IdentityStore {
  const page = globalThis as unknown as Page;
  let own: ClientIdentity | undefined;
  let unlock: (() => void) | undefined;

  const read = (): Marked | undefined => {
    try {
      const stored: unknown = JSON.parse(page.sessionStorage?.getItem(key) ?? 'null');
      return isIdentity(stored) ? stored : undefined;
    } catch {
      return undefined; // Forbidden, or written by somebody else.
    }
  };
  const mark = (isUsed: boolean): void => {
    try {
      page.sessionStorage?.setItem(key, JSON.stringify({ ...own, isUsed }));
    } catch {
      // Forbidden, or full: then nothing is kept.
    }
  };
  const take = (): void => {
    mark(true);
    if (unlock) return;
    const held = new Promise<void>((resolve) => {
      unlock = resolve;
    });
    page.navigator?.locks?.request(own!.secret, {}, () => held).catch(() => {});
  };
  const leave = (): void => {
    unlock?.();
    unlock = undefined;
    if (read()?.secret === own?.secret) mark(false);
  };

  return {
    load: async () => {
      const stored = read();
      if (!stored?.isUsed) return stored;
      const isFree = await page.navigator?.locks?.request(
        stored.secret,
        { ifAvailable: true },
        (lock) => lock !== null,
      );
      return isFree ? stored : undefined;
    },
    save: (identity) => {
      own = identity;
      take();
      page.addEventListener?.('pagehide', leave);
      // It comes back out of the cache of the browser.
      page.addEventListener?.('pageshow', take);
    },
    release: () => {
      page.removeEventListener?.('pagehide', leave);
      page.removeEventListener?.('pageshow', take);
      leave();
    },
  };
}
