/**
 * Connections that break, servers that restart, laptops that sleep: the page comes back by itself, and shows
 * what it missed or says that it cannot.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, join, launch, open, PATIENCE_MS, picture, say, sees, signIn } from '../support/browser.js';
import { Cable, LinePerson, type RunningServer, startServer } from '../support/chat-server.js';

describe.skipIf(!CHROMIUM)('coming back in a browser', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let server: RunningServer | undefined;
  let cable: Cable | undefined;

  beforeAll(async () => {
    browser = await launch();
  }, PATIENCE_MS);
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    cable?.close();
    await server?.stop();
    cable = undefined;
    server = undefined;
  }, PATIENCE_MS);
  afterAll(() => browser?.close(), PATIENCE_MS);

  it('shows what was said while the cable was pulled, and sends what was written meanwhile', async () => {
    server = await startServer();
    cable = await Cable.to(server.port);
    const grace = await LinePerson.join(server.port, 'Grace');
    const { page, complaints } = await join(browser, cable.port, 'Ada');
    grace.say('before');
    await sees(page, 'before');

    cable.cut();
    await page.getByText('Trying again in').or(page.getByText('Connecting…')).first().waitFor();
    grace.say('meanwhile');
    await say(page, 'written without a connection');
    await page.locator('.message.waiting').getByText('On its way').waitFor();
    await picture(page, 'reconnecting');
    cable.mend();
    await tryNow(page);

    await sees(page, 'meanwhile');
    await grace.hears('Ada: written without a connection');
    await page.locator('.message.own').getByText('Delivered').waitFor();
    await page.locator('.connection-bar').waitFor({ state: 'detached' });
    const texts = await page.locator('.text').allInnerTexts();
    expect(texts).toEqual(['before', 'meanwhile', 'written without a connection']);
    expect(await page.locator('.mark').count()).toBe(0);
    expect(complaints).toEqual([]);
    grace.leave();
  });

  it('survives a restart of the server, and says that the past is lost', async () => {
    server = await startServer();
    const { port } = server;
    const ada = await join(browser, port, 'Ada');
    const alan = await join(browser, port, 'Alan');
    await say(ada.page, 'before the restart');
    await sees(alan.page, 'before the restart');

    await server.stop();
    await ada.page.locator('.connection-bar').waitFor();
    server = await startServer('--port', String(port));
    await tryNow(ada.page);
    await tryNow(alan.page);
    await ada.page.getByText('The server was restarted.').waitFor();
    await sees(ada.page, 'before the restart');
    await picture(ada.page, 'restarted');
    await alan.page.getByText('The server was restarted.').waitFor();

    await say(alan.page, 'after the restart');
    await sees(ada.page, 'after the restart');
    await expect.poll(() => ada.page.locator('.member').count()).toBe(2);
  });

  it('survives a server that was killed', async () => {
    server = await startServer();
    const { port } = server;
    const { page } = await join(browser, port, 'Ada');
    // In the room, and not only at its door: who has seen nothing of it has missed nothing.
    await say(page, 'before');
    await page.locator('.message.own').getByText('Delivered').waitFor();
    await server.stop('SIGKILL');
    await page.locator('.connection-bar').waitFor();
    server = await startServer('--port', String(port));
    await tryNow(page);
    await page.getByText('The server was restarted.').waitFor();
    await say(page, 'here again');
    await page.locator('.message.own').filter({ hasText: 'here again' }).getByText('Delivered').waitFor();
  });

  it('comes back after a sleep in which nobody told it that the connection is gone', async () => {
    // The session is given up soon, so that it cannot be resumed: the room is joined again after the last
    // message.
    server = await startServer('--idle-timeout-ms', '1500', '--resume-window-ms', '200');
    cable = await Cable.to(server.port);
    const grace = await LinePerson.join(server.port, 'Grace');
    const { page } = await join(browser, cable.port, 'Ada');
    await sees(page, 'Grace');
    grace.say('good night');
    await sees(page, 'good night');

    const devtools = await page.context().newCDPSession(page);
    cable.silence();
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    const lost = grace.hears('*** Ada has left the chat');
    await answerPings(grace, lost);
    grace.say('said in the night');

    cable.mend();
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await sees(page, 'said in the night');
    await page.locator('.connection-bar').waitFor({ state: 'detached' });
    const texts = await page.locator('.text').allInnerTexts();
    expect(texts.filter((text) => text !== STILL_HERE)).toEqual(['good night', 'said in the night']);
    await say(page, 'good morning');
    await grace.hears('Ada: good morning');
    grace.leave();
  });

  it('notices by its clock alone that the laptop slept for an hour, and comes back', async () => {
    server = await startServer('--idle-timeout-ms', '1500', '--resume-window-ms', '200');
    cable = await Cable.to(server.port);
    const grace = await LinePerson.join(server.port, 'Grace');
    const { page } = await open(browser, cable.port);
    await page.clock.install();
    await page.reload();
    await signIn(page, 'Ada');
    await sees(page, 'Grace');

    // No timer runs; the connection dies, and no event says so: neither of the socket, nor of page or
    // network.
    await page.clock.pauseAt(Date.now() + 1000);
    cable.silence();
    await answerPings(grace, grace.hears('*** Ada has left the chat'));
    grace.say('said while it slept');
    cable.mend();
    await page.clock.fastForward('01:00:00');
    await page.clock.resume();

    await sees(page, 'said while it slept');
    await page.locator('.connection-bar').waitFor({ state: 'detached' });
    await say(page, 'awake');
    await grace.hears('Ada: awake');
    grace.leave();
  });

  it('says that messages are missing when the server no longer has them', async () => {
    server = await startServer('--resume-window-ms', '1', '--retention-entries', '5');
    cable = await Cable.to(server.port);
    const linus = await LinePerson.join(server.port, 'Linus');
    const grace = await LinePerson.join(server.port, 'Grace');
    const { page } = await join(browser, cable.port, 'Ada');
    grace.say('before');
    await sees(page, 'before');
    cable.cut();
    await grace.hears('*** Ada has left the chat');
    for (let i = 1; i <= 20; i++) {
      grace.say(`meanwhile ${i}`);
      await linus.hears(`meanwhile ${i}`);
    }
    await page.locator('.connection-bar').waitFor();
    cable.mend();
    await tryNow(page);
    await page.getByText('you were away for longer than the server remembers').waitFor();
    await sees(page, 'meanwhile 20');
    await picture(page, 'gap');
    linus.leave();
    grace.leave();
  });

  it('waits for its own name when it went away without a goodbye', async () => {
    server = await startServer('--resume-window-ms', '4000');
    cable = await Cable.to(server.port);
    const { page } = await join(browser, cable.port, 'Ada');
    // The page is gone before it could resume or say anything; the server keeps its name for a while.
    cable.cut();
    await page.goto('about:blank');
    cable.mend();
    await page.goto(`http://127.0.0.1:${cable.port}/`);
    await page.getByText('The server still keeps your name from before.').waitFor();
    await picture(page, 'name-held');
    await page.getByRole('textbox', { name: 'Message to lobby' }).waitFor();
    expect(await page.locator('.self-name bdi').innerText()).toBe('Ada');
  });

  it('counts what arrives while another tab is in front', async () => {
    server = await startServer();
    const grace = await LinePerson.join(server.port, 'Grace');
    const { page } = await join(browser, server.port, 'Ada');
    // The tab is hidden just before the frame comes in which something was to be drawn: it never comes.
    await page.evaluate(() => {
      window.requestAnimationFrame = () => 0;
    });
    grace.say('drawn with no frame');
    await sees(page, 'drawn with no frame');
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    });
    grace.say('look here');
    await expect.poll(() => page.title()).toBe('(1) lobby · Chat');
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await expect.poll(() => page.title()).toBe('lobby · Chat');
    grace.leave();
  });
});

/** The bar may have gone by itself already. */
async function tryNow(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: 'Try now' })
    .click({ timeout: 2000 })
    .catch(() => {});
}

const STILL_HERE = 'still here';

/** A bare socket has to say something now and then to be believed alive. */
async function answerPings(person: LinePerson, until: Promise<void>): Promise<void> {
  const timer = setInterval(() => person.say(STILL_HERE), 400);
  await until.finally(() => clearInterval(timer));
}
