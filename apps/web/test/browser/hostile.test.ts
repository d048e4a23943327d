/**
 * What hostile people send, and what hostile pages try.
 */
import { connect } from '@chat/client';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { CHROMIUM, join, launch, PATIENCE_MS, picture, say, sees } from '../support/browser.js';
import { LinePerson, type RunningServer, startServer } from '../support/chat-server.js';

describe.skipIf(!CHROMIUM)('hostile input in a browser', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let server: RunningServer;

  beforeAll(async () => {
    browser = await launch();
  }, PATIENCE_MS);
  beforeEach(async () => {
    server = await startServer('--max-line-bytes', '65000');
  }, PATIENCE_MS);
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server.stop();
  }, PATIENCE_MS);
  afterAll(() => browser?.close(), PATIENCE_MS);

  it('shows markup as the text that it is', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const mallory = await LinePerson.join(server.port, 'Mallory');
    const attacks = [
      '<img src=x onerror="window.pwned=1">',
      '<script>window.pwned=1</script>',
      '<a href="javascript:window.pwned=1">click</a>',
      'javascript:window.pwned=1',
      '"><svg onload=window.pwned=1>',
      '&lt;b&gt;not bold&lt;/b&gt;',
      '{{constructor.constructor("window.pwned=1")()}}',
    ];
    for (const attack of attacks) mallory.say(attack);
    await sees(ada.page, 'constructor.constructor');
    const texts = await ada.page.locator('.text').allInnerTexts();
    expect(texts).toEqual(attacks);
    expect(await ada.page.locator('.timeline :is(img, script, svg[onload], b)').count()).toBe(0);
    expect(await ada.page.locator('.timeline a').count()).toBe(0);
    expect(await ada.page.evaluate(() => 'pwned' in window)).toBe(false);
    expect(ada.complaints).toEqual([]);
    await picture(ada.page, 'hostile-markup');
    mallory.leave();
  });

  it('opens links without telling where from, and only what they say', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const mallory = await LinePerson.join(server.port, 'Mallory');
    mallory.say('see https://example.org/a?b=c#d. and https://bank.example@evil.example/ end');
    await sees(ada.page, 'evil.example');
    const links = ada.page.locator('.timeline a');
    expect(await links.count()).toBe(1);
    expect(await links.first().getAttribute('href')).toBe('https://example.org/a?b=c#d');
    expect(await links.first().getAttribute('rel')).toBe('noopener noreferrer nofollow');
    expect(await links.first().getAttribute('target')).toBe('_blank');
    mallory.leave();
  });

  it.each([390, 900, 1280])('draws what is cut as wide as what is not, on a page of %i px', async (width) => {
    const ada = await join(browser, server.port, 'Ada', { viewport: { width, height: 760 } });
    const mallory = await connect(`ws://127.0.0.1:${server.port}`, { name: 'Mallory' });
    const room = await mallory.join('lobby');
    const texts = ['a'.repeat(980), 'a'.repeat(981), 'some words '.repeat(100), 'a line\n'.repeat(40)];
    for (const text of texts) await room.send(text);
    await sees(ada.page, 'a line');
    await say(ada.page, 'b'.repeat(981));
    await ada.page.locator('.message.own').getByText('Delivered').waitFor();
    const rooms = await ada.page
      .locator('.body:has(.text)')
      .evaluateAll((bodies) =>
        bodies.map((body) => [body.querySelector('.text')!.clientWidth, body.clientWidth]),
      );
    expect(rooms.length).toBeGreaterThan(0);
    // Beside it there is at most the mark of what was delivered.
    for (const [text, body] of rooms) expect(text).toBeGreaterThan(body! - 32);
    await picture(ada.page, `hostile-cut-${width}`);
    await mallory.close();
  });

  it('keeps a line of 60 KB within bounds, and shows all of it when asked', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const mallory = await LinePerson.join(server.port, 'Mallory');
    mallory.say(`${'W'.repeat(60_000)}end`);
    mallory.say('after it');
    await sees(ada.page, 'after it');
    const width = (selector: string): Promise<number> =>
      ada.page
        .locator(selector)
        .first()
        .evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(await width('.scroll')).toBe(0);
    expect(await width('body')).toBe(0);
    await picture(ada.page, 'hostile-long');
    await ada.page.getByRole('button', { name: 'Show all 60,003 characters' }).click();
    await ada.page.locator('.text', { hasText: 'Wend' }).waitFor();
    expect(await width('.scroll')).toBe(0);
    mallory.leave();
  });

  it('keeps directions and piles of accents where they belong', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const mallory = await LinePerson.join(server.port, 'Mallory');
    // Overrides do not get through the line dialect.
    const trudy = await connect(`ws://127.0.0.1:${server.port}`, { name: 'Trudy' });
    const lobby = await trudy.join('lobby');
    await lobby.send('invoice \u202Egnp.exe and \u2067\u2067 never closed');
    mallory.say('calm before');
    mallory.say(`z${'\u0335\u0321\u0489\u0301\u0316'.repeat(60)}algo`);
    mallory.say('calm after');
    await sees(ada.page, 'calm after');
    await sees(ada.page, 'invoice');
    const shown = await ada.page.locator('.text').allInnerTexts();
    expect(shown.join('')).not.toContain('\u202E');
    expect(shown.some((text) => text.includes('algo') && text.length < 40)).toBe(true);
    // No message reaches into the line of another one: each is as high as one line.
    const heights = await ada.page
      .locator('.text')
      .evaluateAll((elements) => elements.map((element) => element.getBoundingClientRect().height));
    for (const height of heights) expect(height).toBeLessThan(40);
    await picture(ada.page, 'hostile-unicode');
    await trudy.close();
    mallory.leave();
  });

  it('lays out right-to-left names and words', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const miriam = await LinePerson.join(server.port, 'מרים');
    miriam.say('שלום לכולם! (hello)');
    await sees(ada.page, 'שלום');
    const [name, time, text] = await Promise.all(
      ['.name', '.who time', '.text'].map((selector) =>
        ada.page.locator(`.message:has-text("שלום") ${selector}`).boundingBox(),
      ),
    );
    // The name begins at the left like any other, the time follows, and the words begin at the right.
    expect(name!.x).toBeLessThan(time!.x);
    const direction = await ada.page
      .locator('.message:has-text("שלום") .text')
      .evaluate((element) => getComputedStyle(element).direction);
    expect(direction).toBe('rtl');
    expect(text!.width).toBeGreaterThan(300);
    await picture(ada.page, 'right-to-left');
    miriam.leave();
  });

  it('refuses a page from elsewhere', async () => {
    const status = (origin: string | undefined): Promise<number | 'open'> =>
      new Promise((resolve) => {
        const socket = new NodeWebSocket(`ws://127.0.0.1:${server.port}/ws`, 'chat.v1', {
          ...(origin === undefined ? {} : { origin }),
        });
        socket.on('unexpected-response', (request, response) => {
          request.destroy();
          resolve(response.statusCode ?? 0);
        });
        socket.on('open', () => {
          socket.terminate();
          resolve('open');
        });
        socket.on('error', () => {});
      });
    expect(await status('https://evil.example')).toBe(403);
    expect(await status(`http://127.0.0.1:${server.port + 1}`)).toBe(403);
    expect(await status('null')).toBe(403);
    expect(await status(`http://127.0.0.1:${server.port}`)).toBe('open');
    expect(await status(undefined)).toBe('open');

    // The same in the browser, from a page of another origin on this machine.
    const other = await startServer();
    const { page } = await join(browser, other.port, 'Eve');
    const outcome = await page.evaluate(
      (url) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(url, 'chat.v1');
          socket.onopen = () => resolve('open');
          socket.onerror = () => resolve('refused');
        }),
      `ws://127.0.0.1:${server.port}/ws`,
    );
    expect(outcome).toBe('refused');
    await other.stop();
  });
});
