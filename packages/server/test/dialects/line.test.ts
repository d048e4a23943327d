/** The line dialect: names, messages, and everything that must not get through. */
import { CodecTag, FrameType, NoticeKind } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../../src/options.js';
import { MemoryChat } from '../support/memory-chat.js';
import { turn } from '../support/turn.js';

type Line = ReturnType<MemoryChat['connectLine']>;

async function enter(memory: MemoryChat, name: string): Promise<Line> {
  const line = memory.connectLine();
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
    expect(memory.chat.sessionCount).toBe(1);
  });

  it.each([
    ['an empty line', '\n', 'name-invalid'],
    ['a control character', 'a\u0007da\n', 'name-invalid'],
    ['a colon', 'ada: hi\n', 'name-invalid'],
    ['too many characters', `${'x'.repeat(33)}\n`, 'name-invalid'],
    ['a direction override', 'a\u202eda\n', 'name-invalid'],
    ['a taken name', 'TAKEN\n', 'name-taken'],
    ['a look-alike', 'tаken\n', 'name-taken'],
    ['an endless line', 'x'.repeat(20_000), 'frame-too-large'],
    ['10 MB', `${'x'.repeat(10_000_000)}\n`, 'frame-too-large'],
  ])('refuses %s as a name with a line that says why', async (_what, input, code) => {
    const memory = await MemoryChat.open();
    await enter(memory, 'taken');
    const line = memory.connectLine();
    line.send(input);
    await turn(2);
    expect(line.text()).toMatch(new RegExp(`^\\*\\*\\* .+ \\(${code}\\)\\n$`));
    expect(line.link.closed).toBe(true);
    expect(memory.log.toldClose(code)).toBe(true);
    expect(memory.log.at('error')).toEqual([]);
  });

  it('refuses bytes that are not UTF-8, as a name and as a message', async () => {
    const memory = await MemoryChat.open();
    const [first, second] = [memory.connectLine(), await enter(memory, 'ada')];
    first.link.receive(Uint8Array.of(0xc0, 0x0a));
    second.link.receive(Uint8Array.of(0xff, 0x0a));
    await turn(2);
    for (const line of [first, second]) expect(line.text()).toMatch(/\(invalid-utf8\)\n$/);
    expect(memory.chat.sessionCount).toBe(0);
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
    expect(memory.chat.names.find('ada')).toBeUndefined();
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
