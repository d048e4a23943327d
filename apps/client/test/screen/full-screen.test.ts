/**
 * The full screen in a real terminal, against a real server, as a person would use it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChatClient, connect, type Room } from '@chat/client';
import { type ChatServer, createChatServer, type Hooks, UNLIMITED } from '@chat/server';
import { openSqliteLog } from '@chat/server/sqlite';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { builtApp } from '../../../../test/support/built.js';
import { TMUX, TmuxScreen } from './support/tmux-screen.js';

const FOLDER = fileURLToPath(new URL('../..', import.meta.url));
const CHAT = `"${process.execPath}" "${builtApp('client')}"`;
const TIMEOUT_MS = 120_000;

describe.skipIf(TMUX === undefined)('the full screen', { timeout: TIMEOUT_MS }, () => {
  let server: ChatServer;
  let port: number;
  let screen: TmuxScreen;
  const clients: ChatClient[] = [];

  beforeEach(async () => {
    server = createChatServer({ ...UNLIMITED });
    port = await listen(server, 0);
    screen = new TmuxScreen();
  });

  afterEach(async () => {
    screen.close();
    for (const client of clients.splice(0)) await client.close();
    await server.close();
  });

  async function listen(chatServer: ChatServer, wanted: number): Promise<number> {
    const address = await chatServer.listen({ host: '127.0.0.1', port: wanted });
    if (address.kind !== 'tcp') throw new Error('not listening on TCP');
    return address.port;
  }

  /** Starts `chat` and waits until it is in the lobby. What it leaves behind stands after EXIT. */
  async function start(columns = 100, rows = 24, more = '', node = CHAT): Promise<void> {
    const after = 'echo "EXIT $?"; stty -a | grep -o " icanon\\| echo "; exec cat';
    await screen.open(
      `cd "${FOLDER}"; echo BEFORE; ${node} 127.0.0.1:${port} --name ada ${more}; ${after}`,
      columns,
      rows,
    );
    await screen.see(more.includes('--plain') ? 'you are in lobby' : '● connected ·', 'lobby');
  }

  async function join(
    name: string,
    room = 'lobby',
  ): Promise<{ readonly client: ChatClient; readonly room: Room }> {
    const client = await connect(`tcp://127.0.0.1:${port}`, { name });
    clients.push(client);
    return { client, room: await client.join(room) };
  }

  /** What somebody hears in a room, from now on. */
  function heardBy(room: Room): string[] {
    const texts: string[] = [];
    room.on('message', ({ value }) => texts.push(value));
    return texts;
  }

  it('talks: others are heard, names are completed, own messages arrive', async () => {
    const bob = await join('bob');
    const heard = heardBy(bob.room);
    await start();
    await bob.room.send('hello ada');
    await screen.see('bob │ hello ada', 'Members 2');
    await screen.type('bo');
    await screen.press('Tab');
    await screen.type('hi, how are yuo');
    await screen.press('C-w');
    await screen.type('you?');
    await screen.see('> bob: hi, how are you?');
    await screen.press('Enter');
    await screen.see('ada │ bob: hi, how are you?');
    expect(heard).toEqual(['hello ada', 'bob: hi, how are you?']);
    await screen.press('Up');
    await screen.see('> bob: hi, how are you?');
  });

  it.each(['', '--plain'])(
    'asks for a password without showing it, again when it was wrong %s',
    async (mode) => {
      await server.close();
      const shown: unknown[] = [];
      const authenticate: NonNullable<Hooks['authenticate']> = (credentials) => {
        shown.push(credentials);
        const { password } = (credentials ?? {}) as { readonly password?: string };
        if (password === 'correct horse') return { ok: true, name: 'ada' };
        return { ok: false, reason: password === undefined ? 'it has a password' : 'wrong name or password' };
      };
      server = createChatServer({ ...UNLIMITED, hooks: { authenticate } });
      port = await listen(server, 0);
      const after = 'echo "EXIT $?"; stty -a | grep -o " icanon\\| echo "; exec cat';
      await screen.open(`cd "${FOLDER}"; ${CHAT} 127.0.0.1:${port} --name ada ${mode}; ${after}`, 100, 24);
      await screen.see('!!! it has a password', 'Password for ada (Enter for another name):');
      await screen.type('hunter2');
      await screen.press('Enter');
      await screen.see('!!! wrong name or password');
      expect((await screen.rows()).join('\n').match(/Password for ada/g)).toHaveLength(2);
      expect((await screen.rows()).join()).not.toContain('hunter');
      // What was typed before is not brought back.
      await screen.press('Up', 'C-u');
      await screen.type('correct horse');
      await screen.press('Enter');
      await screen.see(mode === '' ? '● connected ·' : 'you are in lobby');
      expect((await screen.rows()).join()).not.toMatch(/hunter|horse/);
      expect(shown).toEqual([undefined, { password: 'hunter2' }, { password: 'correct horse' }]);
    },
  );

  it('takes another name when no password is given, and asks first with --login', async () => {
    await screen.open(`cd "${FOLDER}"; ${CHAT} 127.0.0.1:${port} --login --name ada; exec cat`, 100, 24);
    await screen.see('Password for ada');
    await screen.press('Enter');
    await screen.see('Your name:');
    await screen.type('bob');
    await screen.press('Enter');
    await screen.see('Password for bob');
    await screen.type('anything');
    await screen.press('Enter');
    await screen.see('● connected ·', 'bob at 127.0.0.1');
  });

  it('has rooms and users side by side, with marks for what is unread', async () => {
    await start();
    const bob = await join('bob', 'random');
    await screen.type('/join random');
    await screen.press('Enter');
    await screen.see(' random ·', '2 random');
    await screen.press('M-1');
    await screen.see(' lobby ·');
    await bob.room.send('one');
    await bob.room.send('ada: two');
    await bob.client.direct('ada', 'psst');
    const rows = await screen.until(
      'unread marks',
      (seen) => /2 random +2!$/m.test(seen.join('\n')) && /3 @bob +1!$/m.test(seen.join('\n')),
    );
    expect(rows[0]).toContain(' lobby · 1 member');
    await screen.press('C-n');
    await screen.see(' random ·', 'bob │ one', ' new ');
    await screen.press('M-a');
    await screen.see('@bob · only you two see this', 'bob │ psst');
    const directs = bob.client.directs();
    await screen.type('yes?');
    await screen.press('Enter');
    expect((await directs.next()).value).toMatchObject({ value: 'yes?', sender: { name: 'ada' } });
    await screen.see('ada │ yes?');
  });

  it('keeps its frame, by the cells of the terminal, whatever people are called and write', async () => {
    await start(100, 30);
    const texts = {
      محمد: 'السلام عليكم ورحمة الله وبركاته، كيف حالكم اليوم؟ نتمنى لكم يوما سعيدا',
      שלום: 'שלום hello עברית mixed',
      漢字太郎: '這是一個很長的中文訊息，用來測試換行是否正確，還有邊框是否保持在同一列。',
      हिन्दी: 'नमस्ते दुनिया हिन्दी में',
      '👨‍👩‍👧 fam': '👨‍👩‍👧 ❤️ 👍🏽 🇩🇪 1️⃣ ✔️ 🏳️‍🌈 e\u0301 Z\u0334\u0335\u0336\u0337\u0338\u0334\u0335a',
      mallory: '\u001B[2J\u001B[31mred\u0007 \u202Eevil\u202C \u009B5A up',
    };
    for (const [name, text] of Object.entries(texts)) await (await join(name)).room.send(text);
    await screen.see('Members 7', 'up');
    // All rows between title and status.
    expect(new Set(await screen.columnsOf('│', 1, 27))).toEqual(new Set([76]));
  });

  it('fits itself to the size of the terminal', async () => {
    const { room } = await join('bob');
    await room.send('a text that is long enough to be wrapped on a narrow terminal, and not on a wide one');
    await start(140, 20, '--history 10');
    await screen.see('Members 2', 'wrapped on a narrow terminal, and not on a wide one');
    await screen.resize(44, 10);
    await screen.until('a narrow screen', (rows) => {
      const text = rows.join('\n');
      return text.includes('bob: a text that is long enough') && !text.includes('Members');
    });
    await screen.resize(140, 20);
    await screen.see('Members 2', 'wrapped on a narrow terminal, and not on a wide one');
  });

  it('scrolls back, loads what is older, and stays there while others talk', async () => {
    const { room } = await join('bob');
    for (let number = 0; number < 150; number++) void room.send(`message ${number}.`);
    await room.send('last');
    await start(100, 20, '--history 30');
    await screen.see('bob │ last');
    for (let page = 0; page < 3; page++) await screen.press('PPage');
    // How far it has come depends on when what is older arrived between the keys.
    await screen.until('older messages', (rows) => {
      const numbers = [...rows.join('\n').matchAll(/message (\d+)\./g)].map(([, number]) => Number(number));
      return rows.join('\n').includes('scrolled back') && Math.min(...numbers) <= 122;
    });
    await screen.until('the beginning', async (rows) => {
      if (rows.join('\n').includes('this is the beginning')) return true;
      await screen.press('PPage');
      return false;
    });
    await room.send('one more');
    const rows = await screen.see('1 new (Esc)');
    expect(rows.join('\n')).not.toContain('one more');
    await screen.press('Escape');
    await screen.see('bob │ one more');
  });

  it('asks before several pasted lines are sent, and executes none of them', async () => {
    const { room } = await join('bob');
    const heard = heardBy(room);
    await start();
    await screen.paste('first\n/quit\nthird');
    await screen.see('Pasted 3 lines');
    await screen.press('l');
    await screen.see('ada │ first', 'ada │ /quit', 'ada │ third');
    await screen.paste('a\nb');
    await screen.see('Pasted 2 lines');
    await screen.press('Enter');
    await screen.see('ada │ a');
    await screen.paste('never\nsent');
    await screen.see('Pasted 2 lines: ');
    await screen.press('Escape');
    await screen.miss('Pasted');
    await screen.type('end');
    await screen.press('Enter');
    await screen.see('ada │ end');
    expect(heard).toEqual(['first', '/quit', 'third', 'a\nb', 'end']);
  });

  it('survives a restart of the server: counts down, keeps what was written, says what may be missing', async () => {
    await start();
    await server.close();
    await screen.see('○ disconnected', 'attempt');
    await screen.type('written while away');
    await screen.press('Enter');
    await screen.see('…              ada │ written while away', '1 to send');
    server = createChatServer({ ...UNLIMITED });
    await listen(server, port);
    await screen.press('C-r');
    const rows = await screen.until('the message', (seen) =>
      /\d\d:\d\d +ada │ written while away/.test(seen.join('\n')),
    );
    expect(rows.join('\n')).toContain('may be missing here (the server was');
    await screen.see('● connected');
  });

  it('finds what was said, where the server stores it, and says so where it does not', async () => {
    await start();
    await screen.type('/sea');
    await screen.press('Tab');
    await screen.type('fox');
    await screen.press('Enter');
    await screen.see('/search — this server has no search');
    await server.close();
    const directory = mkdtempSync(joinPath(tmpdir(), 'chat-search-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    server = createChatServer({ ...UNLIMITED, log: await openSqliteLog({ directory, reserveBytes: 0 }) });
    await listen(server, port);
    await screen.press('C-r');
    await screen.see('● connected');
    const bob = await join('bob');
    await bob.room.send('the quick brown fox');
    await bob.room.send('and a quick dog');
    while ((await bob.client.search('quick')).hits.length < 2);
    await screen.type('/search qui* fox');
    await screen.press('Enter');
    await screen.see('[lobby] bob: the quick brown fox', '1 message with qui* fox');
    await screen.type('/search');
    await screen.press('Enter');
    await screen.see('there is nothing older with qui* fox');
  });

  it('stays usable in a flood', async () => {
    const { room } = await join('bob');
    await start();
    for (let number = 0; number < 12_000; number++) {
      const sending = room.send(`flood ${number}`);
      if (number === 6000) await screen.type('typed in a flood');
      if (number % 500 === 0) await sending;
    }
    await room.send('the last');
    await screen.see('bob │ the last', '> typed in a flood');
  });

  describe('gives the terminal back', () => {
    /** The `chat` process: a child of the shell in the window. */
    async function chatId(): Promise<number> {
      const shell = await screen.shellId();
      return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')[0]);
    }

    async function expectTerminalBack(exitCode: number): Promise<string> {
      const rows = await screen.see('BEFORE', `EXIT ${exitCode}`, ' icanon', ' echo');
      expect(await screen.flags()).toEqual({ alternateScreen: false, cursorVisible: true, wraps: true });
      expect(rows[0]).toBe('BEFORE');
      return rows.join('\n');
    }

    it('when the user leaves', async () => {
      await start();
      expect(await screen.flags()).toEqual({ alternateScreen: true, cursorVisible: true, wraps: false });
      await screen.type('something');
      await screen.press('C-c');
      await screen.miss('something');
      await screen.press('C-c');
      await expectTerminalBack(0);
    });

    it.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
      'at %s, with a goodbye to the others',
      async (signal) => {
        const { room } = await join('bob');
        const left = new Promise<string>((resolve) =>
          room.on('notice', ({ kind, member }) => kind === 'left' && resolve(member.name)),
        );
        await start();
        process.kill(await chatId(), signal);
        await expectTerminalBack(0);
        expect(await left).toBe('ada');
      },
    );

    it('at a crash, and shows why', async () => {
      const crash = "data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('crash!')})";
      await start(100, 24, '', CHAT.replace('" "', `" --import "${crash}" "`));
      process.kill(await chatId(), 'SIGUSR2');
      expect(await expectTerminalBack(1)).toContain('Error: crash!');
    });

    it('when the server turns it out, and says why', async () => {
      await start();
      server.kick('ada', 'enough');
      expect(await expectTerminalBack(1)).toContain('enough');
    });
  });

  it('stays away with --plain', async () => {
    await start(100, 24, '--plain');
    expect(await screen.flags()).toMatchObject({ alternateScreen: false });
    await screen.press('C-c');
    await screen.see('EXIT 0');
  });
});
