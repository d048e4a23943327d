/** The binary dialect against clients that do it wrong: each gets its code, and nobody else notices. */
import { encodeFrame, encodePreface, entryBytes, type Frame, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../../../src/options/options.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { seeded } from '../../support/seeded.js';
import { turn } from '../../support/turn.js';
import { followChain } from '../../support/wire-client.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const hello = (value: unknown): Uint8Array =>
  Buffer.concat([encodePreface(), encodeFrame({ type: FrameType.Hello, hello: value as never })]);
const header = (length: number, type: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(length);
  bytes[4] = type;
  return bytes;
};
const frame = (value: Frame): Uint8Array => encodeFrame(value);

const FINE = { name: 'mallory', maxFrameBytes: 65_536 };

/** What is sent first, and the name of the close code that answers it. */
const BEFORE_HELLO: readonly (readonly [string, Uint8Array, string])[] = [
  [
    'a preface with a rewritten line end',
    Uint8Array.of(0xfe, 0x43, 0x48, 0x41, 0x54, 0x0a),
    'protocol-error',
  ],
  ['a preface of another protocol', Uint8Array.of(0xfe, 1, 2, 3), 'protocol-error'],
  ['version 0', Uint8Array.of(...encodePreface().subarray(0, 7), 0), 'unsupported-version'],
  ['a length of 4 GB', Buffer.concat([encodePreface(), header(0xffff_ffff, 1)]), 'frame-too-large'],
  ['a length of 0', Buffer.concat([encodePreface(), header(0, 1)]), 'malformed-frame'],
  ['an unknown frame', Buffer.concat([encodePreface(), header(8, 0x7f)]), 'unknown-frame'],
  ['JSON that is none', Buffer.concat([encodePreface(), header(10, 1), text('{{')]), 'malformed-frame'],
  [
    'a hello that is an array',
    Buffer.concat([encodePreface(), header(10, 1), text('[]')]),
    'malformed-frame',
  ],
  [
    'a hello that is not UTF-8',
    Buffer.concat([encodePreface(), header(10, 1), Uint8Array.of(0x22, 0xff)]),
    'invalid-utf8',
  ],
  ['a hello without a name', hello({ maxFrameBytes: 65_536 }), 'malformed-frame'],
  ['a hello with a number as name', hello({ ...FINE, name: 7 }), 'malformed-frame'],
  ['a hello with half a byte as frame size', hello({ ...FINE, maxFrameBytes: 0.5 }), 'malformed-frame'],
  ['a hello with an agent that is an object', hello({ ...FINE, agent: {} }), 'malformed-frame'],
  ['a frame size below that of the server', hello({ ...FINE, maxFrameBytes: 4096 }), 'frame-too-large'],
  ['an empty name', hello({ ...FINE, name: '' }), 'name-invalid'],
  ['a name with a newline', hello({ ...FINE, name: 'a\nb' }), 'name-invalid'],
  ['a name with a NUL', hello({ ...FINE, name: 'a\0b' }), 'name-invalid'],
  ['a name with an escape sequence', hello({ ...FINE, name: '\u001b[2J' }), 'name-invalid'],
  ['a name of 60 KB', hello({ ...FINE, name: 'x'.repeat(60_000) }), 'name-invalid'],
  ['a name of 10 MB', hello({ ...FINE, name: 'x'.repeat(10_000_000) }), 'frame-too-large'],
  ['a name that is taken', hello({ ...FINE, name: 'wítness' }), 'name-taken'],
  ['a name that looks like one', hello({ ...FINE, name: 'ｗíｔness' }), 'name-taken'],
  ['a ping', Buffer.concat([encodePreface(), frame({ type: FrameType.Ping, nonce: 1 })]), 'protocol-error'],
  [
    'a message',
    Buffer.concat([encodePreface(), frame({ type: FrameType.Ack, publishId: 1, seq: 1, at: 1 })]),
    'protocol-error',
  ],
  [
    'a close',
    Buffer.concat([
      encodePreface(),
      frame({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' }),
    ]),
    'protocol-error',
  ],
];

/** What is sent after the welcome. */
const AFTER_WELCOME: readonly (readonly [string, Uint8Array, string])[] = [
  ['a second hello', encodeFrame({ type: FrameType.Hello, hello: FINE }), 'protocol-error'],
  ['a second preface', encodePreface(), 'frame-too-large'],
  ['a length of 4 GB', header(0xffff_ffff, FrameType.Publish), 'frame-too-large'],
  ['a length one over the limit', header(65_537, FrameType.Publish), 'frame-too-large'],
  ['an extension of 4 GB', header(0xffff_ffff, 0x80), 'frame-too-large'],
  ['a publish without its header', header(15, FrameType.Publish), 'malformed-frame'],
  ['a welcome', Buffer.concat([header(10, FrameType.Welcome), text('{}')]), 'protocol-error'],
  ['an ack', frame({ type: FrameType.Ack, publishId: 1, seq: 1, at: 1 }), 'protocol-error'],
  ['a gap', frame({ type: FrameType.Gap, room: 1, from: 0, to: 1 }), 'protocol-error'],
  [
    'a history',
    frame({ type: FrameType.History, id: 1, last: true, end: true, entries: new Uint8Array(0) }),
    'protocol-error',
  ],
  ['a go-away', frame({ type: FrameType.GoAway, code: 1001, retryAfterMs: 0, reason: '' }), 'protocol-error'],
  ['an unknown frame', header(8, 0x60), 'unknown-frame'],
  [
    'a request that is not JSON',
    Buffer.concat([header(14, FrameType.Request), text('\0\0\0\0{{')]),
    'malformed-frame',
  ],
  [
    'a name that ends beyond its frame',
    Uint8Array.of(13, 0, 0, 0, FrameType.Direct, 1, 0, 2, 1, 0, 0, 0, 97),
    'malformed-frame',
  ],
  [
    'a name that is not UTF-8',
    Uint8Array.of(13, 0, 0, 0, FrameType.Direct, 1, 0, 1, 1, 0, 0, 0, 255),
    'invalid-utf8',
  ],
  ['HTTP', text('GET / HTTP/1.1\r\n\r\n'), 'frame-too-large'],
];

const CUTS = {
  whole: (bytes: Uint8Array) => [bytes],
  'byte by byte': (bytes: Uint8Array) => [...bytes].map((byte) => Uint8Array.of(byte)),
};

describe.each(Object.entries(CUTS))('a client that sends %s', (_how, cut) => {
  const sent = (bytes: Uint8Array): Uint8Array[] => (bytes.length > 70_000 ? [bytes] : cut(bytes));

  it.each(BEFORE_HELLO)('%s is closed', async (_what, bytes, name) => {
    const memory = await MemoryChat.open();
    const witness = await memory.enter('wítness');
    const { handle } = await witness.join('lobby');
    const mallory = memory.connect();
    for (const piece of sent(bytes)) mallory.pipe.write(piece);
    expect(await mallory.closed).toBeDefined();
    expect(memory.log.toldClose(name), JSON.stringify(memory.log.lines)).toBe(true);
    expect(memory.log.at('error')).toEqual([]);
    expect(memory.chat.sessions.count).toBe(1);
    await witness.say(handle, 'still here');
    expect(witness.entries(handle)).toHaveLength(2);
  });

  it.each(AFTER_WELCOME)('%s after the welcome is closed', async (_what, bytes, name) => {
    const memory = await MemoryChat.open();
    const witness = await memory.enter('witness');
    const { handle, start } = await witness.join('lobby');
    const mallory = await memory.enter('mallory');
    await mallory.join('lobby');
    for (const piece of sent(bytes)) mallory.pipe.write(piece);
    const close = await mallory.closed;
    expect(memory.log.toldClose(name), JSON.stringify(memory.log.lines)).toBe(true);
    expect(close!.reason).not.toBe('');
    expect(memory.log.at('error')).toEqual([]);
    // A code that forbids coming back ends the session at once.
    expect(memory.chat.sessions.find('mallory')).toBeUndefined();
    await witness.say(handle, 'still here');
    followChain(witness.frames, handle, start);
    expect(witness.texts(handle)).toEqual(['still here']);
  });
});

describe('a client that sends', () => {
  it('an extension is not closed: it is skipped', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    ada.pipe.write(
      Buffer.concat([header(12, 0x9a), text('1234'), frame({ type: FrameType.Ping, nonce: 9 })]),
    );
    expect(await ada.take(FrameType.Pong)).toMatchObject({ nonce: 9 });
  });

  it('to a room not joined gets a nack and goes on', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await bob.join('lobby');
    ada.publish(handle, 'from outside');
    ada.publish(0xffff_ffff, 'nowhere');
    ada.send({
      type: FrameType.Signal,
      room: handle,
      sender: 0,
      name: '',
      codec: 0,
      body: new Uint8Array(0),
    });
    await turn();
    expect(ada.frames.filter(({ type }) => type === FrameType.Nack)).toMatchObject([
      { publishId: 1, failure: { code: 'not-member' } },
      { publishId: 2, failure: { code: 'not-member' } },
    ]);
    expect(bob.texts(handle)).toEqual([]);
    expect(bob.frames.some(({ type }) => type === FrameType.Signal)).toBe(false);
  });

  it('random bytes is closed with a documented code, whatever they are', async () => {
    const random = seeded(99);
    const documented = new Set([
      'protocol-error',
      'frame-too-large',
      'unknown-frame',
      'malformed-frame',
      'invalid-utf8',
      'unsupported-version',
    ]);
    const memory = await MemoryChat.open({ ...UNLIMITED });
    const witness = await memory.enter('witness');
    for (let i = 0; i < 400; i++) {
      const isMember = random.below(2) === 1;
      const mallory = isMember ? await memory.enter(`m${i}`) : memory.connect();
      if (!isMember && random.below(2)) mallory.pipe.write(encodePreface());
      for (let j = 0; j < 200 && !mallory.gone; j++) mallory.pipe.write(random.bytes(1 + random.below(64)));
      if (!mallory.gone) mallory.pipe.destroy();
      await turn();
    }
    const closes = memory.log
      .at('debug')
      .flatMap(({ fields }) => (fields.close === undefined ? [] : [fields.close]));
    expect(closes.length).toBeGreaterThan(350);
    expect(closes.filter((close) => !documented.has(close as string))).toEqual([]);
    expect(memory.log.at('error')).toEqual([]);
    witness.send({ type: FrameType.Ping, nonce: 3 });
    expect(await witness.take(FrameType.Pong)).toMatchObject({ nonce: 3 });
  });

  it('frames with random bits flipped breaks nothing but itself', async () => {
    const random = seeded(7);
    const memory = await MemoryChat.open({ ...UNLIMITED });
    const witness = await memory.enter('witness');
    const { handle, start } = await witness.join('lobby');
    const good: Frame[] = [
      { type: FrameType.Publish, room: handle, publishId: 1, codec: 1, body: text('text') },
      { type: FrameType.Direct, publishId: 2, codec: 1, to: 'witness', body: text('text') },
      { type: FrameType.Signal, room: handle, sender: 0, name: '', codec: 1, body: text('text') },
      { type: FrameType.Request, id: 1, request: { op: 'join', room: 'lobby', history: 3 } },
      { type: FrameType.Request, id: 2, request: { op: 'history', room: 'lobby', limit: 10 } },
      { type: FrameType.Request, id: 3, request: { op: 'rooms' } },
      { type: FrameType.Ping, nonce: 4 },
    ];
    for (let i = 0; i < 600; i++) {
      const mallory = await memory.enter(`m${i}`);
      await mallory.join('lobby');
      const bytes = Buffer.concat(Array.from({ length: 6 }, () => frame(good[random.below(good.length)]!)));
      for (let flips = random.below(4); flips > 0; flips--)
        bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
      mallory.pipe.write(bytes);
      await turn();
      mallory.pipe.destroy();
    }
    expect(memory.log.at('error')).toEqual([]);
    await witness.say(handle, 'still here');
    await turn();
    followChain(witness.frames, handle, start);
    expect(witness.texts(handle).at(-1)).toBe('still here');
  });
});

describe('a client that does not read', () => {
  it('holds no more than the limits say, however much it asks for', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, maxQueuedBytes: 100_000 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    for (let i = 0; i < 1000; i++) ada.publish(handle, new Uint8Array(1000));
    await turn();
    ada.pipe.pause();
    const request = frame({
      type: FrameType.Request,
      id: 1,
      request: { op: 'history', room: 'lobby', limit: 1000 },
    });
    const page = (
      await (async () => {
        const bob = await memory.enter('bob');
        await bob.join('lobby');
        return bob.history('lobby', { limit: 1000 });
      })()
    ).entries.reduce((sum, { body }) => sum + body.length + 39, 0);
    // One chunk with a thousand requests for a megabyte each.
    ada.pipe.write(Buffer.concat(Array.from({ length: 1000 }, () => request)));
    for (let i = 0; i < 50; i++) {
      ada.pipe.write(request);
      await turn();
    }
    expect(ada.link.paused).toBe(true);
    expect(ada.link.unsentBytes).toBeLessThan(2 * (100_000 + page + 70_000));
    const { bytesOut } = memory.chat.counters;
    await turn(5);
    expect(memory.chat.counters.bytesOut).toBe(bytesOut);
  });

  it('gets the answers it did not read once it does, every one', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, maxQueuedBytes: 2000 });
    const ada = await memory.enter('ada');
    ada.pipe.pause();
    for (let i = 1; i <= 300; i++) ada.publish(77, 'x');
    await turn(2);
    expect(ada.link.paused).toBe(true);
    for (let i = 0; i < 50; i++) {
      ada.pipe.resume();
      await turn();
      ada.pipe.pause();
    }
    ada.pipe.resume();
    await turn(2);
    const ids = ada.frames.flatMap((answer) => (answer.type === FrameType.Nack ? answer.publishId : []));
    expect(ids).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(ada.link.paused).toBe(false);
  });

  it('is closed when it is behind the log, also when it stands exactly at the end of what was dropped', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, retentionBytes: 65_536 });
    const [ada, slow] = [await memory.enter('ada'), await memory.enter('slow')];
    const { handle } = await ada.join('lobby');
    // Each fills a chunk of the log, an eighth of what is kept, so that the cursor comes to stand at the end of one.
    const body = new Uint8Array(65_536 / 8 - entryBytes('ada'.length, 0));
    await slow.join('lobby');
    await turn();
    slow.pipe.pause();
    for (let i = 0; i < 20; i++) await ada.say(handle, body);
    await turn(2);
    expect(memory.chat.counters.readersClosed).toBe(1);
    expect(memory.log.toldClose('slow-consumer')).toBe(true);
    slow.pipe.resume();
    expect(await slow.closed).toMatchObject({ code: 4020 });
    expect(memory.chat.sessions.find('slow')!.peer).toBeUndefined();
  });

  it('catches up in the order of the log, corked answers and all, whenever it reads', async () => {
    const random = seeded(5);
    const memory = await MemoryChat.open({ ...UNLIMITED, retentionBytes: 4_194_304 });
    const [ada, slow] = [await memory.enter('ada'), await memory.enter('slow')];
    const { handle } = await ada.join('lobby');
    const joined = await slow.join('lobby');
    for (let i = 0; i < 300; i++) {
      if (random.below(3) === 0) slow.pipe.pause();
      for (let j = random.below(10); j > 0; j--) ada.publish(handle, new Uint8Array(random.below(5000)));
      if (random.below(2) === 0) slow.publish(handle, `${i}`);
      if (random.below(4) === 0) slow.pipe.resume();
      if (random.below(2) === 0) await turn();
    }
    slow.pipe.resume();
    await turn(3);
    expect(followChain(slow.frames, handle, joined.start)).toBe(memory.chat.rooms.find('lobby')!.log.lastSeq);
    expect(slow.frames.filter(({ type }) => type === FrameType.Ack)).toHaveLength(slow.publishId);
  });
});

describe('a flood of', () => {
  it('pings is answered as fast as it is read, and no faster', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, maxQueuedBytes: 4096 });
    const ada = await memory.enter('ada');
    ada.pipe.pause();
    const pings = Buffer.concat(
      Array.from({ length: 5000 }, (_, i) => frame({ type: FrameType.Ping, nonce: i })),
    );
    for (let i = 0; i < 20; i++) ada.pipe.write(pings);
    await turn(2);
    expect(ada.link.unsentBytes).toBeLessThan(10_000);
    ada.pipe.resume();
    await turn(5);
    expect(ada.frames.filter(({ type }) => type === FrameType.Pong)).toHaveLength(100_000);
  });

  it('publishes to nowhere is held up, refused, and closed in the end', async () => {
    const memory = await MemoryChat.open({
      maxMessagesPerSecond: 10,
      maxMessageBurst: 10,
      maxRateViolations: 100,
    });
    const ada = await memory.enter('ada');
    for (let s = 0; s < 30 && !ada.gone; s++) {
      for (let i = 0; i < 200 && !ada.gone; i++) ada.publish(99, 'x');
      memory.clock.advance(1000);
      await turn();
    }
    expect(ada.gone).toBe(false);
    // In one piece it is taken in at once: what exceeds burst and credit counts as a violation.
    const burst = Array.from({ length: 400 }, () => ({
      type: FrameType.Publish,
      room: 99,
      publishId: ++ada.publishId,
      codec: 1,
      body: text('x'),
    }));
    memory.clock.advance(60_000 - 1);
    await turn();
    const mallory = await memory.enter('mallory');
    mallory.send(...burst.map((publish, i) => ({ ...publish, publishId: i + 1 })));
    expect(await mallory.closed).toMatchObject({ code: 4021 });
  });
});
