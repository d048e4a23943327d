/**
 * People in one room: two browsers and a bare socket.
 */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  CHROMIUM,
  join,
  joinRoom,
  launch,
  open,
  PATIENCE_MS,
  picture,
  say,
  sees,
  signIn,
} from '../support/browser.js';
import { LinePerson, type RunningServer, startServer } from '../support/chat-server.js';

describe.skipIf(!CHROMIUM)('talking in a browser', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let server: RunningServer;

  beforeAll(async () => {
    browser = await launch();
    server = await startServer();
  }, PATIENCE_MS);
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  }, PATIENCE_MS);

  it('lets two browsers and a bare socket talk in one room', async () => {
    const socket = await LinePerson.join(server.port, 'Grace');
    const ada = await join(browser, server.port, 'Ada');
    await sees(ada.page, 'Grace');
    const alan = await join(browser, server.port, 'Alan');
    await socket.hears('*** Alan has joined the chat');

    await say(ada.page, 'Hello, everybody');
    await socket.hears('Ada: Hello, everybody');
    await sees(alan.page, 'Hello, everybody');
    // Acknowledged: the sender sees that, and once.
    await ada.page.locator('.message.own', { hasText: 'Hello, everybody' }).getByText('Delivered').waitFor();
    expect(await ada.page.locator('.text', { hasText: 'Hello, everybody' }).count()).toBe(1);

    socket.say('Hello from a socket');
    await sees(ada.page, 'Hello from a socket');
    await sees(alan.page, 'Hello from a socket');

    // A reaction: chosen by keyboard, seen by all, added to and taken back. Who reads the end stays there.
    const own = ada.page.locator('.message.own', { hasText: 'Hello, everybody' });
    const end = async (): Promise<number> => {
      const { y, height } = (await ada.page.locator('.message').last().boundingBox())!;
      return y + height;
    };
    const before = await end();
    const said = alan.page.locator('.message', { hasText: 'Hello, everybody' });
    await said.getByRole('button', { name: 'Actions' }).press('Enter');
    await alan.page.getByRole('menuitem', { name: 'React' }).press('Enter');
    await alan.page.getByLabel('Another emoji').fill('🦆');
    await alan.page.keyboard.press('Enter');
    await socket.hears('*** Alan reacts to a message of Ada with 🦆');
    const reaction = own.getByRole('button', { name: '🦆 Alan' });
    expect(await reaction.getAttribute('aria-pressed')).toBe('false');
    expect(await end()).toBe(before);
    await reaction.click();
    const both = said.getByRole('button', { name: '🦆 Alan, Ada' });
    expect(await both.getAttribute('aria-pressed')).toBe('true');
    await both.click();
    await own.getByRole('button', { name: '🦆 Ada', exact: true }).waitFor();

    await expect.poll(() => ada.page.locator('.member').allInnerTexts()).toHaveLength(3);
    socket.say('/quit');
    await sees(ada.page, 'Grace left');
    expect([...ada.complaints, ...alan.complaints]).toEqual([]);
    socket.leave();
  });

  it('shows messages of one person together, and who is writing', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const alan = await join(browser, server.port, 'Alan');
    for (const text of ['one', 'two', 'three']) await say(ada.page, `message ${text}`);
    await sees(alan.page, 'message three');
    const group = alan.page.locator('.message', { hasText: /^message|message (one|two|three)$/ });
    await expect.poll(() => group.filter({ has: alan.page.locator('.who') }).count()).toBe(1);

    await ada.page.getByRole('textbox', { name: 'Message to lobby' }).pressSequentially('hm');
    await alan.page.getByText('Ada is writing…').waitFor();
    await ada.page.keyboard.press('Enter');
    await alan.page.getByText('Ada is writing…').waitFor({ state: 'detached' });
  });

  it('leaves the Enter of an input method to it, in Safari too', async () => {
    const { page } = await join(browser, server.port, 'Ada');
    const field = page.getByRole('textbox', { name: 'Message to lobby' });
    await field.fill('かんじ');
    const press = (keyCode: number, isComposing: boolean): Promise<boolean> =>
      field.evaluate(
        (element, init) =>
          element.dispatchEvent(
            new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init }),
          ),
        { keyCode, isComposing },
      );
    // Safari: the key comes after `compositionend`, and only its code tells what it was for.
    for (const [keyCode, isComposing] of [
      [229, false],
      [229, true],
      [13, true],
    ] as const) {
      expect(await press(keyCode, isComposing)).toBe(true);
    }
    expect(await field.inputValue()).toBe('かんじ');
    expect(await page.locator('.message', { hasText: 'かんじ' }).count()).toBe(0);
    await field.press('Enter');
    await sees(page, 'かんじ');
    expect(await field.inputValue()).toBe('');
  });

  it('counts what is unread elsewhere, and shows where it begins', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const alan = await join(browser, server.port, 'Alan');
    await joinRoom(ada.page, 'garden');
    await joinRoom(alan.page, 'garden');
    await ada.page.locator('nav').getByRole('button', { name: 'lobby' }).click();
    await say(alan.page, 'the roses are out');
    await say(alan.page, 'come and see');
    await ada.page.locator('.conversation', { hasText: 'garden' }).getByText('2 unread').waitFor();
    await expect.poll(() => ada.page.title()).toBe('(2) lobby · Chat');
    await picture(ada.page, 'unread');

    await ada.page.locator('nav').getByRole('button', { name: 'garden' }).click();
    await ada.page.getByText('New messages').waitFor();
    await sees(ada.page, 'come and see');
    await expect.poll(() => ada.page.title()).toBe('garden · Chat');
  });

  it('carries private words, and says when nobody is there', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const alan = await join(browser, server.port, 'Alan');
    await ada.page.locator('.members').getByRole('button', { name: 'Alan' }).click();
    await say(ada.page, 'between us');
    await ada.page.locator('.message.own').getByText('Delivered').waitFor();
    await alan.page.locator('nav').getByRole('button', { name: 'Ada' }).click();
    await sees(alan.page, 'between us');
    await say(alan.page, 'of course');
    await sees(ada.page, 'of course');
    await picture(ada.page, 'private');

    await alan.page.getByRole('button', { name: 'Disconnect' }).click();
    await alan.page.getByRole('button', { name: 'Connect' }).waitFor();
    await say(ada.page, 'are you there?');
    await ada.page.getByText('Nobody here has this name now.', { exact: true }).waitFor();
    await picture(ada.page, 'failed');

    await signIn(alan.page, 'Alan');
    await alan.page.locator('.members').waitFor();
    await ada.page.getByRole('button', { name: 'Try again' }).click();
    await alan.page.locator('nav').getByRole('button', { name: 'Ada' }).click();
    await sees(alan.page, 'are you there?');
    await ada.page
      .getByText('Nobody here has this name now.', { exact: true })
      .waitFor({ state: 'detached' });
  });

  it('goes on after a reload, under the same name and in the same rooms', async () => {
    const { page } = await join(browser, server.port, 'Ada');
    await joinRoom(page, 'garden');
    await say(page, 'before the reload');
    await page.locator('.message.own').getByText('Delivered').waitFor();
    await page.reload();
    await page.locator('nav').getByRole('button', { name: 'garden' }).click();
    await sees(page, 'before the reload');
    expect(await page.locator('.self-name bdi').innerText()).toBe('Ada');
    expect(await page.locator('.conversation-name').allInnerTexts()).toEqual(['lobby', 'garden']);
  });

  it('remembers the name after a goodbye, and stays away until asked', async () => {
    const { page } = await join(browser, server.port, 'Ada');
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.reload();
    expect(await page.getByLabel('Your name').inputValue()).toBe('Ada');
    expect(await page.getByLabel('Server').inputValue()).toBe(`127.0.0.1:${server.port}`);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByRole('textbox', { name: 'Message to lobby' }).waitFor();
  });

  it('says what is wrong with a name or an address', async () => {
    await join(browser, server.port, 'Ada');
    const { page } = await open(browser, server.port);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('Choose a name').waitFor();
    await page.getByLabel('Your name').fill('аda');
    await page.keyboard.press('Enter');
    await page.getByText('Somebody here has this name, or one that looks like it.').waitFor();
    await picture(page, 'name-taken');
    await page.getByLabel('Your name').fill('Eve:');
    await page.keyboard.press('Enter');
    await page.getByText('A name must not have a colon.').waitFor();
    await page.getByLabel('Server').fill('127.0.0.1:1');
    await page.getByLabel('Your name').fill('Eve');
    await page.keyboard.press('Enter');
    await page.getByText('There is no answer from this server.').waitFor();
    await page.getByLabel('Server').fill('not an address');
    await page.keyboard.press('Enter');
    await page.getByText('This is not the address of a server.').waitFor();
  });

  it('takes another name, and the others hear of it', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const alan = await join(browser, server.port, 'Alan');
    await ada.page.getByRole('button', { name: 'Settings' }).click();
    await ada.page.getByLabel('Your name').fill('alan');
    await ada.page.getByRole('button', { name: 'Save' }).click();
    await ada.page.getByText('Somebody here has this name').waitFor();
    await ada.page.getByLabel('Your name').fill('Lovelace');
    await ada.page.getByRole('button', { name: 'Save' }).click();
    await sees(alan.page, 'is now');
    expect(await ada.page.locator('.self-name bdi').innerText()).toBe('Lovelace');
  });

  it('is used by keyboard alone', async () => {
    const { page } = await open(browser, server.port);
    await page.keyboard.type('Ada');
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Message to lobby' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('garden');
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Message to garden' }).waitFor();
    await page.keyboard.type('first line');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('second line');
    await page.keyboard.press('Enter');
    await sees(page, 'second line');
    expect(await page.locator('.text', { hasText: 'first line' }).innerText()).toBe(
      'first line\nsecond line',
    );
    await page.keyboard.press('Alt+ArrowUp');
    await page.getByRole('textbox', { name: 'Message to lobby' }).waitFor();
    // To the emoji, into the tray, and back with one.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('textbox', { name: 'Message to lobby' }).inputValue()).toBe('😂');
  });

  it('lets one change and take back what one said, and moderate a room of one’s own, by keyboard too', async () => {
    const ada = await join(browser, server.port, 'Ada');
    const { page } = ada;
    await joinRoom(page, 'teahouse');
    await page.getByRole('button', { name: 'Topic: none. Change it' }).click();
    await page.getByRole('textbox', { name: 'Topic' }).waitFor();
    await page.keyboard.type('all about tea');
    await page.keyboard.press('Enter');
    const alan = await join(browser, server.port, 'Alan');
    await joinRoom(alan.page, 'teahouse');
    await alan.page.locator('.topic', { hasText: 'all about tea' }).waitFor();

    // Changed with ↑, taken back from the menu.
    await say(page, 'helo');
    await page.locator('.message.own').getByText('Delivered').waitFor();
    await page.keyboard.press('ArrowUp');
    await page.getByText('Changing your message').waitFor();
    await say(page, 'hello');
    await sees(alan.page, 'hello');
    await alan.page.getByText('(edited)').waitFor();
    await page.getByRole('button', { name: 'Actions on the message of Ada' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Take back' }).waitFor();
    await picture(page, 'message-menu');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Take back this message?' }).waitFor();
    await page.keyboard.press('Escape');
    await sees(alan.page, 'hello');
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Take back' }).click();
    await sees(alan.page, 'was taken back by Ada');

    // A member without a role has no say over others.
    expect(await alan.page.getByRole('button', { name: 'Actions on Ada' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Actions on Alan' }).click();
    await page.getByRole('menuitem', { name: 'Mute…' }).click();
    await page.getByLabel('Reason').fill('too loud');
    await picture(page, 'mute');
    await page.getByRole('button', { name: 'Mute' }).click();
    await sees(page, 'Alan is muted');
    await say(alan.page, 'may I?');
    await alan.page.locator('.failure').waitFor();

    // The same by a command, completed.
    await page.getByRole('textbox', { name: 'Message to teahouse' }).pressSequentially('/unm');
    await page.getByRole('option', { name: '/unmute' }).waitFor();
    await picture(page, 'suggestions');
    await page.keyboard.press('Enter');
    await page.keyboard.type('al');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await sees(page, 'Alan may speak');
    await alan.page.getByRole('button', { name: 'Try again' }).click();
    await sees(page, 'may I?');
    await say(alan.page, '/kick Ada');
    await sees(alan.page, 'does not allow kick');
    expect([...ada.complaints, ...alan.complaints]).toEqual([]);
  });
});
