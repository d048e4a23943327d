/**
 * Searching what was said, on a server that stores it, and going to the place where it was said.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, join, joinRoom, launch, PATIENCE_MS, picture, say, sees } from '../support/browser.js';
import { LinePerson, type RunningServer, startServer } from '../support/chat-server.js';

const MESSAGES = 260;

describe.skipIf(!CHROMIUM)('searching in a browser', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let server: RunningServer;
  const data = mkdtempSync(joinPath(tmpdir(), 'chat-web-search-'));

  beforeAll(async () => {
    browser = await launch();
    server = await startServer('--data', data, '--max-messages-per-second', 'Infinity');
    const grace = await LinePerson.join(server.port, 'Grace');
    const alan = await LinePerson.join(server.port, 'Alan');
    await grace.hears('*** Alan has joined the chat');
    for (let n = 0; n < MESSAGES; n++) {
      const what = n === 40 ? 'the Quick brown 狐 jumps' : n === 41 ? 'quickly <b>on</b>' : `message ${n}`;
      grace.say(what);
    }
    await alan.hears(`message ${MESSAGES - 1}`);
    grace.leave();
    alan.leave();
  }, PATIENCE_MS);
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(data, { recursive: true, force: true });
  }, PATIENCE_MS);

  /** Searches until the server has taken in what was said. */
  async function search(page: Page, words: string): Promise<void> {
    await page.getByRole('searchbox').fill(words);
    const status = page.getByRole('dialog').getByRole('status');
    for (;;) {
      await page.keyboard.press('Enter');
      await expect.poll(() => status.innerText()).toMatch(/found|message/);
      if (!(await status.innerText()).includes('not searched yet')) return;
    }
  }

  it('finds with the keyboard, goes to the place, looks around, and comes back', async () => {
    const { page, complaints } = await join(browser, server.port, 'Ada');
    await sees(page, `message ${MESSAGES - 1}`);
    await page.keyboard.press('Control+f');
    await search(page, 'quick*');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('2 messages.').waitFor();
    const hits = dialog.locator('.hit');
    expect(await hits.locator('mark').allInnerTexts()).toEqual(['quickly', 'Quick']);
    expect(await hits.first().innerText()).toContain('<b>on</b>');
    await picture(page, 'search');
    await hits.last().focus();
    await page.keyboard.press('Enter');

    const found = page.locator('.found-message');
    await found.waitFor();
    expect(await found.innerText()).toContain('the Quick brown 狐 jumps');
    await expect.poll(() => found.evaluate((element) => element === document.activeElement)).toBe(true);
    await expect.poll(() => isInView(found)).toBe(true);
    await sees(page, 'message 39');
    await sees(page, 'message 70');
    await picture(page, 'search-place');

    await page.getByRole('button', { name: 'Later messages' }).click();
    await sees(page, 'message 110');
    // What is above moves nothing away from the eye.
    const before = await found.boundingBox();
    await page
      .getByRole('button', { name: 'Earlier messages' })
      .evaluate((button: HTMLElement) => button.click());
    await page.getByText('This is as far back as lobby goes.').waitFor({ state: 'attached' });
    expect(Math.abs((await found.boundingBox())!.y - before!.y)).toBeLessThan(4);

    const grace = await LinePerson.join(server.port, 'Grace');
    grace.say('something new');
    await page.getByRole('button', { name: 'Back to the newest, 1 new' }).click();
    await sees(page, 'something new');
    expect(await found.count()).toBe(0);
    grace.leave();
    expect(complaints).toEqual([]);
  });

  it('keeps what was found, goes to another room, and back to the newest with an own message', async () => {
    const { page } = await join(browser, server.port, 'Ada');
    await joinRoom(page, 'garden');
    await page.getByRole('button', { name: 'Search messages' }).click();
    await search(page, '狐');
    await page.locator('.hit').click();
    await page.getByRole('textbox', { name: 'Message to lobby' }).waitFor();
    await page.locator('.found-message').waitFor();
    await say(page, 'I found it');
    await page.locator('.message.own', { hasText: 'I found it' }).getByText('Delivered').waitFor();
    expect(await page.locator('.found-message').count()).toBe(0);
    await page.keyboard.press('Control+f');
    expect(await page.getByRole('searchbox').inputValue()).toBe('狐');
    expect(await page.locator('.hit').count()).toBe(1);
  });

  it('looks in one room only where that is wanted, and says that there is nothing', async () => {
    const { page } = await join(browser, server.port, 'Ada');
    await joinRoom(page, 'garden');
    await page.keyboard.press('Control+f');
    await search(page, '狐');
    expect(await page.locator('.hit').count()).toBe(1);
    await page.getByLabel('Only in garden').check();
    await page.getByRole('dialog').getByText('Nothing found.').waitFor();
    expect(await page.locator('.hit').count()).toBe(0);
  });

  it('is usable on a phone', async () => {
    const { page } = await join(browser, server.port, 'Ada', { viewport: { width: 360, height: 640 } });
    await page.getByRole('button', { name: 'Search messages' }).click();
    await search(page, 'quick*');
    await picture(page, 'search-phone');
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await page.locator('.hit').last().click();
    await page.locator('.found-message').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await picture(page, 'search-phone-place');
  });
});

describe.skipIf(!CHROMIUM)('a server without a store', { timeout: PATIENCE_MS }, () => {
  it('says that it has no search', async () => {
    const browser = await launch();
    const server = await startServer();
    try {
      const { page } = await join(browser, server.port, 'Ada');
      await page.keyboard.press('Control+f');
      await page.getByRole('searchbox').fill('fox');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByText('This server has no search.').waitFor();
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});

function isInView(locator: ReturnType<Page['locator']>): Promise<boolean> {
  return locator.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
}
