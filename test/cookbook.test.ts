/** The programs of `docs/cookbook.md`, taken from the page and run as a reader would run them. Needs the packages built. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect, createChatClient } from '@chat/client';
import { createChatServer } from '@chat/server';
import { listSegments, unlink } from '@chat/shm';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findProgram } from './support/find-program.js';
import { ROOT, read } from './support/workspaces.js';

const CHROMIUM = findProgram('chromium', 'chromium-browser', 'google-chrome');
const PYTHON = findProgram('python3');

// Inside the repository, where the packages resolve.
const folder = join(ROOT, 'test-output', `cookbook-${process.pid}`);
const page = read('docs/cookbook.md');
const files = [...page.matchAll(/^```(?:js|html|python) (\S+)\n([\s\S]*?)^```$/gm)].map(([, path, code]) => ({
  path: path!,
  code: code!,
}));

beforeAll(() => {
  for (const { path, code } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), code);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

type Program = ChildProcessByStdio<null, Readable, null> & { readonly ended: Promise<unknown[]> };

/** Starts a file of the page. What it complains about is shown, since there is nothing to complain about. */
function start(command: string, file: string, ...args: string[]): Program {
  const child = spawn(command, [join(folder, file), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return Object.assign(child, { ended: once(child, 'close') });
}

async function openServer(): Promise<{ server: ReturnType<typeof createChatServer>; port: number }> {
  const server = createChatServer();
  onTestFinished(() => server.close());
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { server, port };
}

async function enter(port: number, name: string) {
  const client = await connect(`tcp://127.0.0.1:${port}`, { name });
  onTestFinished(() => client.close());
  return client;
}

describe('the cookbook', () => {
  it('has every program that is run here, and no other', () => {
    expect(files.map(({ path }) => path)).toEqual([
      'bot.mjs',
      'app.mjs',
      'express.mjs',
      'fastify.mjs',
      'page/index.html',
      'page/page.js',
      'ask.mjs',
      'compute.mjs',
      'hello.py',
    ]);
    expect(page.match(/^```\w+/gm)).toHaveLength(files.length);
  });

  it('has a bot that answers, and leaves when it is told to', async () => {
    const { port } = await openServer();
    const room = await (await enter(port, 'ada')).join('lobby');
    const entries = room.entries();
    const bot = start(process.execPath, 'bot.mjs', `tcp://127.0.0.1:${port}`);
    const heard: string[] = [];
    for await (const entry of entries) {
      if (entry.type === 'notice' && entry.kind === 'joined' && entry.member.name === 'clock')
        await room.send('!time');
      if (entry.type === 'message' && entry.sender.name === 'clock') {
        heard.push(entry.value);
        bot.kill('SIGTERM');
      }
      if (entry.type === 'notice' && entry.kind === 'left') break;
    }
    expect(heard).toEqual([expect.stringMatching(/^ada: \d{4}-\d\d-\d\dT/)]);
    expect(await bot.ended).toEqual([0, null]);
  });

  it('has a bot that is back under its name at once after it was killed', async () => {
    const { server, port } = await openServer();
    const room = await (await enter(port, 'ada')).join('lobby');
    const entries = room.entries();
    const ids: number[] = [];
    for (let run = 0; run < 3; run++) {
      const bot = start(process.execPath, 'bot.mjs', `tcp://127.0.0.1:${port}`);
      while (ids.length === run) {
        const { value: entry } = await entries.next();
        const isBot = entry?.type === 'notice' && entry.kind === 'joined' && entry.member.name === 'clock';
        if (isBot) ids.push(entry.member.id);
      }
      bot.kill('SIGKILL');
      await bot.ended;
    }
    expect(new Set(ids).size).toBe(3);
    expect(server.sessions().filter(({ name }) => name.startsWith('clock'))).toHaveLength(1);
  });

  it.each(['express.mjs', 'fastify.mjs'])('has a chat in an application: %s', async (file) => {
    const app = start(process.execPath, file, '0');
    const [line] = await once(app.stdout, 'data');
    const port = Number(/listening on (\d+)/.exec(String(line))?.[1]);
    const client = await connect(`ws://127.0.0.1:${port}/chat`, { name: 'ada' });
    onTestFinished(() => client.close());
    const news = await client.join('news');
    if (file === 'express.mjs') {
      const heard = new Promise((resolve) => news.on('message', resolve, { once: true }));
      const body = JSON.stringify({ version: '1.2.3' });
      const headers = { 'Content-Type': 'application/json', Connection: 'close' };
      const answer = await fetch(`http://127.0.0.1:${port}/deployed`, { method: 'POST', headers, body });
      expect(answer.status).toBe(201);
      expect(await heard).toMatchObject({ value: '1.2.3 is live', sender: { name: 'deploy' } });
    } else {
      const answer = await fetch(`http://127.0.0.1:${port}/users`, { headers: { Connection: 'close' } });
      expect(await answer.json()).toEqual(['ada']);
    }
    const goingAway = new Promise((resolve) => client.on('going-away', resolve, { once: true }));
    app.kill('SIGTERM');
    await goingAway;
    await client.close();
    expect(await app.ended).toEqual([0, null]);
  });

  it('has a server with accounts inside an application', async () => {
    const app = start(process.execPath, 'app.mjs', '0');
    const [line] = await once(app.stdout, 'data');
    const port = Number(/listening on (\d+)/.exec(String(line))?.[1]);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('my application\n');
    expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404);

    const as = async (token?: string) => {
      const credentials = token === undefined ? {} : { credentials: { token } };
      const client = createChatClient(`tcp://127.0.0.1:${port}`, { name: 'somebody', ...credentials });
      onTestFinished(() => client.close());
      await client.connect();
      return client;
    };
    await expect(as()).rejects.toMatchObject({ code: 'ERR_CLIENT_UNAUTHORIZED' });
    await expect(as('token-of-eve')).rejects.toMatchObject({ code: 'ERR_CLIENT_UNAUTHORIZED' });
    const [ada, bob] = await Promise.all([as('token-of-ada'), as('token-of-bob')]);
    expect([ada.name, bob.name]).toEqual(['ada', 'bob']);
    const news = await bob.join('news');
    await expect(news.send('mine')).rejects.toMatchObject({ code: 'ERR_CLIENT_FORBIDDEN' });
    await (await ada.join('news')).send('ours');
    await Promise.all([ada.close(), bob.close()]);

    app.kill('SIGTERM');
    expect(await app.ended).toEqual([0, null]);
  });

  it.skipIf(CHROMIUM === undefined)('has a web page that talks', async () => {
    await build({ root: join(folder, 'page'), logLevel: 'silent', configFile: false });
    const server = createChatServer({
      http: {
        handler: (request, response) => {
          const path = new URL(request.url ?? '/', 'http://localhost').pathname;
          const file = join(folder, 'page/dist', path === '/' ? 'index.html' : path);
          response.setHeader('Content-Type', path === '/' ? 'text/html' : 'text/javascript');
          response.end(readFileSync(file));
        },
      },
    });
    onTestFinished(() => server.close());
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    const room = await (await enter(port, 'ada')).join('lobby');
    const messages = room.messages();

    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    onTestFinished(() => browser.close());
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${port}/?name=bob&server=ws://127.0.0.1:${port}`);
    await tab.getByText('open', { exact: true }).waitFor();
    await tab.getByRole('textbox').fill('<b>hello</b>');
    await tab.keyboard.press('Enter');
    for await (const { sender, value } of messages) {
      expect(`${sender.name}: ${value}`).toBe('bob: <b>hello</b>');
      break;
    }
    await room.send('welcome');
    await tab.getByText('ada: welcome').waitFor();
    expect(await tab.getByRole('listitem').allTextContents()).toEqual(['bob: <b>hello</b>', 'ada: welcome']);

    // F5, three times: it is bob again, and has what was said.
    for (let i = 0; i < 3; i++) {
      await tab.reload();
      await tab.getByText('open', { exact: true }).waitFor();
      await tab.getByText('ada: welcome').waitFor();
    }
    const names = server.sessions().map(({ name }) => name);
    expect(names.sort()).toEqual(['ada', 'bob']);
  });

  it.skipIf(process.platform !== 'linux')('has two processes that compute together', async () => {
    const name = `cookbook-${process.pid}`;
    onTestFinished(() => void unlink(name));
    const compute = start(process.execPath, 'compute.mjs', name);
    for (const [numbers, sum] of [
      [['1', '2', '3'], '6\n'],
      [['40', '2'], '42\n'],
    ] as const) {
      const ask = start(process.execPath, 'ask.mjs', name, ...numbers);
      expect(await text(ask.stdout)).toBe(sum);
      expect(await ask.ended).toEqual([0, null]);
    }
    compute.kill('SIGTERM');
    expect(await compute.ended).toEqual([0, null]);
    expect(listSegments()).not.toContain(name);
  });

  it.skipIf(PYTHON === undefined)('has a few lines of Python that are a client', async () => {
    const { port } = await openServer();
    const room = await (await enter(port, 'ada')).join('lobby');
    const messages = room.messages();
    const python = start(PYTHON!, 'hello.py', '127.0.0.1', String(port));
    const output = text(python.stdout);
    for await (const { sender, value } of messages) {
      expect(`${sender.name}: ${value}`).toBe('python: hello from Python');
      break;
    }
    await room.send('bye');
    expect(await output).toBe('ada: bye\n');
    expect(await python.ended).toEqual([0, null]);
  });
});
