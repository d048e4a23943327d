/**
 * Rooms with a long past: only what is near the visible part is in the document, older messages come when one
 * scrolls up, and nobody is moved who reads further up.
 */
import { type ChatClient, connect, type Room } from '@chat/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, join, launch, PATIENCE_MS, picture, say, sees } from '../support/browser.js';
import { type RunningServer, startServer } from '../support/chat-server.js';

/** Lines that may be in the document at a time: a few screens full. */
const MAX_LINES = 150;

describe.skipIf(!CHROMIUM)('many messages in a browser', { timeout: 2 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: RunningServer;
  let grace: ChatClient;
  let lobby: Room;

  beforeAll(async () => {
    browser = await launch();
    server = await startServer('--unlimited');
    grace = await connect(`tcp://127.0.0.1:${server.port}`, {
      name: 'Grace',
      outbox: { maxCount: 20_000 },
    });
    lobby = await grace.join('lobby');
  }, PATIENCE_MS);
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
  afterAll(async () => {
    await grace?.close();
    await browser?.close();
    await server?.stop();
  }, PATIENCE_MS);

  it('holds ten thousand messages, and keeps a few of them in the document', async () => {
    const { page, complaints } = await join(browser, server.port, 'Ada');
    const sent = Array.from({ length: 10_000 }, (_, i) => lobby.send(`message ${i + 1} of ten thousand`));
    await Promise.all(sent);
    await sees(page, 'message 10000 of ten thousand');
    expect(await lines(page)).toBeLessThan(MAX_LINES);

    // From the end to the beginning and back.
    await page.locator('.scroll').focus();
    await page.keyboard.press('Home');
    await sees(page, 'message 1 of ten thousand');
    expect(await lines(page)).toBeLessThan(MAX_LINES);
    await lobby.send('one more');
    await page.getByRole('button', { name: '1 new' }).click();
    await sees(page, 'one more');
    expect(await lines(page)).toBeLessThan(MAX_LINES);
    expect(complaints).toEqual([]);
  });

  it('loads older messages when one scrolls up, and moves nothing that is read', async () => {
    const { page } = await join(browser, server.port, 'Alan');
    await sees(page, 'one more');
    const scroller = page.locator('.scroll');
    const before = await scroller.evaluate((element) => element.scrollHeight);
    // As far up as what was loaded with the room.
    await scroller.evaluate((element) => element.scrollTo(0, 700));
    const shown = page.locator('.text', { hasText: 'of ten thousand' }).nth(12);
    // Until that is drawn, the document has what was in view before.
    await expect
      .poll(async () => (await shown.boundingBox())?.y)
      .toBeLessThan(page.viewportSize()?.height ?? 0);
    const text = await shown.innerText();
    const place = async (): Promise<number> =>
      (await page.getByText(text, { exact: true }).boundingBox())?.y ?? Number.NaN;
    const y = await place();
    await scroller.evaluate((element) => element.scrollBy(0, -150));
    await expect
      .poll(() => scroller.evaluate((element) => element.scrollHeight))
      .toBeGreaterThan(before + 1000);
    // It is 150 pixels lower, because one scrolled so far, and not where the older ones would have pushed it.
    await expect.poll(place).toBeGreaterThan(y + 100);
    expect(await place()).toBeLessThan(y + 200);
    await picture(page, 'history');
  });

  it('stays at the end while messages arrive, and comes back to it for an own one', async () => {
    const { page } = await join(browser, server.port, 'Linus');
    await sees(page, 'one more');
    for (let i = 1; i <= 30; i++) await lobby.send(`newer ${i}`);
    await sees(page, 'newer 30');
    await page.locator('.scroll').hover();
    await page.mouse.wheel(0, -2000);
    await page.getByRole('button', { name: 'Latest' }).waitFor();
    await say(page, 'my own words');
    await page.locator('.text', { hasText: 'my own words' }).waitFor();
    await page.getByRole('button', { name: 'Latest' }).waitFor({ state: 'detached' });
  });
});

function lines(page: Page): Promise<number> {
  return page.locator('.message').count();
}
