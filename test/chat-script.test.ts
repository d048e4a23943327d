/** `npm run chat`: builds what is missing, then is nothing but the client. And what it says where nothing is installed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from '@chat/client';
import { createChatServer } from '@chat/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ROOT } from './support/workspaces.js';

function chat(...args: string[]): ChildProcess & { ended: Promise<[number | null, NodeJS.Signals | null]> } {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/chat.mjs'), ...args], { stdio: 'pipe' });
  onTestFinished(() => void child.kill());
  return Object.assign(child, {
    ended: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  });
}

describe('npm run chat', () => {
  it('passes on arguments, what is typed, and the exit code', async () => {
    const server = createChatServer();
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    const url = `tcp://127.0.0.1:${address.kind === 'tcp' ? address.port : 0}`;
    const reader = await connect(url, { name: 'reader' });
    const messages = (await reader.join('lobby')).messages();

    const child = chat(url, '--name', 'ada');
    child.stdin?.end('hello\n');
    for await (const message of messages) {
      expect([message.sender.name, message.value]).toEqual(['ada', 'hello']);
      break;
    }
    expect(await child.ended).toEqual([0, null]);

    await reader.close();
    await server.close();
  });

  it('passes on the exit code of a command line that is wrong', async () => {
    const child = chat('--no-such-option');
    const [stderr, [code]] = await Promise.all([text(child.stderr!), child.ended]);
    expect(code).toBe(2);
    expect(stderr).toContain('--no-such-option');
    expect(stderr).not.toContain('    at ');
  });

  it.skipIf(process.platform === 'win32')('ends the client when it is told to end', async () => {
    const server = createChatServer();
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    const url = `tcp://127.0.0.1:${address.kind === 'tcp' ? address.port : 0}`;
    const reader = await connect(url, { name: 'reader' });
    const room = await reader.join('lobby');
    const heard = (kind: string): Promise<void> =>
      new Promise((resolve) => {
        const stopped = new AbortController();
        room.on(
          'notice',
          (notice) => {
            if (notice.kind !== kind || notice.member.name !== 'ada') return;
            stopped.abort();
            resolve();
          },
          { signal: stopped.signal },
        );
      });

    const joined = heard('joined');
    const child = chat(url, '--name', 'ada');
    await joined;
    const left = heard('left');
    child.kill('SIGTERM');
    await left;
    await child.ended;

    await reader.close();
    await server.close();
  });
});

describe('npm start and npm run chat', () => {
  it.each(['start.mjs', 'chat.mjs'])('%s says in one line that nothing is installed yet', async (script) => {
    const clone = mkdtempSync(join(tmpdir(), 'chat-clone-'));
    onTestFinished(() => rmSync(clone, { recursive: true, force: true }));
    mkdirSync(join(clone, 'scripts'));
    copyFileSync(join(ROOT, 'scripts', script), join(clone, 'scripts', script));
    const child = spawn(process.execPath, [join(clone, 'scripts', script)], { stdio: 'pipe' });
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect([stderr, code]).toEqual(['Nothing is installed yet: run "npm ci" first.\n', 1]);
  });

  it('gives what stands behind it to the server, and to no other task', async () => {
    const clone = mkdtempSync(join(tmpdir(), 'chat-clone-'));
    onTestFinished(() => rmSync(clone, { recursive: true, force: true }));
    const bin = join(clone, 'node_modules/turbo/bin');
    mkdirSync(join(clone, 'scripts'));
    mkdirSync(bin, { recursive: true });
    copyFileSync(join(ROOT, 'scripts/start.mjs'), join(clone, 'scripts/start.mjs'));
    // In the place of turbo: it runs the task of the server, in the environment that turbo leaves to it.
    const task = join(ROOT, 'apps/server/start.mjs');
    const told = (argv: string): string => `console.log(JSON.stringify(${argv}));`;
    writeFileSync(
      join(bin, 'turbo'),
      `${told('process.argv.slice(2)')} process.argv.splice(2); import(${JSON.stringify(task)});`,
    );
    const start = async (...argv: string[]) => {
      const env = { ...process.env, INIT_CWD: clone };
      const child = spawn(process.execPath, [join(clone, 'scripts/start.mjs'), ...argv], {
        stdio: 'pipe',
        env,
      });
      const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
      return [stdout, code];
    };
    expect(await start('--version')).toEqual(['["run","start"]\n0.0.0\n', 0]);
    // Paths begin where the user stands.
    writeFileSync(join(clone, 'chat.json'), '{ "port": 7777 }');
    expect(await start('config', '--config', 'chat.json')).toEqual([
      expect.stringMatching(/^port +7777 +chat\.json:1$/m),
      0,
    ]);
    const { tasks } = JSON.parse(readFileSync(join(ROOT, 'turbo.json'), 'utf8'));
    expect(tasks.start.passThroughEnv).toContain('CHAT_*');
  });
});
