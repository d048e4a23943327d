/**
 * The guides: each program on them is compiled, and run as its reader would run it; so are the commands of a shell.
 * What stands in blocks of TypeScript is run by `examples.test.ts`. Needs the packages built.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ChatClient, connect } from '@chat/client';
import { createBlockLog, createChatServer } from '@chat/server';
import { listSegments, unlink } from '@chat/shm';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { describeEventLog } from '../packages/server/test/support/event-log-contract.js';
import { findProgram } from './support/find-program.js';
import { Program, until, writePrograms } from './support/programs.js';
import { filesBelow, ROOT, read } from './support/workspaces.js';

const run = promisify(execFile);
const NC = findProgram('nc');
const PYTHON = findProgram('python3');
const CURL = findProgram('curl');
/** What `npx tsx` does, in one process, which can be killed. */
const TSX = ['--import', 'tsx'];
const CHAT = join(ROOT, 'scripts/chat.mjs');
const CHAT_SHM = join(ROOT, 'packages/shm/bin/chat-shm.mjs');

const pages = filesBelow('docs/guides', '.md');

// Inside the repository, where the packages resolve.
const folder = join(ROOT, 'test-output', `guides-${process.pid}`);
const folderOf = (guide: string): string => join(folder, guide);
const programs = pages.map((page) => {
  const guide = page.slice('docs/guides/'.length, -'.md'.length);
  return { guide, page, names: writePrograms(page, folderOf(guide)) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

const start = (guide: string, ...args: string[]): Program =>
  new Program(folderOf(guide), process.execPath, ...args);

/** Starts a program that says where it listens. */
async function serving(guide: string, ...args: string[]): Promise<{ port: number; program: Program }> {
  const program = start(guide, ...args);
  await program.prints(/listening on \d+/);
  return { port: Number(/listening on (\d+)/.exec(program.printed)![1]), program };
}

async function openServer(): Promise<number> {
  const server = createChatServer();
  onTestFinished(() => server.close());
  return (await server.listen({ host: '127.0.0.1', port: 0 })).port;
}

async function enter(port: number, name: string): Promise<ChatClient> {
  const client = await connect(`tcp://127.0.0.1:${port}`, { name });
  onTestFinished(() => client.close());
  return client;
}

/** What somebody in the lobby hears, as lines that grow. */
async function listenAs(port: number, name: string) {
  const lobby = await (await enter(port, name)).join('lobby');
  const heard: string[] = [];
  lobby.on('message', ({ sender, value }) => heard.push(`${sender.name}: ${value}`));
  return { heard, lobby };
}

async function ends(program: Program, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  program.kill(signal);
  expect(await program.ended).toEqual([0, null]);
}

/** A name of shared memory, which is gone when the test is over. */
function memoryName(what: string): string {
  const name = `guide-${what}-${process.pid}`;
  onTestFinished(() => {
    for (const found of listSegments().filter((segment) => segment.startsWith(name))) unlink(found);
  });
  return name;
}

describe('the guides', () => {
  it('begin with what one has at the end, and are short', () => {
    for (const page of pages) {
      const lines = read(page).trimEnd().split('\n');
      expect(lines[2], page).toMatch(/^At the end of this page/);
      expect(lines.length, page).toBeGreaterThanOrEqual(60);
      expect(lines.length, page).toBeLessThanOrEqual(150);
    }
  });

  it('have no block of code that nobody looks at', () => {
    const checked = /^(ts|ts no-run|(?:c|html|js|python|ts) \w\S*\.\w+|sh)$/;
    // Of a peer that is not installed, and of a test for another folder; a conversation, which is held below.
    const known = { 'js no-run': 2, js: 1, text: 1 };
    const others = pages.flatMap((page) =>
      [...read(page).matchAll(/^```(\S.*)$/gm)]
        .map(([, info]) => info!)
        .filter((info) => !checked.test(info)),
    );
    const counts = Object.fromEntries(
      [...new Set(others)].map((info) => [info, others.filter((other) => other === info).length]),
    );
    expect(counts).toEqual(known);
  });

  it('show programs that compile', async () => {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(ROOT, 'tsconfig.base.json'),
        compilerOptions: {
          types: ['node'],
          typeRoots: [join(ROOT, 'node_modules/@types')],
          allowJs: true,
          checkJs: true,
          noImplicitAny: false,
          // Against the packages as they are built, as a reader has them.
          customConditions: [],
        },
        include: ['**/*.mjs', '**/*.ts'],
        // As the documentation of these peers has it, which puts properties on their objects.
        exclude: ['**/socket-io-server.mjs', '**/ws-server.mjs'],
      }),
    );
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const output = await run(process.execPath, [tsc, '-p', folder]).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(output).toBe('');
  });

  it('have these programs, each run below, and these commands', () => {
    const names = Object.fromEntries(programs.map(({ guide, names }) => [guide, names]));
    expect(names).toEqual({
      'another-language': ['vectors.py'],
      'coming-from/node-ipc': ['world.mjs', 'hello.mjs', 'room.mjs', 'member.mjs'],
      'coming-from/socket-io': ['socket-io-server.mjs', 'chat-server.mjs', 'chat-client.mjs'],
      'coming-from/ws': ['ws-server.mjs', 'chat-server.mjs', 'chat-client.mjs'],
      'embed-the-server': ['server.mjs', 'reader.mjs'],
      'getting-started': ['hello.mjs', 'bot.mjs'],
      'shared-memory': ['worker.mjs', 'producer.mjs', 'service.mjs', 'ask.mjs'],
      'typed-rooms': [],
      'your-own-log': ['delayed-log.ts', 'delayed-server.ts', 'json-lines.ts', 'server.ts'],
    });
    const commands = pages.flatMap((page) =>
      [...read(page).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block!.trim().split('\n')),
    );
    // `npm ci && npm start` is what the continuous integration does; `npm install` is tried by `packed.test.ts`.
    const elsewhere = commands.filter((command) => /^npm (ci|install)\b/.test(command));
    expect(new Set(elsewhere.flatMap((command) => command.match(/@chat\/\w+/g) ?? []))).toEqual(
      new Set(['@chat/client', '@chat/server', '@chat/protocol', '@chat/shm']),
    );
    expect(commands.filter((command) => !elsewhere.includes(command))).toEqual([
      `(echo robot; echo 'the backup is done') | nc -N localhost 12345`,
      'node server.mjs',
      'curl -X POST http://localhost:8080/deployed',
      'npm run chat -- --name ada',
      'nc localhost 12345',
      'node hello.mjs',
      'node bot.mjs',
      'node worker.mjs thumbnails',
      'node worker.mjs thumbnails',
      'node producer.mjs thumbnails cat.jpg dog.jpg owl.jpg',
      'node service.mjs squares',
      'node ask.mjs squares 12',
      'npx chat-shm list',
      'npx chat-shm inspect thumbnails',
      'npx chat-shm remove thumbnails',
    ]);
  });
});

describe('getting started', () => {
  it('leads in by the terminal client', async () => {
    const port = await openServer();
    const { heard } = await listenAs(port, 'grace');
    const chat = start('getting-started', CHAT, `tcp://127.0.0.1:${port}`, '--name', 'ada');
    chat.say('hello');
    await until(() => expect(heard).toEqual(['ada: hello']));
    chat.hangUp();
    expect(await chat.ended).toEqual([0, null]);
  });

  it.skipIf(!NC)('holds the conversation that it shows, by nc', async () => {
    const [, shown] = /^```text\n([\s\S]*?)^```$/m.exec(read('docs/guides/getting-started.md'))!;
    const lines = shown!.trim().split('\n');
    const port = await openServer();
    const { heard, lobby } = await listenAs(port, 'ada');
    const nc = new Program(folder, NC!, '127.0.0.1', String(port));
    for (const line of lines) {
      const [, said] = /^ada: (.*)$/.exec(line) ?? [];
      if (said === undefined) nc.say(line);
      else {
        await until(() => expect(heard).toEqual(['bob: hello ada']));
        await lobby.send(said);
        await nc.prints(line);
      }
    }
    nc.hangUp();
    await nc.ended;
    expect(nc.printed).toBe('ada: hello bob\n');
  });

  it('has a client that talks and listens, and a bot that answers it', async () => {
    const port = await openServer();
    const url = `tcp://127.0.0.1:${port}`;
    const bot = start('getting-started', 'bot.mjs', url);
    await bot.prints('ready');
    const hello = start('getting-started', 'hello.mjs', url);
    await hello.prints(/my message has position \d+ in the log/);
    await hello.prints('greeter: welcome, grace!');
    await hello.prints('grace: hello from a program');
    const { heard, lobby } = await listenAs(port, 'ada');
    await lobby.send('!count one two three');
    await until(() => expect(heard).toContain('greeter: ada, these are 3 words'));
    await ends(bot);
  });
});

describe('embedding the server', () => {
  it('has a program that announces, and a reader who may not write', async () => {
    const { port, program } = await serving('embed-the-server', 'server.mjs', '0');
    const reader = start('embed-the-server', 'reader.mjs', `ws://127.0.0.1:${port}`);
    await reader.prints('ERR_CLIENT_FORBIDDEN');
    const url = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${url}/members`)).text()).toBe('ada\n');
    expect((await fetch(`${url}/other`)).status).toBe(404);
    const said = CURL
      ? (await run(CURL, ['-s', '-X', 'POST', `${url}/deployed`])).stdout
      : await (await fetch(`${url}/deployed`, { method: 'POST' })).text();
    expect(said).toMatch(/^position \d+\n$/);
    await reader.prints('deploy: a new version is live');
    await ends(program);
    reader.kill('SIGKILL');
  });
});

describe('a log of your own', async () => {
  const guide = folderOf('your-own-log');
  const { DelayedLog } = await import(/* @vite-ignore */ join(guide, 'delayed-log.ts'));
  const { JsonLines } = await import(/* @vite-ignore */ join(guide, 'json-lines.ts'));
  let files = 0;
  const newFile = (): string => join(guide, `${++files}.jsonl`);

  describeEventLog('the delayed log of the guide', () => new DelayedLog());
  describeEventLog('the JSON lines of the guide', () =>
    createBlockLog(new JsonLines(newFile(), 7), { process: 7 }),
  );

  it('serves a chat, and shows which entries there are', async () => {
    const program = start('your-own-log', ...TSX, 'delayed-server.ts');
    expect(await program.ended).toEqual([0, null]);
    expect(read('docs/guides/your-own-log.md')).toContain(`\`${program.printed.trim()}\``);
  });

  it('has everything again after a kill, and goes on in its epoch', async () => {
    const file = newFile();
    const first = await serving('your-own-log', ...TSX, 'server.ts', file, '0');
    const url = `tcp://127.0.0.1:${first.port}`;
    const reconnect = { baseDelayMs: 20, maxDelayMs: 50 };
    const ada = await connect(url, { name: 'ada', reconnect });
    onTestFinished(() => ada.close());
    const lobby = await ada.join('lobby');
    const gaps: unknown[] = [];
    lobby.on('gap', (gap) => gaps.push(gap));
    await lobby.send('before');
    const { epoch } = ada;
    first.program.kill('SIGKILL');
    await until(() => expect(ada.state.status).toBe('reconnecting'));
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"block":"AAAA`); // half a line, as a kill may leave it
    const second = await serving('your-own-log', ...TSX, 'server.ts', file, String(first.port));
    await until(() => expect(ada.state.status).toBe('open'));
    await lobby.send('behind');
    const { entries } = await lobby.history();
    const said = entries.flatMap((entry) => (entry.type === 'message' ? [entry.value] : []));
    expect([ada.epoch, said, gaps]).toEqual([epoch, ['before', 'behind'], []]);
    await expect(connect(url, { name: 'ada' })).rejects.toMatchObject({ code: 'ERR_CLIENT_NAME_TAKEN' });
    await ends(second.program);
  });
});

describe.skipIf(process.platform !== 'linux')('shared memory', () => {
  it('shares out work, and gives that of a killed worker to another', async () => {
    const name = memoryName('pool');
    const slow = start('shared-memory', 'worker.mjs', name, '3600000');
    const producer = start('shared-memory', 'producer.mjs', name, 'cat.jpg', 'dog.jpg');
    expect(await producer.ended).toEqual([0, null]);
    await slow.prints('cat.jpg\n');
    const quick = start('shared-memory', 'worker.mjs', name, '0');
    await quick.prints('dog.jpg\n');
    slow.kill('SIGKILL');
    await quick.prints('again: cat.jpg\n');
    const list = await run(process.execPath, [CHAT_SHM, 'list']);
    expect(list.stdout).toContain(name);
    expect((await run(process.execPath, [CHAT_SHM, 'inspect', name])).stdout).toContain('queue');
    await ends(quick);
    await run(process.execPath, [CHAT_SHM, 'remove', name]);
    expect(listSegments()).not.toContain(name);
  });

  it('answers requests', async () => {
    const name = memoryName('squares');
    const service = start('shared-memory', 'service.mjs', name);
    await service.prints('ready');
    const ask = start('shared-memory', 'ask.mjs', name, '12');
    expect(await ask.ended).toEqual([0, null]);
    expect(ask.printed).toBe('144\n');
    await service.prints('left\n');
    await ends(service);
    expect(listSegments().filter((segment) => segment.startsWith(name))).toEqual([]);
  });
});

describe('coming from another library', () => {
  /** Speaks as a client of Socket.IO does (Engine.IO 4 over its WebSocket), and gives what it hears. */
  async function socketIoClient(port: number, name: string) {
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
    onTestFinished(() => socket.terminate());
    const heard: string[] = [];
    socket.on('message', (data) => {
      heard.push(String(data));
      if (String(data).startsWith('0')) socket.send(`40${JSON.stringify({ name })}`);
    });
    await until(() => expect(heard.some((packet) => packet.startsWith('40'))).toBe(true));
    return { heard, say: (text: string) => socket.send(`420["message",${JSON.stringify(text)}]`) };
  }

  /** The client of the page, twice. */
  async function talk(guide: string): Promise<void> {
    const { port, program } = await serving(guide, 'chat-server.mjs', '0');
    const url = `ws://127.0.0.1:${port}`;
    const ada = start(guide, 'chat-client.mjs', url, 'ada');
    await ada.prints('ada: hello\n');
    const bob = start(guide, 'chat-client.mjs', url, 'bob');
    await ada.prints('bob: hello\n');
    await ends(bob);
    await ends(ada);
    await ends(program);
  }

  it('Socket.IO: both programs do the same', async () => {
    const { port, program } = await serving('coming-from/socket-io', 'socket-io-server.mjs', '0');
    const ada = await socketIoClient(port, 'ada');
    const bob = await socketIoClient(port, 'bob');
    await until(() => expect(ada.heard).toContain('42["joined","bob"]'));
    ada.say('hello');
    await until(() => expect(bob.heard).toContain('42["message","ada","hello"]'));
    await until(() => expect(ada.heard).toContain('430["ok"]'));
    await ends(program);
    await talk('coming-from/socket-io');
  });

  it('ws: both programs do the same', async () => {
    const { WebSocket } = await import('ws');
    const { port, program } = await serving('coming-from/ws', 'ws-server.mjs', '0');
    const heard: string[] = [];
    const [ada, bob] = ['ada', 'bob'].map(() => new WebSocket(`ws://127.0.0.1:${port}`));
    bob!.on('message', (data) => heard.push(String(data)));
    await until(() => expect([ada!.readyState, bob!.readyState]).toEqual([1, 1]));
    ada!.send('hello');
    await until(() => expect(heard).toEqual(['hello']));
    await ends(program);
    await talk('coming-from/ws');
  });

  it.skipIf(process.platform !== 'linux')('node-ipc: through shared memory', async () => {
    const name = memoryName('world');
    const hello = start('coming-from/node-ipc', 'hello.mjs', name); // before the server
    const world = start('coming-from/node-ipc', 'world.mjs', name);
    expect(await hello.ended).toEqual([0, null]);
    expect(hello.printed).toBe('hello world!\n');
    await ends(world);
  });

  it.skipIf(process.platform === 'win32')('node-ipc: through a Unix socket', async () => {
    const path = join(folder, 'world.sock');
    const one = start('coming-from/node-ipc', 'member.mjs', path, 'one'); // before the server
    const room = start('coming-from/node-ipc', 'room.mjs', path);
    await one.prints('one: {"started":"one"}');
    const two = start('coming-from/node-ipc', 'member.mjs', path, 'two');
    await two.prints('one: {"started":"one"}\n');
    await one.prints('two: {"started":"two"}');
    await ends(one);
    await ends(two);
    await ends(room);
  });
});

describe('another language', () => {
  it.skipIf(!PYTHON)('has a program that reads every vector', async () => {
    const program = join(folderOf('another-language'), 'vectors.py');
    const { stdout } = await run(PYTHON!, [program, join(ROOT, 'docs/protocol.md')]);
    const page = read('docs/protocol.md');
    const vectors = [...page.matchAll(/^```golden \S+\n.*\n([\s\S]*?)^```$/gm)].filter(([, hex]) => hex);
    expect(vectors.length).toBeGreaterThan(20);
    expect(stdout).toBe(`${vectors.length} vectors\n`);

    const broken = join(folder, 'broken.md');
    writeFileSync(broken, page.replace('12 00 00 00 10 01', '12 00 00 00 11 01'));
    await expect(run(PYTHON!, [program, broken])).rejects.toThrow('publish');
  });

  it.skipIf(!NC)('has a script that says something with nc', async () => {
    const page = read('docs/guides/another-language.md');
    const [, command] = /^```sh\n(.*)\n```$/m.exec(page)!;
    const port = await openServer();
    const { heard } = await listenAs(port, 'ada');
    await run('sh', ['-c', command!.replace('localhost 12345', `127.0.0.1 ${port}`)]);
    await until(() => expect(heard).toEqual(['robot: the backup is done']));
  });
});
