/**
 * The page where it is not at home: in browsers that lack what it uses, and behind proxies.
 */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM, launch, open, PATIENCE_MS, signIn } from '../support/browser.js';
import { type RunningServer, startServer } from '../support/chat-server.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';

describe.skipIf(!CHROMIUM)('ways into the chat', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let server: RunningServer;
  let proxy: RunningProxy | undefined;

  beforeAll(async () => {
    browser = await launch();
  }, PATIENCE_MS);
  beforeEach(async () => {
    server = await startServer();
  }, PATIENCE_MS);
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    proxy?.stop();
    proxy = undefined;
    await server.stop();
  }, PATIENCE_MS);
  afterAll(() => browser?.close(), PATIENCE_MS);

  it('works without Intl.Segmenter, Intl.ListFormat, URL.canParse and the flag v', async () => {
    const context = await browser.newContext();
    await context.addInitScript(() => {
      const missing = Intl as { Segmenter?: unknown; ListFormat?: unknown };
      delete missing.Segmenter;
      delete (URL as { canParse?: unknown }).canParse;
      const { RegExp: Native } = globalThis;
      globalThis.RegExp = class extends Native {
        constructor(source: string | RegExp, flags?: string) {
          if (flags?.includes('v')) throw new SyntaxError('invalid flags');
          super(source, flags);
        }
      } as RegExpConstructor;
    });
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${server.port}/`);
    await signIn(page, 'Zoë');
    const field = page.getByRole('textbox', { name: /^Message to/ });
    for (const text of ['👋', 'see https://example.org/']) {
      await field.fill(text);
      await page.keyboard.press('Enter');
    }
    await page.locator('.text.emoji', { hasText: '👋' }).waitFor();
    await page.locator('.text a[href="https://example.org/"]').waitFor();
    expect(await page.locator('.members .avatar').first().innerText()).toBe('Z');
  });

  it('says so in a browser that does not understand its program', async () => {
    const page = await browser.newPage();
    await page.route('**/assets/*.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: 'let x = /[/;' }),
    );
    await page.goto(`http://127.0.0.1:${server.port}/`);
    await page.getByText(/This browser is too old for this page/).waitFor();
  });

  it('says so when a part of it cannot be loaded', async () => {
    const page = await browser.newPage();
    await page.route('**/assets/*.js', (route) => route.fulfill({ status: 404 }));
    await page.goto(`http://127.0.0.1:${server.port}/`);
    await page.getByText('A part of this page could not be loaded. Reload it.').waitFor();
  });

  it('stands under a path that a proxy takes off, and finds its WebSocket beside it', async () => {
    proxy = await startProxy(server.port, { path: '/apps/chat' });
    const { page, complaints } = await open(browser, proxy.port, {}, '/apps/chat/');
    expect(await page.getByLabel('Server').inputValue()).toBe(`127.0.0.1:${proxy.port}/apps/chat`);
    await signIn(page, 'Ada');
    await page.reload();
    await page.getByRole('textbox', { name: /^Message to/ }).waitFor();
    await page.getByRole('button', { name: 'Disconnect' }).click();
    expect(await page.getByLabel('Server').inputValue()).toBe(`127.0.0.1:${proxy.port}/apps/chat`);
    await signIn(page, 'Ada');
    expect(proxy.missed).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it.each([
    [
      'a proxy that hides its name from the server',
      { host: 'upstream.example' },
      /does not let this page in: .*Host/,
    ],
    ['a proxy that lets no WebSocket through', { upgrade: false }, /lets no WebSocket through/],
  ])('says why behind %s', async (_what, options, sentence) => {
    proxy = await startProxy(server.port, options);
    const { page } = await open(browser, proxy.port);
    await page.getByLabel('Your name').fill('Ada');
    await page.keyboard.press('Enter');
    await page.getByText(sentence).waitFor();
  });
});
