/**
 * What everybody has to be able to use: on a desk and on a phone, light and dark, with eyes and without.
 */
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, join, launch, open, PATIENCE_MS, picture, say, sees } from '../support/browser.js';
import { LinePerson, type RunningServer, startServer } from '../support/chat-server.js';

const PHONE = { width: 390, height: 780 };
const DESK = { width: 1280, height: 800 };

describe.skipIf(!CHROMIUM)('how the page looks', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let server: RunningServer;
  let people: LinePerson[];

  beforeAll(async () => {
    browser = await launch();
    server = await startServer();
    people = [];
    for (const [name, text] of [
      ['Grace', 'Good morning! Did anybody look at the numbers? https://example.org/reports/(nightly)'],
      ['מרים', 'שלום לכולם, זה נראה טוב מאוד!'],
      ['Zoë', 'Yes. The tail is fine too. I wonder what happens when half of them stop reading, though.'],
    ] as const) {
      const person = await LinePerson.join(server.port, name);
      person.say(text);
      people.push(person);
    }
  }, PATIENCE_MS);
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
  afterAll(async () => {
    for (const person of people ?? []) person.leave();
    await browser?.close();
    await server?.stop();
  }, PATIENCE_MS);

  it.each([
    ['light', 'desk', DESK],
    ['dark', 'desk', DESK],
    ['light', 'phone', PHONE],
    ['dark', 'phone', PHONE],
  ] as const)('is accessible in %s on a %s', async (colorScheme, place, viewport) => {
    const { page, complaints } = await open(browser, server.port, { colorScheme, viewport });
    expect(await violations(page)).toEqual([]);
    await picture(page, `welcome-${colorScheme}-${place}`);

    await page.getByLabel('Your name').fill('Ada');
    await page.keyboard.press('Enter');
    await sees(page, 'The tail is fine too');
    await say(page, 'I see it too 🎉');
    await page.locator('.message.own').getByText('Delivered').waitFor();
    await page.getByRole('textbox', { name: 'Message to lobby' }).blur();
    expect(await violations(page)).toEqual([]);
    await picture(page, `chat-${colorScheme}-${place}`);

    if (place === 'phone') {
      await page.getByRole('button', { name: 'Conversations' }).click();
      await page.getByRole('button', { name: 'Join a room' }).waitFor();
      expect(await violations(page)).toEqual([]);
      await picture(page, `conversations-${colorScheme}-${place}`);
      await page
        .getByRole('button', { name: 'Back to the messages' })
        .click({ position: { x: 370, y: 400 } });
    }
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByText('members').first().waitFor();
    expect(await violations(page)).toEqual([]);
    await picture(page, `join-${colorScheme}-${place}`);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });

  it('lets one choose the looks, and remembers them', async () => {
    const { page } = await join(browser, server.port, 'Ada', { colorScheme: 'light' });
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await ground();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('radio', { name: 'Dark' }).check();
    await expect.poll(ground).not.toBe(light);
    await picture(page, 'settings');
    await page.reload();
    await page.getByRole('textbox', { name: 'Message to lobby' }).waitFor();
    expect(await ground()).not.toBe(light);
  });

  it.each([320, 390, 720, 721, 999, 1000])('needs no sideways scrolling at %i pixels', async (width) => {
    const { page } = await join(browser, server.port, 'Ada', { viewport: { width, height: 640 } });
    await sees(page, 'The tail is fine too');
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(tooWide).toBeLessThanOrEqual(0);
    const field = await page.getByRole('textbox', { name: 'Message to lobby' }).boundingBox();
    expect(field!.width).toBeGreaterThan(150);
    expect(field!.y + field!.height).toBeLessThan(640);
  });

  it('has landmarks, and tells what is new', async () => {
    const { page } = await join(browser, server.port, 'Ada');
    for (const landmark of ['navigation', 'main', 'complementary', 'log'] as const) {
      expect(await page.getByRole(landmark).count()).toBeGreaterThan(0);
    }
    await page.getByRole('log', { name: 'Messages in lobby' }).waitFor();
    people[0]!.say('news for those who listen');
    await page
      .locator('[aria-live=polite]', { hasText: 'Grace: news for those who listen' })
      .waitFor({ state: 'attached' });
  });
});

/** What axe finds wrong, by rule and place. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
    };
    return (await axe.run()).violations;
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}
