/**
 * Every option does what it says. The table at the top is compared with the options there are, so that an option
 * without a test here does not go unnoticed.
 */
import { connect } from 'node:net';
import { FailureCode } from '@chat/protocol';
import { encodeFrame, FrameType, type Joined } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { ServerErrorCode } from '../../src/errors.js';
import { createMemoryLog } from '../../src/log/memory-log.js';
import { createBlockLog } from '../../src/log/shared/block-log.js';
import type { AuthenticateResult } from '../../src/options/hooks.js';
import {
  type ChatServerOptions,
  type DuplicateNamePolicy,
  resolveOptions,
  UNLIMITED,
} from '../../src/options/options.js';
import { maxMessageBytes } from '../../src/options/resolve-limits.js';
import { createChatServer } from '../../src/server/chat-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { MemoryChat } from '../support/memory-chat.js';
import { SharedCounts } from '../support/shared-counts.js';
import { SharedStream } from '../support/shared-stream.js';
import { tcpPipe, webSocketPipe } from '../support/socket-pipe.js';
import { turn, until } from '../support/turn.js';
import { WireClient } from '../support/wire-client.js';

type Test = () => Promise<void>;

const INFINITE = Number.POSITIVE_INFINITY;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Connects and says hello; answers the close code, or 0 for a welcome. */
async function knock(memory: MemoryChat, name: string, more: object = {}): Promise<number> {
  const client = memory.connect();
  client.greet({ name, ...more });
  return client.take(FrameType.Welcome).then(
    () => 0,
    async () => (await client.closed)!.code,
  );
}

const TESTS: Readonly<Record<keyof Omit<Required<ChatServerOptions>, never>, Test>> = {
  maxFrameBytes: async () => {
    const memory = await MemoryChat.open({ maxFrameBytes: 8192, maxLineBytes: 1000 });
    expect(await knock(memory, 'small', { maxFrameBytes: 8191 })).toBe(4003);
    const ada = await memory.enter({ name: 'ada', maxFrameBytes: 8192 });
    expect(ada.welcome!.limits.maxFrameBytes).toBe(8192);
    ada.pipe.write(Uint8Array.of(0x01, 0x20, 0, 0, FrameType.Publish));
    expect(await ada.closed).toMatchObject({ code: 4003 });
  },
  maxLineBytes: async () => {
    const memory = await MemoryChat.open({ maxLineBytes: 20 });
    const bob = memory.connectLine();
    bob.send('bob\n');
    const ada = memory.connectLine();
    ada.send('ada\n');
    await turn(2);
    ada.send(`${'x'.repeat(20)}\n`);
    ada.send(`${'y'.repeat(21)}\n`);
    await turn(2);
    expect(bob.text()).toContain(`ada: ${'x'.repeat(20)}\n`);
    expect(ada.text()).toMatch(/\*\*\* not sent: .*exceeds maxLineBytes 20\n$/);
    expect(bob.text()).not.toContain('y');
  },
  maxLinesPerMessage: async () => {
    const memory = await MemoryChat.open({ maxLinesPerMessage: 2 });
    const bob = memory.connectLine();
    bob.send('bob\n');
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'one\ntwo');
    await ada.say(handle, 'one\ntwo\nthree\nfour');
    await ada.ask({ op: 'leave', room: 'lobby' });
    await turn(2);
    expect(bob.text().match(/ada: .*/g)).toEqual([
      'ada: one',
      'ada: two',
      'ada: one',
      'ada: two',
      'ada: … 2 more lines',
    ]);
  },
  maxNameTries: async () => {
    const memory = await MemoryChat.open({ maxNameTries: 2 });
    const line = memory.connectLine();
    line.send('#one\n');
    await turn(2);
    expect(line.link.closed).toBe(false);
    line.send('#two\n');
    await turn(2);
    expect(line.link.closed).toBe(true);
  },
  lineIdleMs: async () => {
    const memory = await MemoryChat.open({ lineIdleMs: 500 });
    const line = memory.connectLine();
    line.send('ada');
    memory.clock.advance(499);
    await turn();
    expect(memory.chat.sessions.count).toBe(0);
    memory.clock.advance(1);
    await turn();
    expect(memory.chat.sessions.find('ada')).toBeDefined();
    for (const off of [0, INFINITE]) {
      const patient = await MemoryChat.open({ lineIdleMs: off });
      patient.connectLine().send('ada');
      patient.clock.advance(9000);
      await turn();
      expect(patient.chat.sessions.count).toBe(0);
    }
  },
  lineCharset: async () => {
    const memory = await MemoryChat.open({ lineCharset: 'cp1255' });
    const line = memory.connectLine();
    line.link.receive(Uint8Array.of(0xf9, 0xec, 0xe5, 0xed, 0x0a));
    await turn();
    expect(memory.chat.sessions.find('שלום')).toBeDefined();
    const refused = { code: ServerErrorCode.BadOption };
    for (const lineCharset of ['klingon', 'utf-16le', 'iso-2022-jp', '']) {
      expect(() => resolveOptions({ lineCharset })).toThrow(expect.objectContaining(refused));
    }
  },
  maxSessions: async () => {
    const memory = await MemoryChat.open({ maxSessions: 2, resumeWindowMs: 1000 });
    const ada = await memory.enter('ada');
    await memory.enter('bob');
    expect(await knock(memory, 'carol')).toBe(4023);
    ada.pipe.destroy();
    expect(await knock(memory, 'carol')).toBe(4023);
    memory.clock.advance(1500);
    expect(await knock(memory, 'carol')).toBe(0);
  },
  lineSilenceMs: async () => {
    const memory = await MemoryChat.open({
      maxSessions: 3,
      lineSilenceMs: 100_000,
      idleTimeoutMs: 10_000_000,
    });
    const enter = async (name: string): Promise<ReturnType<MemoryChat['connectLine']>> => {
      const line = memory.connectLine();
      line.send(`${name}\n`);
      await turn(2);
      memory.clock.advance(30_000);
      return line;
    };
    await memory.enter('browser');
    const [ada, bob] = [await enter('ada'), await enter('bob')];
    ada.send('hi\n');
    expect((await enter('early')).text()).toMatch(/\(overloaded\)\n$/);
    memory.clock.advance(45_000);
    const late = await enter('late');
    expect(bob.text()).toMatch(/nothing was heard from you for long \(idle-timeout\)\n$/);
    expect(bob.link.closed).toBe(true);
    expect(ada.text()).toContain('*** bob has left the chat\n*** late has joined the chat\n');
    expect(late.link.closed).toBe(false);
  },
  maxConnectionsPerAddress: async () => {
    const server = createChatServer({ maxConnectionsPerAddress: 2, clock: new ManualClock() });
    const address = await server.listen({ port: 0, host: '127.0.0.1' });
    if (address.kind !== 'tcp') throw new Error(address.kind);
    const clients = [1, 2, 3].map(() => new WireClient(tcpPipe({ port: address.port, host: '127.0.0.1' })));
    await clients[0]!.enter({ name: 'ada' });
    await clients[1]!.enter({ name: 'bob' });
    clients[2]!.greet({ name: 'carol' });
    expect(await clients[2]!.closed).toMatchObject({ code: 4024, retryAfterMs: 5000 });
    clients[0]!.pipe.destroy();
    await until(() => server.stats().openConnections === 1);
    const next = new WireClient(tcpPipe({ port: address.port, host: '127.0.0.1' }));
    await next.enter({ name: 'carol' });
    await server.close();

    // As many lost sessions are kept, whether or not they were connected at the same time.
    const memory = await MemoryChat.open({ maxConnectionsPerAddress: 2 });
    const names = ['ada', 'bob', 'carol', 'dave'];
    for (const name of names) {
      const client = await memory.enter(name, { address: name === 'dave' ? '192.0.2.2' : '192.0.2.1' });
      client.pipe.destroy();
      await turn();
    }
    const kept = (): string[] => names.filter((name) => memory.chat.sessions.find(name));
    expect(kept()).toEqual(['ada', 'bob', 'dave']);
    memory.clock.advance(31_000);
    expect(kept()).toEqual([]);
    (await memory.enter('erin', { address: '192.0.2.1' })).pipe.destroy();
    await turn();
    expect(memory.chat.sessions.find('erin')).toBeDefined();
  },
  maxConnectionsPerSecondPerAddress: async () => {
    const clock = new ManualClock();
    await using server = createChatServer({
      maxConnectionsPerAddress: 1,
      maxConnectionsPerSecondPerAddress: 2,
      clock,
    });
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const comesAndGoes = async (name: string): Promise<boolean> => {
      const client = new WireClient(tcpPipe({ port, host: '127.0.0.1' }));
      const isIn = await client.enter({ name }).then(
        () => true,
        () => false,
      );
      client.pipe.destroy();
      await until(() => server.stats().openConnections === 0);
      return isIn;
    };
    const comers: boolean[] = [];
    for (const name of ['a', 'b', 'c', 'd']) comers.push(await comesAndGoes(name));
    clock.advance(1000);
    for (const name of ['e', 'f']) comers.push(await comesAndGoes(name));
    expect(comers).toEqual([true, true, true, false, true, true]);
    expect(server.stats().closes).toEqual(new Map([[4024, 1]]));
  },
  maxSessionsPerAddress: async () => {
    const memory = await MemoryChat.open({ maxSessionsPerAddress: 1 });
    await memory.enter('ada');
    expect(await knock(memory, 'bob')).toBe(4024);
  },
  maxSessionsPerUser: async () => {
    const authenticate = (): AuthenticateResult => ({ ok: true, name: 'ada' });
    const memory = await MemoryChat.open({ maxSessionsPerUser: 2, hooks: { authenticate } });
    await memory.enter('ada');
    await memory.enter('ada');
    expect(await knock(memory, 'ada')).toBe(4024);
  },
  maxRoomsPerAddress: async () => {
    const memory = await MemoryChat.open({ maxRoomsPerAddress: 1 });
    const ada = await memory.enter('ada');
    await ada.join('one');
    expect(await ada.request({ op: 'join', room: 'two' })).toMatchObject({
      failure: { code: FailureCode.TooManyRooms, max: 1 },
    });
  },
  maxMessagesPerSecondPerAddress: async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecondPerAddress: 1, maxMessageBurst: 4 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    for (let i = 0; i < 3; i++) ada.publish(9, 'x');
    bob.publish(9, 'x');
    // One that has sent little is not held up for its neighbour.
    expect([ada.link.paused, bob.link.paused]).toEqual([false, false]);
    for (let i = 0; i < 2; i++) bob.publish(9, 'x');
    expect(bob.link.paused).toBe(true);
    memory.clock.advance(4000);
    expect(bob.link.paused).toBe(false);
  },
  maxInputBytesPerSecond: async () => {
    const memory = await MemoryChat.open({ maxInputBytesPerSecond: 10_000 });
    const ada = await memory.enter('ada');
    for (let i = 0; i < 3; i++) ada.publish(9, new Uint8Array(10_000));
    expect(ada.link.paused).toBe(true);
    memory.clock.advance(2000);
    expect(ada.link.paused).toBe(false);
  },
  maxInputBytesPerSecondPerAddress: async () => {
    const memory = await MemoryChat.open({
      maxInputBytesPerSecond: 20_000,
      maxInputBytesPerSecondPerAddress: 10_000,
    });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    for (let i = 0; i < 2; i++) ada.publish(9, new Uint8Array(18_000));
    bob.publish(9, new Uint8Array(10_000));
    expect(bob.link.paused).toBe(true);
    memory.clock.advance(2000);
    expect(bob.link.paused).toBe(false);
  },
  exemptAddresses: async () => {
    const server = createChatServer({ maxConnectionsPerAddress: 1, exemptAddresses: ['127.0.0.0/8'] });
    const address = await server.listen({ port: 0, host: '127.0.0.1' });
    if (address.kind !== 'tcp') throw new Error(address.kind);
    for (const name of ['ada', 'bob', 'carol']) {
      await new WireClient(tcpPipe({ port: address.port, host: '127.0.0.1' })).enter({ name });
    }
    await server.close();
    expect(() => createChatServer({ exemptAddresses: ['10.0.0.0/33'] })).toThrow(
      expect.objectContaining({ code: ServerErrorCode.BadOption }),
    );
  },
  trustedProxies: async () => {
    const server = createChatServer({ maxConnectionsPerAddress: 1, trustedProxies: ['127.0.0.1'] });
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const enter = (name: string, forwardedFor: string): Promise<unknown> =>
      new WireClient(
        webSocketPipe(`ws://127.0.0.1:${port}/ws`, { headers: { 'X-Forwarded-For': forwardedFor } }),
      ).enter({ name }, false);
    await enter('ada', '192.0.2.1');
    await enter('bob', '192.0.2.1, 192.0.2.2');
    await expect(enter('carol', '192.0.2.3, 192.0.2.2')).rejects.toThrow();
    expect(server.stats().closes).toEqual(new Map([[4024, 1]]));
    await server.close();
    expect(() => createChatServer({ trustedProxies: ['nginx'] })).toThrow(
      expect.objectContaining({ message: expect.stringContaining('trustedProxies') }),
    );
  },
  proxyProtocol: async () => {
    const server = createChatServer({ proxyProtocol: true, trustedProxies: ['127.0.0.1'] });
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nada\n'),
    );
    await until(() => server.sessions().length === 1);
    expect(server.sessions()[0]!.address).toBe('192.0.2.1');
    socket.destroy();
    await server.close();
    for (const options of [{ proxyProtocol: true }, { proxyProtocol: 'v2' as unknown as boolean }]) {
      expect(() => createChatServer(options)).toThrow(
        expect.objectContaining({ message: expect.stringContaining('proxyProtocol') }),
      );
    }
  },
  maxMemoryBytes: async () => {
    const memory = await MemoryChat.open({ maxMemoryBytes: 1 });
    expect(await knock(memory, 'ada')).toBe(4023);
    expect(memory.log.at('warn').map(({ message }) => message)).toEqual([
      'short of memory: newcomers are sent away',
    ]);
    expect(await knock(await MemoryChat.open({ maxMemoryBytes: INFINITE }), 'ada')).toBe(0);
  },
  maxRooms: async () => {
    const memory = await MemoryChat.open({ maxRooms: 2 });
    const ada = await memory.enter('ada');
    await ada.join('one');
    await ada.join('two');
    expect(await ada.request({ op: 'join', room: 'three' })).toMatchObject({
      failure: { code: FailureCode.TooManyRooms, max: 2 },
    });
    await ada.join('ONE');
  },
  maxRoomsPerSession: async () => {
    const memory = await MemoryChat.open({ maxRoomsPerSession: 2 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    expect(ada.welcome!.limits.maxRoomsPerSession).toBe(2);
    await ada.join('one');
    await ada.join('two');
    await bob.join('three');
    expect(await ada.request({ op: 'join', room: 'three' })).toMatchObject({
      failure: { code: FailureCode.TooManyRooms, max: 2 },
    });
    await ada.ask({ op: 'leave', room: 'one' });
    await ada.join('three');
  },
  maxMembersPerRoom: async () => {
    const memory = await MemoryChat.open({
      maxMembersPerRoom: 3,
      hooks: {
        authorize: async () => {
          await turn();
          return true;
        },
      },
    });
    const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => memory.enter(`m${i}`)));
    const answers = await Promise.all(clients.map((client) => client.request({ op: 'join', room: 'lobby' })));
    expect(answers.filter(({ type }) => type === FrameType.Response)).toHaveLength(3);
    expect(
      answers.filter((answer) => 'failure' in answer && answer.failure.code === FailureCode.RoomFull),
    ).toHaveLength(5);
    const line = memory.connectLine();
    line.send('nc\n');
    await until(() => line.link.closed);
    expect(line.text()).toBe('*** lobby has 3 members (overloaded)\n');
  },
  maxMessagesPerSecond: async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecond: 10, maxMessageBurst: 5 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    memory.clock.advance(1000);
    for (let i = 0; i < 5; i++) ada.publish(handle, `${i}`);
    expect(ada.link.paused).toBe(false);
    ada.publish(handle, '5');
    expect(ada.link.paused).toBe(true);
    ada.publish(handle, 'later');
    await turn();
    expect(ada.texts(handle)).toHaveLength(6);
    memory.clock.advance(100);
    await turn();
    expect(ada.texts(handle)).toHaveLength(7);
  },
  maxMessageBurst: async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecond: 1, maxMessageBurst: 4 });
    const ada = await memory.enter('ada');
    const frames = Array.from({ length: 20 }, (_, i) => ({
      type: FrameType.Publish,
      room: 1,
      publishId: i + 1,
      codec: 1,
      body: text('x'),
    }));
    ada.send(...frames);
    await turn();
    const limited = ada.frames.filter(
      (frame) => frame.type === FrameType.Nack && frame.failure.code === FailureCode.RateLimited,
    );
    // The burst, and as much again on credit; what came in one piece with these is refused.
    expect(ada.frames.filter(({ type }) => type === FrameType.Nack)).toHaveLength(20);
    expect(limited).toHaveLength(12);
    expect(limited[0]).toMatchObject({ failure: { retryAfterMs: 4000 } });
  },
  maxSignalBytes: async () => {
    const memory = await MemoryChat.open({ maxSignalBytes: 100 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    expect(ada.welcome!.limits.maxSignalBytes).toBe(100);
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    const signal = { type: FrameType.Signal, room: handle, sender: 0, name: '', codec: 0 } as const;
    ada.send({ ...signal, body: new Uint8Array(101) }, { ...signal, body: new Uint8Array(100) });
    await turn();
    const got = bob.frames.filter((frame) => frame.type === FrameType.Signal);
    expect(got.map(({ body }) => body.length)).toEqual([100]);
    expect(memory.chat.counters.messagesRefused).toBe(1);
    const message = 'maxSignalBytes 70000 does not fit into maxFrameBytes 65536';
    await expect(MemoryChat.open({ maxSignalBytes: 70_000 })).rejects.toThrow(message);
  },
  maxTopicBytes: async () => {
    const memory = await MemoryChat.open({ maxTopicBytes: 10 });
    const ada = await memory.enter('ada');
    await ada.join('tea');
    await ada.ask({ op: 'topic', room: 'tea', topic: 'ten bytes!' });
    expect(await ada.request({ op: 'topic', room: 'tea', topic: 'eleven byte' })).toMatchObject({
      failure: { code: FailureCode.TooLarge, max: 10, actual: 11 },
    });
  },
  maxReactionBytes: async () => {
    const { ask } = await reactions({ maxReactionBytes: 4 });
    expect(await ask('ada', '👍')).toMatchObject({ response: {} });
    expect(await ask('ada', '❤️')).toMatchObject({
      failure: { code: FailureCode.TooLarge, max: 4, actual: 6 },
    });
  },
  maxReactionKinds: async () => {
    const { ask } = await reactions({ maxReactionKinds: 2 });
    await ask('ada', '👍');
    await ask('ada', '🎉');
    expect(await ask('ada', '👀')).toMatchObject({
      failure: { code: FailureCode.TooLarge, max: 2, actual: 3 },
    });
    expect(await ask('bob', '🎉')).toMatchObject({ response: {} });
    await ask('ada', '👍', true);
    expect(await ask('ada', '👀')).toMatchObject({ response: {} });
  },
  maxReactionsBytes: async () => {
    const one = '[{"reaction":"👍","by":[{"id":2,"name":"ada"}]}]';
    const { ask } = await reactions({ maxReactionsBytes: Buffer.byteLength(one) });
    expect(await ask('ada', '👍')).toMatchObject({ response: {} });
    expect(await ask('bob', '👍')).toMatchObject({ failure: { code: FailureCode.TooLarge } });
    expect(await ask('ada', '👍', true)).toMatchObject({ response: {} });
    expect(await ask('bob', '👍')).toMatchObject({ response: {} });
  },
  editWindowMs: async () => {
    const memory = await MemoryChat.open({ editWindowMs: 1000 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const seq = await ada.say(handle, 'hello');
    memory.clock.advance(999);
    await ada.ask({ op: 'edit', room: 'lobby', seq, text: 'good day' });
    memory.clock.advance(1);
    for (const request of [
      { op: 'edit', room: 'lobby', seq, text: 'x' },
      { op: 'take-back', room: 'lobby', seq },
    ]) {
      expect(await ada.request(request)).toMatchObject({ failure: { code: FailureCode.Forbidden } });
    }
  },
  maxRateViolations: async () => {
    const memory = await MemoryChat.open({
      maxMessagesPerSecond: 1,
      maxMessageBurst: 1,
      maxRateViolations: 5,
    });
    const ada = await memory.enter('ada');
    const signal = {
      type: FrameType.Signal,
      room: 1,
      sender: 0,
      name: '',
      codec: 0,
      body: new Uint8Array(0),
    } as const;
    ada.send(...Array.from({ length: 2 + 5 }, () => signal));
    await turn();
    expect(ada.gone).toBe(false);
    memory.clock.advance(1000);
    ada.send(...Array.from({ length: 10 }, () => signal));
    expect(await ada.closed).toMatchObject({ code: 4021, retryAfterMs: 1000 });
  },
  maxInFlight: async () => {
    const entries: (() => void)[] = [];
    const inner = createMemoryLog();
    const log = {
      ...{ epoch: inner.epoch, open: inner.open.bind(inner), close: inner.close.bind(inner) },
      append: (draft: Parameters<typeof inner.append>[0]) => {
        const body = Uint8Array.from(draft.body);
        if (draft.publishId === 0) inner.append(draft);
        else entries.push(() => inner.append({ ...draft, body }));
      },
    };
    const memory = await MemoryChat.open({ maxInFlight: 3, log });
    const ada = await memory.enter('ada');
    expect(ada.welcome!.limits.maxInFlight).toBe(3);
    const { handle } = await ada.join('lobby');
    for (let i = 1; i <= 5; i++) ada.publish(handle, `${i}`);
    await turn();
    expect(ada.frames.filter((frame) => frame.type === FrameType.Nack)).toMatchObject([
      { publishId: 4, failure: { code: FailureCode.RateLimited, max: 3 } },
      { publishId: 5, failure: { code: FailureCode.RateLimited, max: 3 } },
    ]);
    for (const append of entries.splice(0)) append();
    await turn();
    ada.publish(handle, '6');
    for (const append of entries.splice(0)) append();
    await turn();
    expect(ada.texts(handle)).toEqual(['1', '2', '3', '6']);
    expect(ada.frames.flatMap((frame) => (frame.type === FrameType.Ack ? frame.publishId : []))).toEqual([
      1, 2, 3, 6,
    ]);
  },
  maxQueuedBytes: async () => {
    const memory = await MemoryChat.open({ maxQueuedBytes: 1000, ...UNLIMITED });
    const ada = await memory.enter('ada');
    ada.pipe.pause();
    for (let i = 1; i <= 2000; i++) ada.send({ type: FrameType.Ping, nonce: i });
    await turn();
    expect(ada.link.paused).toBe(true);
    const { bytesOut } = memory.chat.counters;
    expect(ada.link.unsentBytes).toBeLessThan(2 * 1000 + 100);
    ada.pipe.resume();
    await turn();
    expect(ada.link.paused).toBe(false);
    expect(ada.frames.filter(({ type }) => type === FrameType.Pong)).toHaveLength(2000);
    expect(memory.chat.counters.bytesOut).toBeGreaterThan(bytesOut);
  },
  handshakeTimeoutMs: async () => {
    const memory = await MemoryChat.open({ handshakeTimeoutMs: 2000 });
    const [silent, half, done] = [memory.connect(), memory.connect(), await memory.enter('ada')];
    half.pipe.write(Uint8Array.of(0xfe, 0x43));
    const line = memory.connectLine();
    line.send('no end of li');
    memory.clock.advance(1500);
    expect([silent.gone, half.gone, line.link.closed]).toEqual([false, false, false]);
    memory.clock.advance(1000);
    expect((await silent.closed)!.code).toBe(4002);
    expect((await half.closed)!.code).toBe(4002);
    expect(line.text()).toBe('*** the handshake took too long (handshake-timeout)\n');
    expect(done.gone).toBe(false);
  },
  idleTimeoutMs: async () => {
    const memory = await MemoryChat.open({ idleTimeoutMs: 32_000 });
    const alive = await memory.enter('alive');
    const dead = await memory.enter('dead', { pong: false });
    expect(alive.welcome!.limits.idleTimeoutMs).toBe(32_000);
    for (let s = 0; s < 20; s++) {
      memory.clock.advance(1000);
      await turn();
    }
    expect(dead.frames.filter(({ type }) => type === FrameType.Ping)).toHaveLength(1);
    expect(dead.gone).toBe(false);
    for (let s = 0; s < 300; s++) {
      memory.clock.advance(1000);
      await turn();
    }
    expect(await dead.closed).toMatchObject({ code: 4022 });
    expect(alive.gone).toBe(false);
    expect(alive.frames.filter(({ type }) => type === FrameType.Ping).length).toBeGreaterThan(15);
  },
  resumeWindowMs: async () => {
    const memory = await MemoryChat.open({ resumeWindowMs: 3000 });
    const resume = async (after: number): Promise<boolean> => {
      const name = `m${after}`;
      const first = await memory.enter(name);
      first.pipe.destroy();
      await turn();
      memory.clock.advance(after);
      const { session, secret, epoch } = first.welcome!;
      const second = await memory.enter({ name, resume: { session, secret, epoch, rooms: [], inbox: 0 } });
      expect(second.welcome!.limits.resumeWindowMs).toBe(3000);
      return second.welcome!.resumed;
    };
    expect(await resume(2500)).toBe(true);
    expect(await resume(3500)).toBe(false);
    const none = await MemoryChat.open({ resumeWindowMs: 0 });
    (await none.enter('ada')).pipe.destroy();
    await turn();
    expect(none.chat.sessions.count).toBe(0);
  },
  maxStallMs: async () => {
    const transport = new SharedStream().transport();
    const log = createBlockLog(transport);
    const memory = await MemoryChat.open({ maxStallMs: 5000, log });
    const ada = await memory.enter('ada');
    transport.receiver!.condition({ state: 'stalled', reason: 'it has to be' });
    memory.clock.advance(4500);
    await turn();
    expect(ada.gone).toBe(false);
    memory.clock.advance(1000);
    expect(await ada.closed).toMatchObject({ code: 1001 });
  },
  emptyRoomTtlMs: async () => {
    const memory = await MemoryChat.open({ emptyRoomTtlMs: 10_000 });
    const ada = await memory.enter('ada');
    await ada.join('lobby');
    await ada.ask({ op: 'leave', room: 'lobby' });
    memory.clock.advance(9000);
    expect(memory.chat.rooms.size).toBe(1);
    memory.clock.advance(2000);
    expect(memory.chat.rooms.size).toBe(0);
  },
  coalesceMs: async () => {
    const memory = await MemoryChat.open({ coalesceMs: 50 });
    const ada = memory.connect();
    ada.greet({ name: 'ada' });
    await ada.take(FrameType.Welcome);
    ada.send({ type: FrameType.Ping, nonce: 1 });
    await turn(5);
    expect(ada.frames.at(-1)).toMatchObject({ type: FrameType.Welcome });
    memory.clock.advance(50);
    expect(ada.frames.at(-1)).toMatchObject({ type: FrameType.Pong });
  },
  presenceDelayMembers: async () => {
    const memory = await MemoryChat.open({ presenceDelayMembers: 2, presenceDelayMs: 1000 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    await (await memory.enter('bob')).join('lobby');
    await turn();
    expect(ada.entries(handle)).toHaveLength(2);
    const third = await memory.enter('carol');
    await third.join('lobby');
    await (await memory.enter('dave')).join('lobby');
    await turn();
    // The one who comes has its own notice at once.
    expect(third.entries(handle).at(-1)).toMatchObject({ name: 'carol' });
    memory.clock.advance(1000);
    await turn();
    expect(ada.entries(handle)).toHaveLength(4);
  },
  presenceDelayMs: async () => {
    const memory = await MemoryChat.open({ presenceDelayMembers: 0, presenceDelayMs: 700 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const bob = await memory.enter('bob');
    await bob.join('lobby');
    await turn();
    expect(ada.entries(handle)).toHaveLength(1);
    memory.clock.advance(699);
    await turn();
    expect(ada.entries(handle)).toHaveLength(1);
    memory.clock.advance(1);
    await turn();
    expect(ada.entries(handle)).toHaveLength(2);
    await (await memory.enter('carol')).join('lobby');
    bob.publish(handle, 'rides along');
    await turn();
    expect(ada.entries(handle).map(({ name }) => name)).toEqual(['ada', 'bob', 'carol', 'bob']);
  },
  retentionBytes: () => keepsOnly({ retentionBytes: 65_536 }, 1000, (held) => held.bytes <= 65_536),
  retentionEntries: () => keepsOnly({ retentionEntries: 40 }, 10, (held) => held.entries <= 40),
  retentionMs: async () => {
    const memory = await MemoryChat.open({ retentionMs: 60_000, retentionEntries: 8 });
    const ada = await memory.enter({ name: 'ada' });
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'old');
    memory.clock.advance(55_000);
    await ada.say(handle, 'young');
    // Age is looked at every ten seconds.
    memory.clock.advance(20_000);
    expect((await ada.history('lobby')).entries.map(({ body }) => String.fromCharCode(...body))).toEqual([
      'young',
    ]);
  },
  inboxBytes: async () => {
    const { memory, answers, received, again } = await whisperTo({ inboxBytes: 65_536 }, 200);
    const waiting = answers.filter(({ type }) => type === FrameType.Ack).length;
    expect(waiting).toBe(Math.floor(65_536 / received.bytesOfOne));
    expect(answers.slice(waiting)).toHaveLength(200 - waiting);
    for (const answer of answers.slice(waiting)) {
      expect(answer).toMatchObject({ failure: { code: FailureCode.InboxFull, max: 65_536 } });
    }
    expect(received.entries).toHaveLength(waiting);
    again.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    expect(memory.chat.rooms.logBytes).toBe(0);
  },
  inboxEntries: async () => {
    const { answers, received } = await whisperTo({ inboxEntries: 3 }, 5);
    expect(answers.map(({ type }) => type)).toEqual([
      ...Array.from({ length: 3 }, () => FrameType.Ack),
      ...Array.from({ length: 2 }, () => FrameType.Nack),
    ]);
    expect(answers.at(-1)).toMatchObject({ failure: { code: FailureCode.InboxFull, max: 3 } });
    expect(received.entries).toHaveLength(3);
  },
  inboxMs: async () => {
    const options = { inboxMs: 60_000, resumeWindowMs: 600_000, inboxEntries: 8 };
    const { received } = await whisperTo(options, 2, (memory) => memory.clock.advance(75_000));
    // What has grown too old is told.
    expect(received.entries).toEqual([]);
    expect(received.gap).toMatchObject({ type: FrameType.Gap, from: 0 });
  },
  readPositionMs: async () => {
    const hooks = { authenticate: () => ({ ok: true, name: 'ada' }) as const };
    const memory = await MemoryChat.open({ readPositionMs: 5000, hooks });
    const [ada, other] = [await memory.enter('ada'), await memory.enter('ada')];
    const { handle } = await ada.join('lobby');
    const known = async () => (await other.join('lobby')).read;
    const seqs: number[] = [];
    for (const text of ['one', 'two']) {
      seqs.push(await ada.say(handle, text));
      await ada.ask({ op: 'read', room: 'lobby', seq: seqs.at(-1)! });
    }
    expect(await known()).toBe(seqs[0]);
    memory.clock.advance(4500);
    expect(await known()).toBe(seqs[0]);
    memory.clock.advance(1000);
    expect(await known()).toBe(seqs[1]);
  },
  maxLogBytes: async () => {
    const memory = await MemoryChat.open({ maxLogBytes: 100_000, retentionBytes: 80_000, ...UNLIMITED });
    const ada = await memory.enter('ada');
    const rooms: Joined[] = [];
    for (const name of ['one', 'two', 'three']) rooms.push(await ada.join(name));
    for (let i = 0; i < 300; i++) {
      await ada.say(rooms[i % 3]!.handle, new Uint8Array(1000));
      // The last chunk of a room is never given up, and one that grows anew begins small.
      expect(memory.chat.rooms.logBytes).toBeLessThanOrEqual(100_000 + 3 * 10_000);
    }
    expect(memory.chat.rooms.logBytes).toBeGreaterThan(50_000);
  },
  duplicateNames: async () => {
    const enter = async (duplicateNames: DuplicateNamePolicy, isKnown = true): Promise<unknown> => {
      const hooks = { authenticate: () => ({ ok: true }) as const };
      const memory = await MemoryChat.open({ duplicateNames, ...(isKnown ? { hooks } : {}) });
      const first = await memory.enter('ada');
      const second = memory.connect();
      second.greet({ name: 'ADA' });
      const welcome = await second.take(FrameType.Welcome).catch(() => undefined);
      return [first.gone, welcome?.welcome.member.name];
    };
    expect(await enter('refuse')).toEqual([false, undefined]);
    expect(await enter('suffix')).toEqual([false, 'ADA-2']);
    expect(await enter('takeover')).toEqual([true, 'ADA']);
    expect(await enter('takeover', false)).toEqual([false, undefined]);
  },
  slowConsumer: async () => {
    for (const slowConsumer of ['close', 'skip'] as const) {
      const memory = await MemoryChat.open({ slowConsumer, retentionBytes: 65_536, ...UNLIMITED });
      const [ada, slow] = [await memory.enter('ada'), await memory.enter('slow')];
      const { handle } = await ada.join('lobby');
      const joined = await slow.join('lobby');
      await turn();
      slow.pipe.pause();
      for (let i = 0; i < 200; i++) await ada.say(handle, new Uint8Array(1000));
      slow.pipe.resume();
      await turn(2);
      if (slowConsumer === 'close') {
        expect(await slow.closed).toMatchObject({ code: 4020 });
        expect(memory.chat.counters.readersClosed).toBe(1);
        expect(memory.log.toldClose('slow-consumer')).toBe(true);
      } else {
        await ada.say(handle, 'after');
        await turn();
        expect(slow.texts(handle).at(-1)).toBe('after');
        expect(slow.frames.some(({ type }) => type === FrameType.Gap)).toBe(true);
        expect(memory.chat.counters.readersSkipped).toBeGreaterThan(0);
        const { followChain } = await import('../support/wire-client.js');
        followChain(slow.frames, handle, joined.start);
      }
      expect(ada.entries(handle)).toHaveLength(slowConsumer === 'close' ? 202 : 203);
    }
  },
  hooks: async () => {
    const memory = await MemoryChat.open({ hooks: { authenticate: () => ({ ok: true, name: 'chosen' }) } });
    expect((await memory.enter('wanted')).welcome!.member.name).toBe('chosen');
  },
  logger: async () => {
    const memory = await MemoryChat.open();
    await knock(memory, 'not: a name');
    expect(memory.log.toldClose('name-invalid')).toBe(true);
    expect(() => createChatServer({}).stats()).not.toThrow();
  },
  log: async () => {
    const log = createMemoryLog();
    const memory = await MemoryChat.open({ log });
    expect((await memory.enter('ada')).welcome!.epoch).toBe(log.epoch);
  },
  clock: async () => {
    const memory = await MemoryChat.open({ clock: new ManualClock(1234) });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    ada.publish(handle, 'x');
    expect(await ada.take(FrameType.Ack)).toMatchObject({ at: 1234 });
  },
  addressCounts: async () => {
    const table = new SharedCounts();
    const rates = { maxMessagesPerSecond: 1000, maxMessageBurst: 100, maxMessagesPerSecondPerAddress: 10 };
    const options = { maxConnectionsPerAddress: 2, ...rates };
    const [one, other] = await Promise.all(
      [1, 2].map(() => MemoryChat.open({ ...options, addressCounts: table.part() })),
    );
    const enter = ({ chat }: MemoryChat): boolean => chat.addresses.connections.tryEnter('192.0.2.1');
    expect([one, other, other, one].map((memory) => enter(memory!))).toEqual([true, true, false, false]);
    const accounts = [one, other].map((memory) => memory!.chat.accounts.open('192.0.2.1'));
    for (let i = 0; i < 100; i++) accounts[0]!.charge(1);
    for (let i = 0; i < 100; i++) accounts[1]!.charge(1);
    for (const memory of [one, other]) memory!.clock.advance(20);
    // 200 of 40 are used, at 10 a second.
    for (const account of accounts) expect(account.debtMs()).toBeGreaterThan(15_900);
  },
  random: async () => {
    const values = [0.25, 0.75];
    const server = createChatServer({ random: () => values.shift() ?? 0 });
    const address = await server.listen({ port: 0, host: '127.0.0.1' });
    if (address.kind !== 'tcp') throw new Error(address.kind);
    const clients: WireClient[] = [];
    for (const name of ['ada', 'bob']) {
      const client = new WireClient(tcpPipe({ port: address.port, host: '127.0.0.1' }));
      await client.enter({ name });
      clients.push(client);
    }
    await server.drain({ spreadMs: 1000 });
    const delays = await Promise.all(clients.map(async (client) => (await client.closed)!.retryAfterMs));
    expect(delays).toEqual([250, 750]);
  },
  http: async () => {
    const options: ChatServerOptions = { http: { handler: (_request, response) => response.end('mine') } };
    await using server = createChatServer(options);
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe('mine');
  },
  agent: async () => {
    const memory = await MemoryChat.open({ agent: 'mine/1' });
    expect((await memory.enter('ada')).welcome!.agent).toBe('mine/1');
  },
};

/** Fills a room and looks what is left, in the log and for one who asks. */
/** What becomes of so many direct messages of 1000 bytes to somebody who is away, and then comes back. */
async function whisperTo(
  options: ChatServerOptions,
  count: number,
  meanwhile: (memory: MemoryChat) => void = () => {},
) {
  const memory = await MemoryChat.open({ ...UNLIMITED, ...options });
  const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
  bob.pipe.destroy();
  await turn();
  const ids = Array.from({ length: count }, () => ada.whisper('bob', new Uint8Array(1000)));
  const answers = await Promise.all(ids.map((id) => ada.answerTo(id)));
  meanwhile(memory);
  const again = await memory.enter(bob.resumption());
  await turn();
  const entries = again.entries(bob.welcome!.inbox.handle);
  const bytesOfOne = entries[0] ? encodeFrame(entries[0]).length : 0;
  const gap = again.frames.find(({ type }) => type === FrameType.Gap);
  return { memory, answers, again, received: { entries, bytesOfOne, gap } };
}

async function keepsOnly(
  options: ChatServerOptions,
  bodyBytes: number,
  isKept: (held: { bytes: number; entries: number }) => boolean,
): Promise<void> {
  const memory = await MemoryChat.open({ ...UNLIMITED, ...options });
  const ada = await memory.enter('ada');
  const { handle } = await ada.join('lobby');
  for (let i = 0; i < 300; i++) ada.publish(handle, new Uint8Array(bodyBytes));
  await turn(2);
  const { log } = memory.chat.rooms.find('lobby')!;
  expect(isKept(log)).toBe(true);
  expect(log.entries).toBeGreaterThan(20);
  expect(memory.chat.rooms.logBytes).toBe(log.bytes);
  const page = await ada.history('lobby', { limit: 1000 });
  expect(page.entries).toHaveLength(log.entries);
  expect(page.end).toBe(true);
  // Whoever reads along got everything nevertheless.
  expect(ada.entries(handle)).toHaveLength(301);
}

/** A message of ada, and how she and bob react to it. */
async function reactions(options: ChatServerOptions): Promise<{
  ask(by: 'ada' | 'bob', reaction: string, remove?: boolean): Promise<unknown>;
}> {
  const memory = await MemoryChat.open(options);
  const members = { ada: await memory.enter('ada'), bob: await memory.enter('bob') };
  const { handle } = await members.ada.join('lobby');
  await members.bob.join('lobby');
  const seq = await members.ada.say(handle, 'tea?');
  return {
    ask: (by, reaction, remove = false) =>
      members[by].request({ op: 'react', room: 'lobby', seq, reaction, remove }),
  };
}

describe('the option', () => {
  it.each(Object.entries(TESTS))('%s does what it says', async (_name, test) => {
    await test();
  });

  it('has a test here whatever its name is', () => {
    expect(Object.keys(TESTS).sort()).toEqual(Object.keys(resolveOptions({})).sort());
  });
});

describe('resolveOptions', () => {
  const numbers = Object.entries(resolveOptions({})).flatMap(([name, value]) =>
    typeof value === 'number' ? name : [],
  );

  it.each(numbers)('refuses a %s that is no sensible number', (name) => {
    for (const value of [Number.NaN, -1, 1.5, '5', null, Number.NEGATIVE_INFINITY]) {
      expect(() => resolveOptions({ [name]: value }), `${name} ${value}`).toThrow(
        expect.objectContaining({ code: ServerErrorCode.BadOption, message: expect.stringContaining(name) }),
      );
    }
  });

  it('lets limits be lifted, but none that bounds a buffer or a timer', () => {
    const liftable = numbers.filter((name) => {
      try {
        resolveOptions({ [name]: INFINITE });
        return true;
      } catch {
        return false;
      }
    });
    expect(liftable).toEqual([
      'lineIdleMs',
      'maxSessions',
      'maxConnectionsPerAddress',
      'maxConnectionsPerSecondPerAddress',
      'maxSessionsPerAddress',
      'maxRoomsPerAddress',
      'maxRooms',
      'maxRoomsPerSession',
      'maxMembersPerRoom',
      'maxMessagesPerSecond',
      'maxMessageBurst',
      'maxInputBytesPerSecond',
      'maxMessagesPerSecondPerAddress',
      'maxInputBytesPerSecondPerAddress',
      'maxRateViolations',
      'editWindowMs',
      'maxMemoryBytes',
      'maxLogBytes',
      'retentionMs',
      'inboxMs',
      'lineSilenceMs',
      'maxStallMs',
    ]);
    expect(() => resolveOptions(UNLIMITED)).not.toThrow();
  });

  it('gives an address, and bytes, what follows from the rate of messages', () => {
    const rates = (options: ChatServerOptions): number[] => {
      const resolved = resolveOptions(options);
      return [
        resolved.maxInputBytesPerSecond,
        resolved.maxMessagesPerSecondPerAddress,
        resolved.maxInputBytesPerSecondPerAddress,
      ];
    };
    expect(rates({})).toEqual([8_388_608, 2000, 33_554_432]);
    expect(rates({ maxMessagesPerSecond: 1 })).toEqual([8_388_608, 2000, 33_554_432]);
    expect(rates({ maxMessagesPerSecond: 1000 })).toEqual([81_920_000, 20_000, 327_680_000]);
    expect(rates({ maxMessagesPerSecond: INFINITE })).toEqual([INFINITE, INFINITE, INFINITE]);
    expect(rates({ maxInputBytesPerSecond: 5 })).toEqual([5, 2000, 33_554_432]);
  });

  it('makes room for larger frames where nothing else is said', () => {
    const options = resolveOptions({ maxFrameBytes: 2_097_152 });
    expect(options.retentionBytes).toBe(16_777_216);
    expect(options.inboxBytes).toBe(8_388_608);
    expect(resolveOptions({}).retentionBytes).toBe(4_194_304);
    expect(resolveOptions({}).inboxBytes).toBe(262_144);
  });

  it('takes undefined for the default', () => {
    expect(resolveOptions({ maxSessions: undefined } as unknown as ChatServerOptions).maxSessions).toBe(
      10_000,
    );
  });

  it('refuses limits that do not fit together', () => {
    const refused: [ChatServerOptions, string][] = [
      [{ maxFrameBytes: 4095 }, 'maxFrameBytes'],
      [{ maxFrameBytes: 4096 }, 'maxLineBytes'],
      [{ maxFrameBytes: 4096, maxLineBytes: maxMessageBytes({ maxFrameBytes: 4096 }) + 1 }, 'maxLineBytes'],
      [{ retentionBytes: 65_535 }, 'retentionBytes'],
      [{ inboxBytes: 65_535 }, 'inboxBytes'],
      [{ slowConsumer: 'drop' as 'close' }, 'slowConsumer'],
      [{ duplicateNames: 'rename' as 'refuse' }, 'duplicateNames'],
    ];
    for (const [options, name] of refused) {
      expect(() => resolveOptions(options), name).toThrow(
        expect.objectContaining({ code: ServerErrorCode.BadOption, message: expect.stringContaining(name) }),
      );
    }
    expect(() =>
      resolveOptions({ maxFrameBytes: 4096, maxLineBytes: maxMessageBytes({ maxFrameBytes: 4096 }) }),
    ).not.toThrow();
  });
});
