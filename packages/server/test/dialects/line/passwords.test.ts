/** Passwords in the line dialect: asked for, shown to nobody, and never a message, whenever they come. */
import { describe, expect, it } from 'vitest';
import type { Hooks } from '../../../src/options/hooks.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { turn } from '../../support/turn.js';

const SECRET = 'correct horse';

/** Ada has a password; everybody else needs none. */
const authenticate: NonNullable<Hooks['authenticate']> = (credentials, { name }) => {
  if (name !== 'ada') return { ok: true };
  const { password } = (credentials ?? {}) as { readonly password?: string };
  if (password === SECRET) return { ok: true, name: 'ada' };
  return { ok: false, asks: 'password', reason: 'wrong name or password' };
};

async function open(more: object = {}) {
  const memory = await MemoryChat.open({ hooks: { authenticate }, ...more });
  const bob = memory.connectLine();
  bob.send('bob\n');
  await turn(2);
  const line = memory.connectLine();
  return { memory, bob, line };
}

describe('a password in the line dialect', () => {
  it.each([
    ['the next line', `${SECRET}\n`],
    ['a line that says so', `PASSWORD:${SECRET}\n`],
    ['a line that says so in its own way', `\t password: ${SECRET} \r\n`],
  ])('is asked for, and may be %s', async (_what, answer) => {
    const { memory, bob, line } = await open();
    line.send('ada\n');
    await turn(2);
    expect(line.text()).toBe('*** password?\n');
    line.send(answer);
    await turn(3);
    line.send('hello\n');
    await turn(2);
    expect(line.text()).toBe('*** password?\n');
    expect(bob.text()).toBe('*** ada has joined the chat\nada: hello\n');
    expect(JSON.stringify(memory.log.lines)).not.toContain('horse');
  });

  it('may come with the name in one piece, or byte by byte', async () => {
    const { bob, line } = await open();
    line.send(`ada\nPASSWORD:${SECRET}\nhello\n`);
    await turn(4);
    expect(bob.text()).toBe('*** ada has joined the chat\nada: hello\n');
    line.link.destroy();
    await turn(2);
    const { bob: other, line: slow } = await open();
    slow.send('ada\n');
    await turn(2);
    for (const letter of `PASSWORD:${SECRET}\nhello\n`) {
      slow.send(letter);
      await turn();
    }
    await turn(3);
    expect(other.text()).toBe('*** ada has joined the chat\nada: hello\n');
  });

  it('that is wrong is asked for again, up to maxNameTries, and is told to nobody', async () => {
    const { memory, bob, line } = await open({ maxNameTries: 3 });
    line.send('ada\nguess one\n');
    await turn(3);
    expect(line.text()).toBe('*** password?\n*** wrong name or password\n*** password?\n');
    line.send('guess two\n');
    await turn(3);
    expect(line.text()).toMatch(/\*\*\* wrong name or password \(unauthorized\)\n$/);
    expect(line.link.closed).toBe(true);
    expect(bob.text()).toBe('');
    expect(JSON.stringify(memory.log.lines)).not.toContain('guess');
  });

  it('may be given up for another name', async () => {
    const { bob, line } = await open();
    line.send('ada\n');
    await turn(2);
    line.send('USERNAME: cleo\nhi\n');
    await turn(3);
    expect(bob.text()).toBe('*** cleo has joined the chat\ncleo: hi\n');
  });

  it.each([
    ['from somebody who needed none', 'cleo\n', ''],
    ['behind the right one', `ada\n${SECRET}\n`, '*** password?\n'],
  ])('that nobody asked for, %s, is no message', async (_what, greeting, asked) => {
    const { memory, bob, line } = await open();
    line.send(greeting);
    await turn(3);
    const before = bob.text();
    for (const letter of '\uFEFFPassword: hunter2\n') line.send(letter);
    line.send('passwords are a pain\n');
    await turn(3);
    expect(line.text()).toBe(`${asked}*** no password was asked for; that line was shown to nobody\n`);
    expect(bob.text().slice(before.length)).toMatch(/^\w+: passwords are a pain\n$/);
    expect(JSON.stringify(memory.log.lines)).not.toContain('hunter2');
  });

  it('before the name is refused, and not taken as one', async () => {
    const { memory, bob, line } = await open();
    line.send('PASSWORD:hunter2\n');
    await turn(2);
    expect(line.text()).toBe(
      '*** the name comes first, the password when it is asked for; send another name (name-invalid)\n',
    );
    line.send('cleo\n');
    await turn(2);
    expect(bob.text()).toBe('*** cleo has joined the chat\n');
    expect(JSON.stringify(memory.log.lines)).not.toContain('hunter2');
  });

  it('that is longer than a line may be stays a password', async () => {
    const { bob, line } = await open({ maxLineBytes: 256 });
    line.send('ada\n');
    await turn(2);
    line.send(`${'x'.repeat(300)}\nsecret\n${SECRET}\n`);
    await turn(4);
    expect(line.text()).toMatch(/^\*\*\* password\?\n\*\*\* .+256.*\n\*\*\* password\?\n/);
    expect(bob.text()).toBe('*** ada has joined the chat\n');
  });

  it('that does not come in time ends the connection', async () => {
    const { memory, line } = await open({ handshakeTimeoutMs: 1000 });
    line.send('ada\n');
    await turn(2);
    memory.clock.advance(2000);
    await turn(2);
    expect(line.text()).toBe('*** password?\n*** no password came in time (handshake-timeout)\n');
  });
});
