/** Whatever is taken in is charged, in every dialect: held up first, then refused, then shown out; others notice nothing. */
import { CloseCode } from '@chat/protocol';
import { encodeFrame, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { InputTurns } from '../src/limits/input-turns.js';
import { Price } from '../src/limits/prices.js';
import { UNLIMITED } from '../src/options/options.js';
import { station } from './support/carriers.js';
import { MemoryChat } from './support/memory-chat.js';
import { turn, until } from './support/turn.js';
import { helloBytes } from './support/wire-client.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const times = (count: number, unit: Uint8Array): Uint8Array => Buffer.concat(Array(count).fill(unit));

/** A frame of a client's WebSocket, masked with zeros. */
function webSocketFrame(first: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Buffer.concat([Uint8Array.of(first, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

const EXTENSION = Uint8Array.of(8, 0, 0, 0, 0x80, 0, 0, 0);
const FRAMES: readonly (readonly [string, Uint8Array])[] = [
  ['pings', encodeFrame({ type: FrameType.Ping, nonce: 1 })],
  ['pongs', encodeFrame({ type: FrameType.Pong, nonce: 1 })],
  ['frames of an extension', EXTENSION],
  ['publishes', encodeFrame({ type: FrameType.Publish, room: 9, publishId: 1, codec: 1, body: text('x') })],
  [
    'signals',
    encodeFrame({ type: FrameType.Signal, room: 9, sender: 0, name: '', codec: 1, body: text('x') }),
  ],
  ['requests', encodeFrame({ type: FrameType.Request, id: 1, request: { op: 'rooms' } })],
];
const LIMITS = { maxMessagesPerSecond: 10, maxMessageBurst: 10, maxRateViolations: 20 };
/** More than burst, credit and violations of units at the lowest price. */
const FLOOD = (2 * LIMITS.maxMessageBurst) / Price.trifle + LIMITS.maxRateViolations + 2;

describe('a flood of', () => {
  it.each(FRAMES)('%s in frames is shown out', async (_what, unit) => {
    const memory = await MemoryChat.open(LIMITS);
    const [ada, witness] = [
      await memory.enter('ada'),
      await memory.enter('witness', { address: '192.0.2.9' }),
    ];
    const { handle } = await witness.join('lobby');
    ada.pipe.write(times(FLOOD, unit));
    expect(await ada.closed).toMatchObject({ code: CloseCode.RateLimited });
    expect(await witness.say(handle, 'still here')).toBeGreaterThan(0);
  });

  it.each(FRAMES)('%s holds the connection up before anything is refused', async (_what, unit) => {
    const memory = await MemoryChat.open({ ...LIMITS, maxMessagesPerSecond: 1 });
    const ada = await memory.enter('ada');
    for (let i = 0; i < FLOOD && !ada.link.paused; i++) ada.pipe.write(unit);
    expect(ada.link.paused).toBe(true);
    await turn();
    memory.clock.advance(2000);
    expect([ada.link.paused, ada.link.closed]).toEqual([false, false]);
  });

  it('frames of an extension is shown out before there is a session, too', async () => {
    const memory = await MemoryChat.open(LIMITS);
    const stranger = memory.connect();
    stranger.pipe.write(Buffer.concat([helloBytes({ name: 'x' }).subarray(0, 8), times(FLOOD, EXTENSION)]));
    expect(await stranger.closed).toMatchObject({ code: CloseCode.RateLimited });
  });

  it('empty lines is shown out', async () => {
    const memory = await MemoryChat.open(LIMITS);
    const line = memory.connectLine();
    line.send('ada\n');
    await turn(2);
    line.send('\n'.repeat(FLOOD));
    await turn(3);
    expect(line.text()).toContain('(rate-limited)');
    expect(line.link.closed).toBe(true);
  });

  it.each([
    ['pings', webSocketFrame(0x89)],
    ['pongs', webSocketFrame(0x8a)],
    ['empty messages', webSocketFrame(0x82)],
    ['fragments', Buffer.concat([webSocketFrame(0x02), webSocketFrame(0x80)])],
  ])('%s of WebSocket is shown out', async (_what, unit) => {
    await using server = await station('WebSocket', LIMITS);
    const ada = await server.enter('ada');
    rawSocket(ada.pipe).write(times(FLOOD, unit));
    expect(await ada.closed).toMatchObject({ code: CloseCode.RateLimited });
    expect(server.server.stats().closes.get(CloseCode.RateLimited)).toBe(1);
  });

  it('bytes of which none makes a unit is held up', async () => {
    const memory = await MemoryChat.open({ maxInputBytesPerSecond: 100_000 });
    const ada = await memory.enter('ada');
    const chunk = new Uint8Array(60_000);
    new DataView(chunk.buffer).setUint32(0, chunk.length, true);
    chunk[4] = 0x80;
    for (let i = 0; i < 4; i++) ada.pipe.write(chunk);
    expect(ada.link.paused).toBe(true);
    memory.clock.advance(1000);
    expect(ada.link.paused).toBe(false);
  });

  it('reads of one byte costs more than its bytes', async () => {
    const memory = await MemoryChat.open({ maxInputBytesPerSecond: 10_000 });
    const ada = await memory.enter('ada');
    // The length of a frame of 60,000 bytes, and its type.
    ada.pipe.write(Uint8Array.of(0x60, 0xea, 0, 0, 0x80));
    for (let i = 0; i < 200 && !ada.link.paused; i++) ada.pipe.write(Uint8Array.of(0));
    expect(ada.link.paused).toBe(true);
  });

  it('nothing is counted where there are no limits', async () => {
    const memory = await MemoryChat.open(UNLIMITED);
    const ada = await memory.enter('ada');
    ada.pipe.write(times(100_000, encodeFrame({ type: FrameType.Ping, nonce: 1 })));
    await turn(3);
    expect(ada.frames.filter(({ type }) => type === FrameType.Pong)).toHaveLength(100_000);
    expect(memory.chat.accounts.isLimited).toBe(false);
  });
});

describe('what a request brings about is paid for', () => {
  it('a rename by the rooms that are told of it', async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecond: 10, maxMessageBurst: 100 });
    const ada = await memory.enter('ada');
    for (let i = 0; i < 30; i++) await ada.join(`room-${i}`);
    await ada.ask({ op: 'rename', name: 'eve' });
    expect(ada.link.paused).toBe(false);
    await ada.ask({ op: 'rename', name: 'eva' });
    await ada.ask({ op: 'rename', name: 'eda' });
    // 30 joins, 3 renames, each told in 30 rooms: 123.
    expect(ada.link.paused).toBe(true);
    memory.clock.advance(2200);
    expect(ada.link.paused).toBe(true);
    memory.clock.advance(200);
    expect(ada.link.paused).toBe(false);
  });

  it('history by its bytes', async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecond: 10, maxMessageBurst: 50 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    await ada.say(handle, new Uint8Array(60_000));
    for (let i = 0; i < 10; i++) await bob.history('lobby', { limit: 1 });
    await turn();
    expect(bob.link.paused).toBe(false);
    await bob.history('lobby', { limit: 1 });
    await turn();
    // 12 requests, and 11 times 58 KiB: 52.
    expect(bob.link.paused).toBe(true);
  });

  it('what is streamed to one who joins from an old position', async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecond: 10, maxMessageBurst: 20 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle, start } = await ada.join('lobby');
    for (let i = 0; i < 19; i++) await ada.say(handle, new Uint8Array(60_000));
    await bob.join('lobby', { after: start, epoch: bob.welcome!.epoch });
    await turn();
    expect(bob.link.paused).toBe(false);
    await bob.ask({ op: 'leave', room: 'lobby' });
    await bob.join('lobby', { after: start, epoch: bob.welcome!.epoch });
    await turn();
    expect(bob.link.paused).toBe(true);
  });

  it('and a new connection does not wipe out what is owed', async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecond: 1, maxMessageBurst: 4 });
    const ada = await memory.enter('ada');
    const { session, secret, epoch } = ada.welcome!;
    for (let i = 0; i < 8; i++) ada.publish(1, 'x');
    ada.pipe.destroy();
    await turn();
    const again = await memory.enter({
      name: 'ada',
      resume: { session, secret, epoch, rooms: [], inbox: 0 },
    });
    expect(again.welcome!.resumed).toBe(true);
    await turn();
    expect(again.link.paused).toBe(true);
  });
});

describe('an address', () => {
  const limits = { maxMessagesPerSecondPerAddress: 10, maxMessageBurst: 40 };

  it('in debt: those who use much are read from no more, and are refused nothing; others are', async () => {
    const memory = await MemoryChat.open(limits);
    const [ada, bob, carol] = [
      await memory.enter('ada'),
      await memory.enter('bob'),
      await memory.enter('carol'),
    ];
    const other = await memory.enter('other', { address: '192.0.2.2' });
    const { handle } = await ada.join('lobby');
    for (const member of [bob, carol, other]) await member.join('lobby');
    for (let i = 0; i < 30; i++) ada.publish(handle, `${i}`);
    for (let i = 0; i < 30; i++) bob.publish(handle, `${i}`);
    await turn(3);
    const heard = (): number => other.texts(handle).length;
    expect(heard()).toBeLessThan(55);
    expect(await carol.say(handle, 'little')).toBeGreaterThan(0);
    expect(await other.say(handle, 'mine')).toBeGreaterThan(0);
    memory.clock.advance(4000);
    await turn(3);
    expect(heard()).toBe(62);
    expect([...ada.frames, ...bob.frames].some(({ type }) => type === FrameType.Nack)).toBe(false);
  });

  it('that has gone is forgotten once it owes nothing', async () => {
    const memory = await MemoryChat.open(limits);
    const ada = await memory.enter('ada', { address: '2001:db8::1' });
    expect(memory.chat.accounts.size).toBe(3);
    ada.send({ type: FrameType.Close, code: CloseCode.Normal, retryAfterMs: 0, reason: '' });
    await ada.closed;
    memory.clock.advance(60_000);
    expect(memory.chat.accounts.size).toBe(0);
  });

  it('pays for HTTP as well', async () => {
    await using server = await station('TCP', { maxMessagesPerSecondPerAddress: 1, maxMessageBurst: 16 });
    const get = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    const pipe = server.pipe();
    let answers = '';
    pipe.onBytes = (chunk) => {
      answers += Buffer.from(chunk).toString('latin1');
    };
    pipe.write(text(get.repeat(50)));
    const count = (): number => answers.split('HTTP/1.1 200').length - 1;
    await until(() => count() >= 2);
    await turn(50);
    // Half of what the connection may send at once, and what came in one piece with the last of it.
    expect(count()).toBeLessThan(10);
    pipe.destroy();
  });
});

describe('a turn of the event loop', () => {
  it('takes a part of what one connection has sent, and others come in between', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob', { address: '192.0.2.2' })];
    const ping = encodeFrame({ type: FrameType.Ping, nonce: 1 });
    ada.pipe.write(times(4000, ping));
    bob.pipe.write(ping);
    await turn();
    const pongs = (frames: typeof ada.frames): number =>
      frames.filter(({ type }) => type === FrameType.Pong).length;
    expect(pongs(bob.frames)).toBe(1);
    expect(pongs(ada.frames)).toBeLessThan(4000);
    await turn(10);
    expect(pongs(ada.frames)).toBe(4000);
  });

  it('is shared by the connections of an address, each of which has its part in the end', async () => {
    const memory = await MemoryChat.open();
    const all = await Promise.all(Array.from({ length: 12 }, (_, i) => memory.enter(`member ${i}`)));
    const ping = encodeFrame({ type: FrameType.Ping, nonce: 1 });
    for (const member of all) member.pipe.write(times(2000, ping));
    const pongs = (): number[] =>
      all.map(({ frames }) => frames.filter(({ type }) => type === FrameType.Pong).length);
    await turn();
    expect(pongs().at(-1)).toBe(0);
    await turn(4);
    expect(pongs()).toEqual(all.map(() => 2000));
  });

  it('begins with those that took nothing in the one before', async () => {
    const turns = new InputTurns();
    const order: string[] = [];
    turns.wait(() => order.push('served'), true);
    turns.wait(() => order.push('passed over'), false);
    expect(turns.current).toBe(0);
    await turn();
    expect([turns.current, order]).toEqual([1, ['passed over', 'served']]);
  });
});

/** The socket below a WebSocket, to say what the library would not. */
function rawSocket(pipe: object): { write(bytes: Uint8Array): void } {
  return (pipe as { websocket: { _socket: { write(bytes: Uint8Array): void } } }).websocket._socket;
}
