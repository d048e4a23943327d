/** The programs in `examples/`, run as a reader would run them. Needs the packages built. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ChatClient, connect } from '@chat/client';
import { createChatServer } from '@chat/server';
import { listSegments, unlink } from '@chat/shm';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findProgram } from './support/find-program.js';
import { Program, until } from './support/programs.js';
import { ROOT, read } from './support/workspaces.js';

const run = promisify(execFile);
const EXAMPLES = join(ROOT, 'examples');
const CHROMIUM = findProgram('chromium', 'chromium-browser', 'google-chrome');
const PYTHON = findProgram('python3');
const CC = findProgram('cc', 'gcc', 'clang');

const folder = mkdtempSync(join(tmpdir(), 'chat-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

/** A program of an example, started where they all are. */
const start = (command: string, ...args: string[]): Program => new Program(EXAMPLES, command, ...args);
const node = (...args: string[]): Program => start(process.execPath, ...args);

async function openServer(port = 0): Promise<{ server: ReturnType<typeof createChatServer>; port: number }> {
  const server = createChatServer({ http: { allowedOrigins: ['*'] } });
  onTestFinished(() => server.close());
  const address = await server.listen({ host: '127.0.0.1', port });
  if (address.kind !== 'tcp') throw new Error('not a TCP address');
  return { server, port: address.port };
}

async function enter(port: number, name: string): Promise<ChatClient> {
  const client = await connect(`tcp://127.0.0.1:${port}`, { name });
  onTestFinished(() => client.close());
  return client;
}

/** What the lobby hears, as lines that grow. */
async function listen(
  port: number,
  name = 'listener',
): Promise<{ heard: string[]; say: (text: string) => unknown }> {
  const lobby = await (await enter(port, name)).join('lobby');
  const heard: string[] = [];
  lobby.on('message', ({ sender, value }) => heard.push(`${sender.name}: ${value}`));
  return { heard, say: (text) => lobby.send(text) };
}

/** Starts an example that serves, and gives the address that it prints. */
async function serving(...args: string[]): Promise<{ url: string; port: number; program: Program }> {
  const program = node(...args, '0');
  await program.prints(/http:\/\/localhost:\d+/);
  const [url] = program.printed.match(/http:\/\/localhost:\d+/)!;
  return { url, port: Number(new URL(url).port), program };
}

describe('the page of examples', () => {
  it('has every folder', () => {
    const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const named = [...read('examples/README.md').matchAll(/^\| \[([\w-]+)\]/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(folders.map(({ name }) => name).sort());
    const commands = [...read('examples/README.md').matchAll(/npm run example -w example-([\w-]+)/g)];
    for (const [, name] of commands) expect(existsSync(join(EXAMPLES, name!, 'package.json'))).toBe(true);
  });

  it('names the only script that an example has: turbo starts none of them', () => {
    const manifests = readdirSync(EXAMPLES).filter((name) =>
      existsSync(join(EXAMPLES, name, 'package.json')),
    );
    expect(manifests.length).toBeGreaterThan(5);
    for (const name of manifests) {
      const { scripts } = JSON.parse(read(`examples/${name}/package.json`)) as { scripts: object };
      expect(Object.keys(scripts), name).toEqual(['example']);
    }
  });
});

describe('the bot', () => {
  it('answers, and has its name back at once when it was killed', async () => {
    const { port } = await openServer();
    const { heard, say } = await listen(port);
    const first = node('bot/bot.js', `tcp://127.0.0.1:${port}`);
    onTestFinished(() => rmSync(join(EXAMPLES, 'bot/bot.identity'), { force: true }));
    await first.prints('ready');
    say('!echo one two');
    await until(() => expect(heard).toContain('bot: listener: one two'));
    first.kill('SIGKILL');
    await first.ended;

    const second = node('bot/bot.js', `tcp://127.0.0.1:${port}`);
    await second.prints('ready');
    say('!time');
    await until(() => expect(heard.at(-1)).toMatch(/^bot: listener: 20\d\d-/));
    say('!toString');
    second.kill('SIGTERM');
    expect(await second.ended).toEqual([0, null]);
    expect(heard.at(-1)).toBe('listener: !toString');
  });
});

describe('the chat inside an application', () => {
  it('of Express has its routes and the chat on one port', async () => {
    const { url, port, program } = await serving('express/server.js');
    const ada = await enter(port, 'ada');
    expect(await (await fetch(url)).text()).toBe('<h1>My application</h1>');
    expect(await (await fetch(`${url}/members`)).json()).toEqual(['ada']);
    expect((await fetch(`${url}/members/nobody`, { method: 'DELETE' })).status).toBe(404);
    expect((await fetch(`${url}/members/ada`, { method: 'DELETE' })).status).toBe(204);
    await until(() => expect(ada.state).toMatchObject({ reason: { code: 'ERR_CLIENT_KICKED' } }));
    program.kill('SIGTERM');
    expect(await program.ended).toEqual([0, null]);
  });

  it('of Fastify has its routes and the chat on one port', async () => {
    const { url, port, program } = await serving('fastify/server.js');
    await enter(port, 'ada');
    expect(await (await fetch(`${url}/members`)).json()).toEqual(['ada']);
    expect(await (await fetch(`${url}/stats`)).json()).toMatchObject({ sessions: 1 });
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    program.kill('SIGTERM');
    expect(await program.ended).toEqual([0, null]);
  });

  it('with accounts lets in who has a token, and renews it when it runs out', async () => {
    vi.stubEnv('TOKEN_SECONDS', '6');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { url, port, program } = await serving('jwt-login/server.js');
    await expect(enter(port, 'ada')).rejects.toMatchObject({ code: 'ERR_CLIENT_UNAUTHORIZED' });
    const wrong = { method: 'POST', body: JSON.stringify({ name: 'ada', password: 'guess' }) };
    expect((await fetch(`${url}/login`, wrong)).status).toBe(401);

    const ada = node('jwt-login/client.js', url, 'ada', 'lovelace');
    const bob = node('jwt-login/client.js', url, 'bob', 'builder');
    await Promise.all([ada.prints('ready'), bob.prints('ready')]);
    ada.say('before');
    await bob.prints('ada: before');
    // The token ends, and the connection with it.
    await bob.prints(/reconnecting\n(.*\n)*\* open/);
    ada.say('after');
    await bob.prints('ada: after');
    for (const client of [ada, bob]) {
      client.hangUp();
      expect(await client.ended).toEqual([0, null]);
    }
    program.kill('SIGTERM');
    expect(await program.ended).toEqual([0, null]);
  });
});

describe('the typed room', () => {
  it('takes what fits its schema, and nothing else', async () => {
    const program = node(join(ROOT, 'node_modules/tsx/dist/cli.mjs'), 'typed-room/main.ts');
    expect(await program.ended).toEqual([0, null]);
    expect(program.printed).toBe(
      'ada: e2 to e4\nnot sent: ERR_PROTOCOL_INVALID_BODY\nrefused: ERR_CLIENT_REJECTED\n',
    );
  });
});

describe.skipIf(process.platform !== 'linux')('shared memory', () => {
  it.each([
    ['shm-two-processes', 'CHAT_CHANNEL', ['one -> ONE', 'two -> TWO', 'three -> THREE']],
    ['shm-worker-pool', 'CHAT_POOL', ['10 20 30 40', '100 200 300 400']],
    ['shm-requests', 'CHAT_SERVICE', [2, 3, 4, 5].map((n) => `${n} squared is ${n * n}`)],
  ] as const)('of %s does what it says, and leaves nothing', async (name, variable, lines) => {
    const segment = `example-${process.pid}-${name}`;
    vi.stubEnv(variable, segment);
    onTestFinished(() => void vi.unstubAllEnvs());
    const left = (): string[] => listSegments().filter((found) => found.startsWith(segment));
    onTestFinished(() => left().forEach((found) => void unlink(found)));
    const program = node(`${name}/main.js`);
    expect(await program.ended).toEqual([0, null]);
    expect(program.printed.trim().split('\n').sort()).toEqual([...lines].sort());
    expect(left()).toEqual([]);
  });
});

describe('a client in another language', () => {
  /** Talks with somebody, and leaves. */
  async function converse(
    port: number,
    program: Program,
    shown: (name: string, text: string) => string,
  ): Promise<void> {
    const { heard, say } = await listen(port, 'grace');
    program.say('hello');
    await until(() => expect(heard).toContain('guest: hello'));
    await say('good morning');
    await program.prints(shown('grace', 'good morning'));
    program.hangUp();
    expect(await program.ended).toEqual([0, null]);
  }

  const byLines = (name: string, text: string): string => `${name}: ${text}\n`;

  it.skipIf(!PYTHON)('in Python speaks lines', async () => {
    const { port } = await openServer();
    const program = start(PYTHON!, 'line-python/client.py', '127.0.0.1', `${port}`, 'guest');
    await converse(port, program, byLines);
  });

  it.skipIf(!CC)('in C speaks lines', async () => {
    const { port } = await openServer();
    const binary = join(folder, 'client');
    await run(CC!, ['-Wall', '-Wextra', '-Werror', '-o', binary, join(EXAMPLES, 'line-c/client.c')]);
    await converse(port, start(binary, '127.0.0.1', `${port}`, 'guest'), byLines);
  });

  it.skipIf(!PYTHON)('in Python speaks the binary dialect, and proves that nothing is missing', async () => {
    const { port } = await openServer();
    const { say } = await listen(port, 'before');
    await say('early');
    const program = start(PYTHON!, 'binary-python/client.py', '127.0.0.1', `${port}`, 'guest');
    await program.prints('before: early\n');
    await converse(port, program, byLines);
    expect(program.printed).toMatch(/\[1 is in the log at \d+\]/);
    expect(program.printed).toContain('grace joined\n');
    expect(program.printed).not.toContain('missing');
  });
});

describe('the page in React', () => {
  it.skipIf(!CHROMIUM)('shows rooms, members, words and who is writing, in a browser', async () => {
    const { port } = await openServer();
    const grace = await enter(port, 'grace');
    const lobby = await grace.join('lobby');
    const pages = await createServer({
      root: join(EXAMPLES, 'react'),
      logLevel: 'error',
      server: { port: 0 },
      cacheDir: folder,
    });
    onTestFinished(() => pages.close());
    await pages.listen();
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (error) => complaints.push(error.message));
    const address = `${pages.resolvedUrls!.local[0]}?name=ada&server=ws://127.0.0.1:${port}`;
    await page.goto(address);

    await page.getByText('In the room: grace, ada').waitFor();
    await lobby.send('hello ada');
    await page.getByText('grace: hello ada').waitFor();
    lobby.signal({ typing: true });
    await page.getByText('grace …').waitFor();
    await page.getByLabel('Message').fill('hello grace');
    await page.getByLabel('Message').press('Enter');
    await page.getByText('ada: hello grace').waitFor();
    await until(() => expect(lobby.position).toBeGreaterThan(0));

    await page.getByRole('button', { name: 'help' }).click();
    await page.getByText('In the room: ada', { exact: true }).waitFor();
    await until(() => expect([...lobby.members.values()].map(({ name }) => name)).toEqual(['grace']));
    await page.reload();
    await page.getByText('In the room: grace, ada').waitFor();
    expect(complaints).toEqual([]);
  });
});
