/** What an operator reads about strangers: that it happens, why and from where, and not once for each of them. */
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { RefusalLog } from '../../src/limits/refusal-log.js';
import { createChatServer } from '../../src/server/chat-server.js';
import { TimerWheel } from '../../src/time/timer-wheel.js';
import { LogLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { MemoryChat } from '../support/memory-chat.js';
import { exchangeHttp, rawConnection, upgradeLines } from '../support/raw-connection.js';
import { turn } from '../support/turn.js';

function open() {
  const [clock, lines] = [new ManualClock(), new LogLines()];
  const log = new RefusalLog(lines, new TimerWheel(clock, 250));
  const told = (): unknown[] =>
    lines.at('warn').map(({ fields, message }) => [fields.address, fields.suppressed, message]);
  return { clock, lines, log, told };
}

describe('RefusalLog', () => {
  it('tells the first at once, the others as a count, and is silent when it is over', () => {
    const { clock, log, told } = open();
    for (let i = 0; i < 5; i++) log.refused('bans', '192.0.2.1', 'banned');
    expect(told()).toEqual([['192.0.2.1', undefined, 'banned']]);
    clock.advance(61_000);
    expect(told().slice(1)).toEqual([['192.0.2.1', 4, 'banned; 4 more within 60 s']]);
    log.refused('bans', '192.0.2.1', 'banned');
    clock.advance(60_000);
    expect(told().slice(2)).toEqual([['192.0.2.1', 1, 'banned; 1 more within 60 s']]);
    clock.advance(600_000);
    expect(told()).toHaveLength(3);
    log.refused('bans', '192.0.2.1', 'banned');
    expect(told()).toHaveLength(4);
  });

  it('tells options and addresses apart, an IPv6 network as one, up to so many', () => {
    const { lines, log, told } = open();
    log.refused('bans', '192.0.2.1', 'banned');
    log.refused('bans', '2001:db8::1', 'banned');
    log.refused('bans', '2001:db8::2', 'banned');
    log.refused('bans', '', 'banned');
    log.refused('maxSessions', '192.0.2.1', 'full');
    expect(told()).toHaveLength(4);
    for (let i = 0; i < 100_000; i++)
      log.refused('bans', `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 'banned');
    expect(lines.at('warn').length).toBeLessThan(260);
  });

  it('bounds failures by the place that throws, whatever they say', () => {
    const { clock, lines, log } = open();
    const fail = (text: string): Error => new Error(text);
    for (let i = 0; i < 10; i++) log.failed(fail(`no such user ${i}`), 'a hook failed', { member: i });
    log.failed(new Error('elsewhere'), 'a hook failed');
    log.failed('no error', 'a hook failed');
    expect(lines.at('error')).toHaveLength(3);
    clock.advance(61_000);
    expect(lines.at('error').map(({ fields }) => fields.suppressed)).toEqual([
      undefined,
      undefined,
      undefined,
      9,
    ]);
  });
});

describe('an operator reads about', () => {
  it('a hook that fails for strangers, once and with its stack', async () => {
    const authenticate = (): never => {
      throw new Error('odd credentials');
    };
    const memory = await MemoryChat.open({ hooks: { authenticate } });
    for (let i = 0; i < 20; i++) memory.connectLine().send('eve\n');
    await turn(3);
    expect(memory.log.at('error')).toHaveLength(1);
    expect(memory.log.at('error')[0]!.fields).toMatchObject({ address: '192.0.2.1', err: expect.any(Error) });
  });

  it('a server that is full, a ban, and a session that floods', async () => {
    const memory = await MemoryChat.open({
      maxSessions: 1,
      maxMessagesPerSecond: 1,
      maxMessageBurst: 1,
      maxRateViolations: 1,
    });
    const ada = await memory.enter('ada');
    for (let i = 0; i < 3; i++) memory.connectLine().send('bob\n');
    await turn(2);
    const signal = {
      type: FrameType.Signal,
      room: 1,
      sender: 0,
      name: '',
      codec: 0,
      body: new Uint8Array(0),
    } as const;
    ada.send(...Array.from({ length: 9 }, () => signal));
    await ada.closed;
    memory.chat.operator.banAddress('192.0.2.1', 60_000, '');
    memory.connectLine().send('eve\n');
    await turn(2);
    expect(memory.log.at('warn').map(({ fields }) => [fields.option, fields.address])).toEqual([
      ['maxSessions', '192.0.2.1'],
      ['maxMessagesPerSecond', '192.0.2.1'],
      ['bans', '192.0.2.1'],
    ]);
  });

  it('a limit that keeps members out of rooms, or keeps no session for its return', async () => {
    const limits = { maxRooms: 2, maxRoomsPerSession: 2, maxMembersPerRoom: 1, maxConnectionsPerAddress: 1 };
    const memory = await MemoryChat.open(limits);
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    for (const room of ['one', 'two', 'three']) await ada.request({ op: 'join', room });
    for (const room of ['one', 'three', 'one']) await bob.request({ op: 'join', room });
    for (const client of [ada, bob]) {
      client.pipe.destroy();
      await turn();
    }
    expect(memory.log.at('warn').map(({ fields }) => fields.option)).toEqual([
      'maxRoomsPerSession',
      'maxMembersPerRoom',
      'maxRooms',
      'maxConnectionsPerAddress',
    ]);
  });

  it.each([
    ['maxConnectionsPerAddress', { maxConnectionsPerAddress: 2 }],
    [
      'maxConnectionsPerSecondPerAddress',
      { maxConnectionsPerSecondPerAddress: 1, maxConnectionsPerAddress: 1 },
    ],
  ] as const)('%s, in one line, with what many people behind one address need', async (option, limits) => {
    const logger = new LogLines();
    const clock = new ManualClock();
    await using server = createChatServer({ logger, clock, ...limits });
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    for (let i = 0; i < 6; i++) {
      const connection = rawConnection({ port, host: '127.0.0.1' });
      connection.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      await connection.until((text) => text !== '');
      if (option === 'maxConnectionsPerSecondPerAddress') connection.socket.destroy();
    }
    const lines = logger.at('warn').filter(({ fields }) => fields.option === option);
    expect(lines).toHaveLength(1);
    expect(lines[0]!.fields.address).toBe('127.0.0.1');
    expect(lines[0]!.message).toContain('exemptAddresses');
  });

  it('pages that are refused for their origin or host, with both and the remedy', async () => {
    const logger = new LogLines();
    await using server = createChatServer({ logger });
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const foreign = { Host: `127.0.0.1:${port}`, Origin: 'https://chat.example' };
    const rebound = { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` };
    for (const headers of [foreign, foreign, rebound, rebound]) {
      expect(await exchangeHttp(port, upgradeLines(headers))).toMatch(/^HTTP\/1\.1 403 [\s\S]*\r\n\r\n\w+/);
    }
    const page = await exchangeHttp(port, [
      'GET / HTTP/1.1',
      `Host: evil.example:${port}`,
      'Accept: text/html',
    ]);
    expect(page).toMatch(/^HTTP\/1\.1 421 [\s\S]*--allowed-host evil\.example/);
    expect(logger.at('warn').map(({ fields }) => fields)).toEqual([
      { option: 'allowedOrigins', address: '127.0.0.1', host: foreign.Host, origin: foreign.Origin },
      { option: 'allowedHosts', address: '127.0.0.1', host: rebound.Host, origin: rebound.Origin },
    ]);
    const [first] = logger.at('warn');
    expect(first!.message).toContain(foreign.Host);
    expect(first!.message).toContain('allow the origin https://chat.example');
  });
});
