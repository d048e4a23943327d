/**
 * A real Chromium, and pages of the chat in it. Complaints of a page fail the test that it belongs to.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findProgram } from '../../../../test/support/find-program.js';

/** Where Chromium is; undefined skips the tests that need it. */
export const CHROMIUM: string | undefined = findProgram('chromium', 'chromium-browser', 'google-chrome');

const PICTURES = fileURLToPath(new URL('../../../../test-output/web/', import.meta.url));

/** Long, because the machine may be busy; nothing waits for it when all is well. */
export const PATIENCE_MS = 60_000;

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM ?? '',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page with what it complained about: errors, and what its policy forbade. */
export interface ChatPage {
  readonly page: Page;
  readonly complaints: string[];
}

/** Opens the page of a server, in a browser of its own that remembers nothing. */
export async function open(
  browser: Browser,
  port: number,
  options: BrowserContextOptions = {},
  path = '/',
): Promise<ChatPage> {
  const context = await browser.newContext({
    locale: 'en-GB',
    viewport: { width: 1180, height: 760 },
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS / 2);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // A server that is away is no defect of the page.
    if (message.type() === 'error' && !/WebSocket connection to/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  await page.goto(`http://127.0.0.1:${port}${path}`);
  return { page, complaints };
}

/** Enters a name, and is in. */
export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Your name').fill(name);
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: /^Message to/ }).waitFor();
}

/** Opens a page and is in. */
export async function join(
  browser: Browser,
  port: number,
  name: string,
  options: BrowserContextOptions = {},
): Promise<ChatPage> {
  const chat = await open(browser, port, options);
  await signIn(chat.page, name);
  return chat;
}

/** Writes and sends. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: /^Message to/ }).fill(text);
  await page.keyboard.press('Enter');
}

/** Waits until a message with this text is shown. */
export async function sees(page: Page, text: string): Promise<void> {
  await page.locator('.timeline').getByText(text, { exact: false }).first().waitFor();
}

/** Joins a room through the dialog. */
export async function joinRoom(page: Page, room: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByLabel('Name of the room').fill(room);
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: `Message to ${room}` }).waitFor();
}

/** Keeps a picture for people to look at, in `test-output/web`. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}${name}.png` });
}
