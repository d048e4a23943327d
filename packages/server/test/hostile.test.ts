/** Bad input over real sockets: it closes itself, it is logged at debug level, and the others notice nothing. */
import { connect, type Socket } from 'node:net';
import { encodeFrame, encodePreface, FrameType } from '@chat/protocol/frames';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNLIMITED } from '../src/options/options.js';
import { type Station, station } from './support/carriers.js';
import { LogLines } from './support/log-lines.js';
import { ManualClock } from './support/manual-clock.js';
import { seeded } from './support/seeded.js';
import { closed, turn, until } from './support/turn.js';
import { followChain, helloBytes, type WireClient } from './support/wire-client.js';

let server: Station;
let logger: LogLines;
let clock: ManualClock;
let witnesses: WireClient[];
let handle: number;
let start: number;
let said: string[];

beforeEach(async () => {
  logger = new LogLines();
  clock = new ManualClock();
  // Time is moved by hand here, and must not be taken for the silence that ends a line.
  server = await station('TCP', {
    ...UNLIMITED,
    logger,
    clock,
    maxConnectionsPerAddress: 10_000,
    lineIdleMs: 0,
  });
  witnesses = [await server.enter('witness'), await server.enter('second')];
  ({ handle, start } = await witnesses[0]!.join('lobby'));
  await witnesses[1]!.join('lobby');
  said = [];
});

/** The others go on talking all the while, and miss nothing. */
afterEach(async () => {
  await talk('at the end');
  expect(witnesses[0]!.texts(handle)).toEqual(said);
  expect(witnesses[1]!.texts(handle)).toEqual(said);
  followChain(witnesses[0]!.frames, handle, start);
  expect(logger.at('error')).toEqual([]);
  await server.server.close();
});

async function talk(text: string): Promise<void> {
  said.push(text);
  const seq = await witnesses[0]!.say(handle, text);
  for (const witness of witnesses) await witness.take(FrameType.Message, (message) => message.seq === seq);
}

function dial(): Socket {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  return socket.on('error', () => {});
}

const connections = (): number => server.server.stats().openConnections;

const hello = (name: string): Uint8Array => helloBytes({ name });

describe('a peer that', () => {
  it('is reset in the middle of a frame is lost, and nothing of the frame is said', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = dial();
      const publish = encodeFrame({
        type: FrameType.Publish,
        room: handle,
        publishId: 1,
        codec: 1,
        body: new Uint8Array(900),
      });
      const greeting = [hello(`torn ${i}`), encodeFrame({ type: FrameType.Ping, nonce: i })];
      socket.write(Buffer.concat([...greeting, publish.subarray(0, 17 + i * 40)]));
      await until(() => server.server.stats().sessionsOpened === 3 + i);
      socket.resetAndDestroy();
    }
    await until(() => connections() === 2);
    expect(server.server.stats().sessionsAway).toBe(20);
    await talk('meanwhile');
  });

  it('is reset in the middle of a line is lost', async () => {
    const socket = dial();
    socket.write('nc\nhalf a li');
    await until(() => server.server.stats().sessions === 3);
    socket.resetAndDestroy();
    await until(() => connections() === 2 && server.server.stats().sessions === 2);
  });

  it('sends one byte now and then is closed when the handshake took too long', async () => {
    const [binary, line, other] = [dial(), dial(), dial()];
    await Promise.all(
      [binary, line, other].map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
    );
    const last = new Map<Socket, Buffer>();
    for (const socket of [binary, line, other]) socket.on('data', (chunk) => last.set(socket, chunk));
    const ends = [binary, line, other].map((socket) => new Promise((resolve) => socket.once('end', resolve)));
    const bytes = hello('slow');
    for (let i = 0; i < 60; i++) {
      binary.write(bytes.subarray(i, i + 1));
      line.write('x');
      clock.advance(500);
      await turn();
    }
    await Promise.all(ends);
    expect(String(last.get(line))).toContain('(handshake-timeout)');
    expect(String(last.get(other))).toContain('(handshake-timeout)');
    expect(last.get(binary)!.readUInt16LE(8)).toBe(4002);
    expect(logger.toldClose('handshake-timeout')).toBe(true);
    // It does not have to end its side, and may go on sending: it is cut all the same.
    for (let i = 0; i < 12; i++) {
      for (const socket of [binary, line, other]) if (socket.writable) socket.write('x');
      await turn(2);
      clock.advance(500);
    }
    await until(() => connections() === 2);
  });

  it('ends its side after hello is torn; in lines it has said goodbye', async () => {
    const [binary, line] = [dial(), dial()];
    binary.end(Buffer.concat([hello('half'), encodeFrame({ type: FrameType.Ping, nonce: 1 })]));
    let text = '';
    line.on('data', (chunk) => {
      text += String(chunk);
    });
    line.end('nc\nlast words\n');
    said.push('last words');
    await Promise.all([closed(binary.resume()), closed(line)]);
    await until(() => server.server.stats().sessionsAway === 1);
    await until(() => server.server.stats().sessions === 3 && connections() === 2);
    expect(text).toBe('');
    expect(witnesses[0]!.entries(handle).at(-1)).toMatchObject({ name: 'nc', kind: 2 });
  });

  it('sends random bytes, whatever it sends, is closed or ignored', async () => {
    const random = seeded(3);
    for (let i = 0; i < 150; i++) {
      const socket = dial();
      const first = random.below(4);
      if (first === 0) socket.write(Uint8Array.of(0xfe));
      if (first === 1) socket.write('GET ');
      if (first === 2) socket.write(hello(`r${i}`));
      for (let j = random.below(5); j >= 0; j--) socket.write(random.bytes(random.below(2000)));
      socket.resume();
      if (random.below(2)) socket.end();
      else setImmediate(() => socket.resetAndDestroy());
      if (i % 10 === 0) await talk(`${i}`);
      if (i % 50 === 49) await turn(5);
    }
    // Those that were told why and did not end their side get their time.
    while (connections() > 2) {
      clock.advance(1000);
      await turn(3);
      for (const witness of witnesses) await witness.ask({ op: 'rooms' });
    }
    const lines = logger.at('debug').filter(({ fields }) => fields.close !== undefined);
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.every(({ fields }) => typeof fields.code === 'number')).toBe(true);
  });

  it('never reads holds a bounded amount, and goes when the log has moved on', async () => {
    const slow = await server.enter('never reads');
    await slow.join('lobby');
    slow.pipe.pause();
    let sent = 0;
    while (!logger.toldClose('slow-consumer')) {
      expect(sent++, 'it is never closed').toBeLessThan(2000);
      const body = new Uint8Array(50_000);
      said.push(new TextDecoder().decode(body));
      await witnesses[0]!.say(handle, body);
    }
    expect(server.server.stats().logBytes).toBeLessThanOrEqual(4_194_304);
    expect(server.server.stats().readersClosed).toBe(1);
    clock.advance(5000);
    await until(() => connections() === 2);
  });

  it('asks for names of 10 MB, or in lines without end, is told so and cut', async () => {
    const [line, binary] = [dial(), dial()];
    let text = '';
    line.on('data', (chunk) => {
      text += String(chunk);
    });
    line.write('x'.repeat(10_000_000));
    const frame = Buffer.alloc(10_000_000, 'x');
    frame.writeUInt32LE(frame.length);
    frame[4] = FrameType.Hello;
    binary.resume().write(Buffer.concat([encodePreface(), frame]));
    await until(
      () => logger.at('debug').filter(({ fields }) => fields.close === 'frame-too-large').length === 2,
    );
    clock.advance(5000);
    // The server's side counts: who was cut learns of it by a reset only when some of their bytes were not read.
    await until(() => connections() === 3);
    // Another name would do, until the time for it is over.
    clock.advance(6000);
    await until(() => text.includes('(handshake-timeout)'));
    clock.advance(5000);
    await until(() => connections() === 2);
    expect(text).toMatch(
      /^\*\*\* .*; send another name \(frame-too-large\)\n\*\*\* .*\(handshake-timeout\)\n$/,
    );
    for (const socket of [line, binary]) socket.destroy();
  });
});

describe('a flood of connections', () => {
  it('beyond the sessions there may be is refused one by one, each in its dialect', async () => {
    await server.server.close();
    server = await station('TCP', { ...UNLIMITED, logger, clock, maxSessions: 102 });
    witnesses = [await server.enter('witness'), await server.enter('second')];
    ({ handle, start } = await witnesses[0]!.join('lobby'));
    await witnesses[1]!.join('lobby');
    const COUNT = 2000;
    let [welcomed, refused] = [0, 0];
    const sockets = Array.from({ length: COUNT }, (_, i) => {
      const socket = dial();
      socket.once('data', (chunk) => {
        const text = String(chunk);
        if (i % 2 === 0 ? chunk[4] === FrameType.Welcome : !text.includes('(overloaded)')) welcomed++;
        else refused++;
        if (i % 2 === 0 ? chunk[4] === FrameType.Close : text.includes('(overloaded)')) socket.end();
      });
      // A line client hears nothing when it is welcome, but others who come after it.
      socket.write(i % 2 === 0 ? hello(`m${i}`) : `m${i}\n`);
      return socket;
    });
    await talk('while they come');
    await until(() => refused === COUNT - 100);
    expect(server.server.stats().sessions).toBe(102);
    expect(welcomed).toBeLessThanOrEqual(100);
    await until(() => connections() === 102);
    for (const socket of sockets) socket.destroy();
    await until(() => connections() === 2);
    await until(() => server.server.stats().closes.get(4023) === COUNT - 100);
  }, 60_000);

  it('from one address is refused beyond its share, before anything is known of it', async () => {
    await server.server.close();
    server = await station('TCP', { ...UNLIMITED, logger, clock, maxConnectionsPerAddress: 10 });
    witnesses = [await server.enter('witness'), await server.enter('second')];
    ({ handle, start } = await witnesses[0]!.join('lobby'));
    await witnesses[1]!.join('lobby');
    const answers: string[] = [];
    const sockets = Array.from({ length: 300 }, (_, i) => {
      const socket = dial();
      socket.on('data', (chunk) => answers.push(String(chunk)));
      socket.once('end', () => socket.end());
      // The first ones stay; a request is soon answered, and makes room.
      socket.write(i < 8 || i % 2 === 0 ? `m${i}\n` : 'GET / HTTP/1.1\r\n\r\n');
      return socket;
    });
    await until(() => server.server.stats().closes.get(4024) === 292);
    await until(() => answers.filter((answer) => /too-many-connections|429/.test(answer)).length === 292);
    for (const socket of sockets) socket.destroy();
    await until(() => connections() === 2);
    await talk('after');
  }, 60_000);

  it('that say nothing is bounded, and those with something to say get in when it is over', async () => {
    const sockets = Array.from({ length: 1000 }, () => dial());
    await until(() => connections() === 1002);
    await talk('while they stand there');
    clock.advance(11_000);
    for (const socket of sockets) socket.resume().once('end', () => socket.end());
    await until(() => connections() === 2);
    expect(server.server.stats().closes.get(4002)).toBe(1000);
  }, 60_000);
});
