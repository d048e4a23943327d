/** The line dialect: names, messages, and everything that must not get through. */
import { CodecTag } from '@chat/protocol';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../../../src/options/options.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { turn } from '../../support/turn.js';

type Line = ReturnType<MemoryChat['connectLine']>;

async function enter(memory: MemoryChat, name: string, address?: string): Promise<Line> {
  const line = memory.connectLine(address);
  line.send(`${name}\n`);
  await turn(2);
  return line;
}

describe('the line dialect', () => {
  it('shows others what one says and does, and nothing of its own', async () => {
    const memory = await MemoryChat.open();
    const ada = await enter(memory, 'USERNAME: ada');
    const bob = await enter(memory, 'bob\r');
    ada.send('hello\r\n\nhow are you\n');
    bob.send('fine\n');
    await turn(2);
    bob.send('/quit\nnot this\n');
    await turn(2);
    expect(ada.text()).toBe('*** bob has joined the chat\nbob: fine\n*** bob has left the chat\n');
    expect(bob.text()).toBe('ada: hello\nada: how are you\n');
    expect(bob.link.closed).toBe(true);
    expect(memory.chat.sessions.count).toBe(1);
  });

  it.each([
    ['an empty line', '\n', 'name-invalid'],
    ['a control character', 'a\u0007da\n', 'name-invalid'],
    ['a colon', 'ada: hi\n', 'name-invalid'],
    ['too many characters', `${'x'.repeat(65)}\n`, 'name-invalid'],
    ['a direction override', 'a\u202eda\n', 'name-invalid'],
    ['a taken name', 'TAKEN\n', 'name-taken'],
    ['a look-alike', 'tаken\n', 'name-taken'],
    ['an endless line', 'x'.repeat(20_000), 'frame-too-large'],
    ['10 MB', `${'x'.repeat(10_000_000)}\n`, 'frame-too-large'],
  ])('refuses %s as a name with a line that says why, and reads the next one', async (_what, input, code) => {
    const memory = await MemoryChat.open();
    const taken = await enter(memory, 'taken');
    const line = memory.connectLine();
    line.send(input);
    await turn(2);
    expect(line.text()).toMatch(new RegExp(`^\\*\\*\\* .+; send another name \\(${code}\\)\\n$`));
    expect(line.link.closed).toBe(false);
    // The rest of a line that was too long belongs to it.
    line.send(input.endsWith('\n') ? 'ada\nhi\n' : 'rest\nada\nhi\n');
    await turn(2);
    expect(taken.text()).toBe('*** ada has joined the chat\nada: hi\n');
    expect(memory.log.at('error')).toEqual([]);
  });

  it('lets as many names be tried as maxNameTries says, each within the time of the handshake', async () => {
    const memory = await MemoryChat.open({ maxNameTries: 3, handshakeTimeoutMs: 1000 });
    await enter(memory, 'taken');
    const [stubborn, silent] = [memory.connectLine(), memory.connectLine()];
    for (let i = 0; i < 2; i++) {
      for (const line of [stubborn, silent]) line.send('taken\n');
      await turn(2);
      memory.clock.advance(700);
      await turn();
      expect([stubborn.link.closed, silent.link.closed]).toEqual([false, false]);
    }
    stubborn.send('taken\nada\n');
    await turn(2);
    memory.clock.advance(1500);
    await turn();
    expect(stubborn.text()).toMatch(/taken \(name-taken\)\n$/);
    expect(silent.text()).toMatch(/\n\*\*\* no name came in time \(handshake-timeout\)\n$/);
    expect([stubborn.link.closed, silent.link.closed]).toEqual([true, true]);
    expect(memory.chat.sessions.count).toBe(1);
    expect(memory.log.toldClose('name-taken')).toBe(true);
  });

  it('does not count the empty lines of a program that fills its buffer up, and lets go who leaves', async () => {
    const memory = await MemoryChat.open({ maxNameTries: 2 });
    await enter(memory, 'taken');
    const line = memory.connectLine();
    line.send(`taken${'\0'.repeat(1000)}`);
    await turn(2);
    expect(line.text()).toMatch(/^\*\*\* [^\n]+\n$/);
    line.send('/quit\nada\n');
    await turn(2);
    expect(line.link.closed).toBe(true);
    expect(memory.chat.sessions.count).toBe(1);
  });

  it('says that a line end is missing when no whole line came in time', async () => {
    const memory = await MemoryChat.open({ lineIdleMs: 0 });
    const line = memory.connectLine();
    line.send('ada');
    memory.clock.advance(11_000);
    await turn();
    expect(line.text()).toBe(
      '*** no whole line came in time; end the name with a line feed (handshake-timeout)\n',
    );
    expect(line.link.closed).toBe(true);
  });

  it('asks for another name where the bytes of one are not UTF-8, and shows such a message with U+FFFD', async () => {
    const memory = await MemoryChat.open();
    const bob = await enter(memory, 'bob');
    const ada = memory.connectLine();
    ada.link.receive(Buffer.from('USERNAME:Ren\xe9\r\n', 'latin1'));
    await turn(2);
    expect(ada.text()).toBe('*** the name is not in UTF-8; send another name (invalid-utf8)\n');
    ada.link.receive(Buffer.from('Rene\ncaf\xe9\n', 'latin1'));
    ada.send('café\n');
    await turn(2);
    expect(bob.text()).toBe('*** Rene has joined the chat\nRene: caf\uFFFD\nRene: café\n');
  });

  it('refuses a line that is too long, skips it to its end, and reads on', async () => {
    const memory = await MemoryChat.open({ maxLineBytes: 100 });
    const [ada, bob] = [await enter(memory, 'ada'), await enter(memory, 'bob')];
    ada.send(`one\n${'x'.repeat(101)}`);
    for (let i = 0; i < 50; i++) ada.send('x'.repeat(1000));
    ada.send('\ntwo\n');
    await turn(2);
    expect(bob.text()).toBe('ada: one\nada: two\n');
    expect(ada.text()).toBe(
      '*** bob has joined the chat\n*** not sent: line of 101 bytes or more exceeds maxLineBytes 100\n',
    );
  });

  it('tells nobody of a lost connection when the server itself sent somebody away', async () => {
    const memory = await MemoryChat.open({
      maxMessagesPerSecond: 1,
      maxMessageBurst: 1,
      maxRateViolations: 1,
      retentionEntries: 8,
    });
    const bob = await memory.enter('bob', {});
    const { handle } = await bob.join('lobby');
    const names = ['kicked', 'banned', 'flood', 'removed', 'slow'];
    const lines = new Map<string, Line>();
    for (const [i, name] of names.entries()) {
      lines.set(name, await enter(memory, name, `192.0.2.${10 + i}`));
    }
    memory.chat.operator.kick('kicked', 'out');
    memory.chat.operator.ban('banned', 1000, 'out');
    memory.chat.sessions.find('removed')?.evict('lobby');
    lines.get('slow')!.link.stall();
    lines.get('flood')!.send('x\n'.repeat(5));
    await turn(2);
    for (let i = 0; i < 30; i++) await enter(memory, `m${i}`);
    await turn(2);
    const left = bob.entries(handle).filter((entry) => 'kind' in entry && names.includes(entry.name));
    const kinds = new Map(left.map((entry) => [entry.name, 'kind' in entry ? entry.kind : 0]));
    expect([...kinds.keys()].sort()).toEqual([...names].sort());
    expect(Object.fromEntries(kinds)).toEqual(Object.fromEntries(names.map((n) => [n, NoticeKind.Left])));
  });

  it('takes /quit in any case and with blanks behind it for a goodbye, and nothing else', async () => {
    const memory = await MemoryChat.open();
    const bob = await enter(memory, 'bob');
    for (const word of ['/quit', '/quit ', '/QUIT\t', '/quit smoking', ' /quit', '/exit']) {
      const ada = await enter(memory, 'ada');
      ada.send(`${word}\n`);
      await turn(2);
      ada.link.receiveEnd();
      await turn(2);
    }
    const [joined, left] = ['*** ada has joined the chat\n', '*** ada has left the chat\n'];
    expect(bob.text()).toBe(
      `${(joined + left).repeat(3)}${joined}ada: /quit smoking\n${left}${joined}ada:  /quit\n${left}${joined}ada: /exit\n${left}`,
    );
  });

  it('takes lines in any cut', async () => {
    const memory = await MemoryChat.open();
    const bob = await enter(memory, 'bob');
    const ada = memory.connectLine();
    const bytes = new TextEncoder().encode('ada\nمرحبا 🎈\r\nlast\n/quit\n');
    for (const byte of bytes) ada.link.receive(Uint8Array.of(byte));
    await turn(3);
    expect(bob.text()).toBe(
      '*** ada has joined the chat\nada: مرحبا 🎈\nada: last\n*** ada has left the chat\n',
    );
  });

  it('takes the end of the stream for a goodbye, and the last line without its end', async () => {
    const memory = await MemoryChat.open();
    const bob = await enter(memory, 'bob');
    const ada = memory.connectLine();
    ada.send('ada\none\ntwo');
    ada.link.receiveEnd();
    await turn(3);
    expect(bob.text()).toBe('*** ada has joined the chat\nada: one\nada: two\n*** ada has left the chat\n');
    const silent = memory.connectLine();
    silent.link.receiveEnd();
    await turn();
    expect(silent.link.closed).toBe(true);
  });

  it('tells others that the connection was lost when it was', async () => {
    const memory = await MemoryChat.open();
    const bob = await enter(memory, 'bob');
    const ada = await enter(memory, 'ada');
    ada.link.destroy();
    await turn(2);
    expect(bob.text()).toBe('*** ada has joined the chat\n*** ada has left the chat (connection lost)\n');
    expect(memory.chat.sessions.find('ada')).toBeUndefined();
  });

  it('lets nobody write a line, or to the terminal, of somebody else', async () => {
    const memory = await MemoryChat.open();
    const line = await enter(memory, 'nc');
    const eve = await memory.enter('eve');
    const { handle } = await eve.join('lobby');
    eve.publish(handle, 'hi\n*** nc has left the chat\r\nbob: \u001b[2Jboo\u202e\u2028x');
    eve.publish(handle, Uint8Array.of(0xff, 0xfe), CodecTag.Text);
    eve.publish(handle, Uint8Array.of(1, 2, 3), CodecTag.Bytes);
    eve.publish(handle, '{"a":1}', CodecTag.Json);
    eve.publish(handle, 'x', 77);
    await turn(2);
    expect(line.text().split('\n')).toEqual([
      '*** eve has joined the chat',
      'eve: hi',
      'eve: *** nc has left the chat',
      'eve: bob: \uFFFD[2Jboo\uFFFD',
      'eve: x',
      'eve: [2 bytes that are not text]',
      'eve: [3 bytes of bytes]',
      'eve: {"a":1}',
      'eve: [1 bytes of codec 77]',
      '',
    ]);
  });

  it('shows renames and direct messages, and is shown to the binary dialect like anybody', async () => {
    const memory = await MemoryChat.open();
    const line = await enter(memory, 'nc');
    const ada = await memory.enter('ada');
    const { handle, start } = await ada.join('lobby', { history: 10 });
    await ada.ask({ op: 'rename', name: 'grace' });
    ada.send({
      type: FrameType.Direct,
      publishId: 1,
      codec: 1,
      to: 'nc',
      body: new TextEncoder().encode('psst\nx'),
    });
    line.send('hello\n');
    await turn(2);
    expect(line.text()).toBe(
      '*** ada has joined the chat\n*** ada is now known as grace\n*** grace whispers: psst\n*** grace whispers: x\n',
    );
    expect(start).toBe(0);
    expect(ada.texts(handle)).toEqual(['hello']);
    expect(ada.entries(handle)[0]).toMatchObject({ kind: NoticeKind.Joined, name: 'nc' });
  });

  it('says what was not sent and what was missed', async () => {
    const memory = await MemoryChat.open({
      maxMessagesPerSecond: 1,
      maxMessageBurst: 1,
      retentionEntries: 8,
      slowConsumer: 'skip',
    });
    const line = await enter(memory, 'nc');
    const ada = await enter(memory, 'ada');
    ada.send('1\n2\n3\n4\n');
    await turn(2);
    expect(ada.text()).toBe('*** not sent: more than 1 messages per second\n'.repeat(2));
    line.link.stall();
    for (let i = 0; i < 30; i++) await enter(memory, `m${i}`);
    line.link.flow();
    await turn(2);
    expect(line.text()).toContain('*** some messages were missed\n');
    await enter(memory, 'last');
    await turn(2);
    expect(line.text()).toMatch(/\*\*\* last has joined the chat\n$/);
  });

  it('holds no more than the limits say for one who does not read', async () => {
    const memory = await MemoryChat.open({
      ...UNLIMITED,
      maxQueuedBytes: 2000,
      hooks: { onMessage: () => ({ reject: 'no' }) },
    });
    const ada = await enter(memory, 'ada');
    ada.link.stall();
    for (let i = 0; i < 10; i++) {
      ada.send('x\n'.repeat(1000));
      await turn();
    }
    expect(ada.link.paused).toBe(true);
    expect(ada.link.unsentBytes).toBeLessThan(10_000);
    const refusals = (): number => ada.text().split('\n').length - 1;
    for (let i = 0; i < 5000 && refusals() < 10_000; i++) {
      ada.link.flow();
      ada.link.stall();
      await turn();
    }
    expect(refusals()).toBe(10_000);
  });

  it('gives one who has said goodbye what came before, in some seconds', async () => {
    const memory = await MemoryChat.open();
    const [slow, stuck] = [await enter(memory, 'slow'), await enter(memory, 'stuck')];
    const ada = await enter(memory, 'ada');
    for (const line of [slow, stuck]) line.link.stall();
    for (const text of ['one\n', 'two\n']) {
      ada.send(text);
      await turn(2);
    }
    slow.link.receiveEnd();
    stuck.send('/quit\nnot this\n');
    await turn(2);
    expect(memory.chat.sessions.count).toBe(3);
    slow.link.flow();
    await turn(2);
    expect(slow.text()).toMatch(/ada: one\nada: two\n$/);
    expect(slow.link.closed).toBe(true);
    memory.clock.advance(6000);
    await turn(2);
    expect(stuck.link.ended).toBe(true);
    expect(ada.text()).toBe('*** slow has left the chat\n*** stuck has left the chat\n');
  });

  it('closes a reader that fell behind, with a line', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, retentionBytes: 65_536 });
    const line = await enter(memory, 'nc');
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    line.link.stall();
    for (let i = 0; i < 100; i++) await ada.say(handle, 'x'.repeat(1000));
    await turn(2);
    expect(memory.log.toldClose('slow-consumer')).toBe(true);
    line.link.flow();
    await turn();
    expect(line.text()).toMatch(/\(slow-consumer\)\n$/);
    expect(line.link.closed).toBe(true);
  });
});
