/** Signing in with a password: asked for once the server wants one, shown to nobody, and out when it is good no more. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM, launch, open, PATIENCE_MS } from '../support/browser.js';
import { type RunningServer, startServer } from '../support/chat-server.js';

const PROGRAM = fileURLToPath(new URL('../../../server/dist/main.js', import.meta.url));

describe.skipIf(!CHROMIUM)('signing in with a password', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let folder: string;
  let server: RunningServer;

  const user = (password: string, ...argv: string[]): void => {
    const environment = { ...process.env, CHAT_PASSWORD: password };
    execFileSync(process.execPath, [PROGRAM, 'user', ...argv, '--data', folder], { env: environment });
  };

  beforeAll(async () => {
    browser = await launch();
  }, PATIENCE_MS);
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chat-web-'));
    user('correct horse', 'add', 'ada');
    server = await startServer('--data', folder);
  }, PATIENCE_MS);
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }, PATIENCE_MS);
  afterAll(() => browser?.close(), PATIENCE_MS);

  it('shows a field for it when the server wants one, and no sooner', async () => {
    const { page } = await open(browser, server.port);
    const message = page.getByRole('textbox', { name: /^Message to/ });
    const password = page.getByLabel('Password');
    await page.getByLabel('Your name').fill('ada');
    expect(await password.count()).toBe(0);
    await page.keyboard.press('Enter');
    await page.getByText('The name ada has a password: it is needed.').waitFor();
    expect(await password.getAttribute('type')).toBe('password');
    expect(await password.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.type('hunter2');
    await page.keyboard.press('Enter');
    await page.getByText('Wrong name or password.').waitFor();
    await password.fill('correct horse');
    await page.keyboard.press('Enter');
    await message.waitFor();
    // Nothing that outlives the page has it.
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(kept).not.toMatch(/horse|hunter/);
    // Another password: out at once, and asked again.
    user('battery staple', 'passwd', 'ada');
    await page.getByText('What let you in is good no more.').waitFor();
    await password.fill('battery staple');
    await page.keyboard.press('Enter');
    await message.waitFor();
  });
});
