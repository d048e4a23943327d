/**
 * The program `chat` as a process: through a pipe, as a follower, and line by line in a real terminal.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatClient, connect, type Message, type Room } from '@chat/client';
import { type ChatServer, type ChatServerOptions, createChatServer } from '@chat/server';
import { afterEach, describe, expect, it } from 'vitest';
import { builtApp } from './support/built.js';
import { findProgram } from './support/find-program.js';
import { ROOT } from './support/workspaces.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The command that runs the program. */
const CHAT = [builtApp('client')];

async function listen(
  options: ChatServerOptions = {},
  port = 0,
): Promise<{ readonly server: ChatServer; readonly port: number; readonly url: string }> {
  const server = createChatServer(options);
  const address = await server.listen({ port, host: '127.0.0.1' });
  closers.push(() => server.close());
  if (address.kind !== 'tcp') throw new Error('not a TCP address');
  return { server, port: address.port, url: `tcp://127.0.0.1:${address.port}` };
}

async function enter(
  url: string,
  name: string,
): Promise<{ readonly client: ChatClient; readonly room: Room }> {
  const client = await connect(url, { name });
  closers.push(() => client.close());
  return { client, room: await client.join('lobby') };
}

class Program {
  readonly process: ChildProcess;
  readonly #exit: Promise<number | null>;
  output = '';
  errors = '';
  #changed: (() => void) | undefined;

  constructor(args: readonly string[]) {
    this.process = spawn(process.execPath, [...CHAT, ...args], { cwd: ROOT, stdio: 'pipe' });
    closers.push(() => this.process.kill('SIGKILL'));
    this.#exit = once(this.process, 'close').then(([code]) => code as number | null);
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.#changed?.();
    });
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.process.stdin!.on('error', () => {});
  }

  /** Closes the input after `text`. @returns the exit code */
  end(text = ''): Promise<number | null> {
    this.process.stdin!.end(text);
    return this.#exit;
  }

  get exit(): Promise<number | null> {
    return this.#exit;
  }

  async until(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** Messages of `room`, as `name: text`, until one is `last`. */
async function transcript(messages: AsyncIterable<Message>, last: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { sender, value } of messages) {
    lines.push(`${sender.name}: ${value}`);
    if (value === last) break;
  }
  return lines;
}

describe('chat through a pipe', () => {
  it('sends each line, waits for the acknowledgements, and ends well', async () => {
    const { url } = await listen();
    const { room } = await enter(url, 'ada');
    const messages = room.messages();
    const program = new Program([url, '--name', 'bot']);
    expect(await program.end('hello\n\n/me waves\n//slash\nعرب 🎉\nlast, without a line end')).toBe(0);
    expect(await transcript(messages, 'last, without a line end')).toEqual([
      'bot: hello',
      'bot: /me waves',
      'bot: /slash',
      'bot: عرب 🎉',
      'bot: last, without a line end',
    ]);
    expect(program.errors).toBe('');
    expect(program.output).not.toContain('hello');
  });

  it('keeps the order of more lines than the rate limit lets through at once', async () => {
    const { url } = await listen({ maxMessagesPerSecond: 200, maxMessageBurst: 5 });
    const { room } = await enter(url, 'ada');
    const messages = room.messages();
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
    expect(await new Program([url, '--name', 'bot']).end(`${lines.join('\n')}\n`)).toBe(0);
    expect(await transcript(messages, 'line 39')).toEqual(lines.map((line) => `bot: ${line}`));
  });

  it('shows what others say and do, one line each', async () => {
    const { url } = await listen();
    const program = new Program([url, '--name', 'bot']);
    const { client, room } = await enter(url, 'ada');
    await new Promise<void>((resolve) => {
      room.on('notice', ({ member }) => member.name === 'bot' && resolve());
    });
    await room.send('one\ntwo');
    await program.until('ada: two');
    await client.direct('bot', 'psst');
    await client.rename('lovelace');
    await client.close();
    await program.until('lovelace has left');
    expect(await program.end('/quit\nnot sent\n')).toBe(0);
    expect(program.output.split('\n').filter((line) => !line.includes('joined'))).toEqual([
      'ada: one',
      'ada: two',
      '(to you) ada: psst',
      '*** ada is now lovelace',
      '*** lovelace has left the chat',
      '',
    ]);
  });

  it('writes JSON for programs', async () => {
    const { url } = await listen();
    const { room } = await enter(url, 'ada');
    await room.send('hello');
    const program = new Program([url, '--name', 'bot', '--json', '--history', '5']);
    await program.until('"hello"');
    expect(await program.end()).toBe(0);
    const events = program.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.find(({ type }) => type === 'message')).toMatchObject({
      from: 'ada',
      text: 'hello',
      history: true,
    });
  });

  it('says in one line what is wrong, with code 1 when it failed', async () => {
    const { url } = await listen();
    await enter(url, 'ada');
    const taken = new Program([url, '--name', 'Ada']);
    expect(await taken.end('x\n')).toBe(1);
    expect(taken.errors).toMatch(/^chat: [^\n]*taken[^\n]*\n$/);
    const nobody = new Program(['tcp://127.0.0.1:1', '--name', 'bot']);
    expect(await nobody.end('x\n')).toBe(1);
    expect(nobody.errors).toMatch(/^chat: cannot connect to [^\n]*ECONNREFUSED[^\n]*\n$/);
    const long = new Program([url, '--name', 'bot']);
    expect(await long.end(`${'x'.repeat(70_000)}\n/nonsense\n`)).toBe(1);
    expect(long.errors).toMatch(/exceeds maxMessageBytes/);
    expect(long.errors).toMatch(/no command \/nonsense/);
  });

  it('says in one line what is wrong with the command line, with code 2', async () => {
    for (const args of [['--nope'], ['host:port'], ['localhost']]) {
      const program = new Program(args);
      expect(await program.end('x\n')).toBe(2);
      expect(program.errors).toMatch(/^chat: [^\n]+\n$/);
    }
  });

  it('survives that its server restarts while lines come in', async () => {
    const first = await listen();
    const program = new Program([first.url, '--name', 'bot']);
    program.process.stdin!.write('before\n');
    const { room } = await enter(first.url, 'ada');
    while ((await room.history()).entries.every((entry) => entry.type !== 'message')) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await first.server.drain({ spreadMs: 0 });
    const second = await listen({}, first.port);
    expect(await program.end('after\n')).toBe(0);
    expect(second.server.stats()).toBeDefined();
  });

  it('says goodbye at SIGTERM', async () => {
    const { url } = await listen();
    const { room } = await enter(url, 'ada');
    const kinds: string[] = [];
    const left = new Promise<void>((resolve) => {
      room.on('notice', ({ kind, own }) => {
        if (!own) kinds.push(kind);
        if (kind === 'joined' && !own) program.process.kill('SIGTERM');
        if (kind === 'left' || kind === 'gone') resolve();
      });
    });
    const program = new Program([url, '--name', 'bot']);
    await left;
    expect(kinds).toEqual(['joined', 'left']);
    expect(await program.exit).toBe(0);
  });
});

describe('chat --follow', () => {
  it('waits for its server, follows, comes back after a restart, and ends at a signal', async () => {
    const { port, server } = await listen();
    await server.close();
    const program = new Program([`tcp://127.0.0.1:${port}`, '--follow']);
    await program.until(`npm run chat -- 127.0.0.1:${port} --name ada`);
    await program.until('waiting for the server');
    expect(program.output).not.toContain('!!!');
    const first = await listen({}, port);
    await program.until('you are in lobby');
    const { room, client } = await enter(first.url, 'ada');
    await room.send('first');
    await program.until('ada: first');
    await client.close();
    await first.server.drain({ spreadMs: 0 });
    const second = await listen({}, port);
    await program.until('connected again');
    const again = await enter(second.url, 'bob');
    await again.room.send('second');
    await program.until('bob: second');
    program.process.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    expect(program.errors).toBe('');
  });

  it('takes another name when its own is in use', async () => {
    const { url } = await listen();
    await enter(url, 'follower');
    const program = new Program([url, '--follow']);
    await program.until('with 2 members');
    program.process.kill('SIGINT');
    expect(await program.exit).toBe(0);
  });
});

describe('chat --plain in a terminal', () => {
  const tmux = process.platform === 'win32' ? undefined : findProgram('tmux');

  /** A terminal of 60 columns, typed into and looked at from outside. */
  async function terminal(args: readonly string[]): Promise<{
    readonly type: (...keys: string[]) => void;
    readonly screen: () => string;
    readonly until: (condition: (screen: string) => boolean) => Promise<string>;
  }> {
    const folder = mkdtempSync(join(tmpdir(), 'chat-tmux-'));
    const run = (...rest: string[]) =>
      spawnSync(tmux!, ['-S', join(folder, 's'), '-f', '/dev/null', ...rest], { encoding: 'utf8' }).stdout;
    closers.push(() => {
      run('kill-server');
      rmSync(folder, { recursive: true, force: true });
    });
    const command = [process.execPath, ...CHAT, '--plain', ...args].map((part) => `'${part}'`).join(' ');
    run(
      'new-session',
      '-d',
      '-x',
      '60',
      '-y',
      '24',
      `cd '${ROOT}' && ${command}; echo "exit code $?"; exec cat`,
    );
    const screen = () => run('capture-pane', '-p');
    return {
      type: (...keys) => void run('send-keys', ...keys),
      screen,
      until: async (condition) => {
        for (;;) {
          const seen = screen();
          if (condition(seen)) return seen;
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    };
  }

  it.skipIf(tmux === undefined)('asks for server and name until they are good, and chats', async () => {
    const { port, url } = await listen();
    const { room } = await enter(url, 'ada');
    const { until, type } = await terminal([]);
    await until((screen) => screen.includes('Server'));
    type(`127.0.0.1:${port}`, 'Enter');
    await until((screen) => screen.includes('Your name'));
    type('ADA', 'Enter');
    await until((screen) => /taken/.test(screen) && screen.trimEnd().endsWith('Your name:'));
    type('bob', 'Enter');
    await until((screen) => screen.includes('[lobby]'));
    const messages = room.messages();
    type('hello from a terminal', 'Enter');
    expect(await transcript(messages, 'hello from a terminal')).toContain('bob: hello from a terminal');
    const screen = await until((seen) => /bob: hello from a terminal/.test(seen));
    // What was typed stands there once, as a message, and no more behind the prompt.
    expect(screen.match(/hello from a terminal/g)).toHaveLength(1);
    type('/quit', 'Enter');
    await until((seen) => seen.includes('exit code 0'));
  });

  it.skipIf(tmux === undefined)('keeps what is being typed whole while others talk', async () => {
    const { url } = await listen();
    const { room } = await enter(url, 'ada');
    const { until, type, screen } = await terminal([url, '--name', 'bob']);
    await until((seen) => seen.includes('[lobby]'));
    const typed = 'a line that is longer than the terminal is wide, and not yet finished';
    type('-l', typed);
    await until((seen) => seen.includes('finished'));
    const one = room.send('first message of somebody else');
    await one;
    await room.send('second\nof two lines');
    const seen = await until((text) => text.includes('ada: of two lines'));
    const lines = seen.trimEnd().split('\n');
    const prompt = lines.findIndex((line) => line.startsWith('[lobby]'));
    expect(lines.slice(prompt).join('')).toBe(`[lobby] ${typed}`);
    expect(lines.slice(0, prompt).filter((line) => line.includes('ada: '))).toHaveLength(3);
    type('Enter');
    await until((text) => text.includes('bob: a line') && /^\[lobby\]\s*$/m.test(text));
    expect(
      screen().match(/not yet finished/g) ??
        screen()
          .replace(/\n/g, '')
          .match(/not yet finished/g),
    ).toHaveLength(1);
    type('Up');
    await until((text) => text.trimEnd().endsWith('finished'));
    type('C-c');
    await until((text) => /^\[lobby\]\s*$/m.test(text));
    type('C-c');
    await until((text) => text.includes('exit code 0'));
  });

  it.skipIf(tmux === undefined)('shows that the connection is away, and comes back', async () => {
    const first = await listen();
    const { until, type } = await terminal([first.url, '--name', 'bob']);
    await until((seen) => seen.includes('[lobby]'));
    await first.server.drain({ spreadMs: 0 });
    await until((seen) => seen.includes('(offline) [lobby]'));
    type('typed while away', 'Enter');
    await until((seen) => seen.includes('waits for the connection'));
    await listen({}, first.port);
    const seen = await until((text) => text.replace(/\n/g, '').includes('bob: typed while away'));
    expect(seen).toContain('connected again');
  });
});
