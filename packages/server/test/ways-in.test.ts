/** Nobody comes in who should not, whatever way it takes: another protocol, no TLS, a ban, a kick, other credentials. */

import { connect as connectTls } from 'node:tls';
import { CloseCode } from '@chat/protocol';
import { FrameType, type Hello } from '@chat/protocol/frames';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { hashSecret } from '../src/log/claims.js';
import type { AuthenticateResult } from '../src/options/hooks.js';
import { type ChatServer, createChatServer } from '../src/server/chat-server.js';
import { openssl, testCertificate } from './support/carriers.js';
import { LogLines } from './support/log-lines.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { exchangeHttp, rawConnection, upgradeLines } from './support/raw-connection.js';
import { tcpPipe, webSocketPipe } from './support/socket-pipe.js';
import { turn, until } from './support/turn.js';
import { helloBytes, WireClient } from './support/wire-client.js';

/** The hello of the client of `client`, which comes back. */
function comeBack({ welcome }: MemoryClient, more: Partial<Hello> = {}): Hello {
  const { session, secret, epoch, member } = welcome!;
  const resume = { session, secret, epoch, rooms: [], inbox: 0 };
  return { name: member.name, maxFrameBytes: 65_536, resume, ...more };
}

/** Says hello over a connection of its own; answers the close code, or the name and whether it was resumed. */
async function knock(
  memory: MemoryChat,
  hello: Partial<Hello> & { readonly name: string },
  address?: string,
): Promise<number | string> {
  const client = memory.connect(address === undefined ? {} : { address });
  client.greet(hello);
  const welcome = client.take(FrameType.Welcome).then(
    (frame) => `${frame.welcome.member.name}${frame.welcome.resumed ? ' resumed' : ''}`,
    () => undefined,
  );
  return (await welcome) ?? (await client.closed)!.code;
}

describe('a server without a host', () => {
  it('listens to IPv4 and to IPv6, and counts IPv4 as such', async () => {
    await using server = createChatServer();
    const { port, host } = await server.listen({ port: 0 });
    const hosts = host === '::' ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
    for (const [i, from] of hosts.entries()) {
      rawConnection({ port, host: from }).write(`ada ${i}\n`);
      await until(() => server.sessions().length === i + 1);
    }
    expect(server.sessions().map(({ address }) => address)).toEqual(hosts);
  });
});

describe('sessions that are away', () => {
  it('leave places to newcomers, also those of a Unix socket or an exempt address', async () => {
    const memory = await MemoryChat.open({
      maxSessions: 10,
      maxConnectionsPerAddress: 1,
      exemptAddresses: ['10.0.0.0/8'],
    });
    for (let i = 0; i < 20; i++) {
      const client = await memory.enter(`n${i}`, { address: i % 2 ? '' : '10.0.0.1' });
      client.pipe.destroy();
      await turn();
    }
    expect(memory.chat.sessions.count).toBe(5);
  });
});

describe('what speaks another protocol', () => {
  it.each([
    'PURGE / HTTP/1.1\r\nHost: a\r\nCookie: session=secret\r\n\r\n',
    'get / HTTP/1.1\r\nHost: a\r\n\r\n',
    'Get /index.html HTTP/1.0\r\n\r\n',
    'get /\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n\r\n',
    'REGISTER sip:a SIP/2.0\r\n\r\n',
    'DESCRIBE rtsp://a/b RTSP/1.0\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    'SSH-2.0-OpenSSH_9.6\r\n',
    'EHLO scanner.example\r\nMAIL FROM:<a@b>\r\n',
    'helo scanner.example\r\n',
    'NICK ada\r\nUSER ada 0 * :Ada\r\n',
    'CAP LS 302\r\nNICK ada\r\n',
    'USER anonymous\r\nPASS x\r\n',
    'a001 CAPABILITY\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nada\n',
    '*1\r\n$4\r\nPING\r\n',
    '<?xml version="1.0"?>\r\n',
    '{"id": 1, "method": "login"}\r\n',
    'RFB 003.008\n',
    Uint8Array.of(0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x0a, 0x61, 0x0a, 0x62),
    Uint8Array.of(0x03, 0x00, 0x00, 0x13, 0x0e, 0xe0, 0x0a, 0x61, 0x0a),
    Uint8Array.of(0x00, 0x00, 0x00, 0x85, 0xff, 0x53, 0x4d, 0x42, 0x0a, 0x61, 0x0a),
  ])('is turned away, and nobody hears of it (%j)', async (bytes) => {
    await using server = createChatServer();
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const told: string[] = [];
    server.on('session-opened', ({ name }) => told.push(name));
    const stray = rawConnection({ port, host: '127.0.0.1' });
    stray.write(bytes);
    await stray.closed;
    expect(told).toEqual([]);
    expect(server.stats().messagesIn).toBe(0);
  });

  it('is told so in its own protocol, where that is HTTP or TLS, and in a line else', async () => {
    await using server = createChatServer();
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const answer = (bytes: string | Uint8Array): Promise<string> => {
      const stray = rawConnection({ port, host: '127.0.0.1' });
      stray.write(bytes);
      return stray.closed;
    };
    expect(await answer('PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1\.1 501 /);
    expect(await answer('SSH-2.0-x\r\n')).toBe(
      '*** this is a chat server and speaks no SSH (protocol-error)\n',
    );
    expect(await answer(Uint8Array.of(0x16, 3, 1))).toBe('\x15\x03\x01\x00\x02\x02\x28');
  });

  it.each([
    'get',
    'GET',
    'ehlo',
    'EHLO',
    'HELP',
    'nick',
    'ssh',
    'http',
    'user',
    'Nick Cave',
    'user one',
    'get well soon',
  ])('is not a person who is called %s', async (name) => {
    const memory = await MemoryChat.open();
    memory.connectLine().send(`${name}\r\n`);
    await turn(2);
    expect([...memory.chat.sessions].map((session) => session.name)).toEqual([name]);
  });
});

describe.skipIf(!openssl)('a listener that requires TLS', () => {
  let server: ChatServer;
  let port: number;
  let logger: LogLines;

  beforeAll(async () => {
    logger = new LogLines();
    server = createChatServer({ logger, http: { handler: (_request, response) => response.end('page') } });
    const tls = { ...testCertificate(), required: true };
    ({ port } = await server.listen({ port: 0, host: '127.0.0.1', tls }));
  });

  afterAll(() => server.close());

  const refused = (bytes: string | Uint8Array, end = false): Promise<string> => {
    const connection = rawConnection({ port, host: '127.0.0.1' });
    connection.write(bytes);
    if (end) connection.socket.end();
    return connection.closed;
  };

  it('tells lines so', async () => {
    const line = '*** this server takes TLS only (forbidden)\n';
    expect(await refused('ada\nhello\n')).toBe(line);
    expect(await refused('GE', true)).toBe(line);
  });

  it('tells frames so, with a code', async () => {
    const client = new WireClient(tcpPipe({ port, host: '127.0.0.1' }));
    client.greet({ name: 'ada' });
    expect(await client.closed).toMatchObject({
      code: CloseCode.Forbidden,
      reason: 'this server takes TLS only',
    });
  });

  it('tells HTTP so, sends browsers to the secure page, and opens no WebSocket', async () => {
    const host = `Host: chat.example:${port}`;
    expect(await exchangeHttp(port, ['GET /healthz HTTP/1.1', host])).toMatch(
      /^HTTP\/1\.1 426 [\s\S]*Upgrade: TLS\/1\.2[\s\S]*Connection: Upgrade, close/,
    );
    expect(await exchangeHttp(port, ['GET / HTTP/1.0'])).toMatch(/^HTTP\/1\.1 426 /);
    expect(await exchangeHttp(port, ['POST / HTTP/1.1', host, 'Content-Length: 0'])).toMatch(
      /^HTTP\/1\.1 426 /,
    );
    expect(await exchangeHttp(port, ['GET /a?b HTTP/1.1', host, 'Accept: text/html'])).toMatch(
      new RegExp(`^HTTP/1\\.1 308 [\\s\\S]*Location: https://chat\\.example:${port}/a\\?b\r\n`),
    );
    expect(await exchangeHttp(port, upgradeLines({ Host: `127.0.0.1:${port}` }))).toMatch(/^HTTP\/1\.1 426 /);
  });

  it('closes the connection of HTTP, whatever follows on it', async () => {
    for (const accept of ['text/html', '*/*']) {
      const request = `GET / HTTP/1.1\r\nHost: a\r\nAccept: ${accept}\r\n\r\n`;
      expect((await refused(request + request)).match(/HTTP\/1\.1 \d+/g)).toHaveLength(1);
    }
  });

  it('lets TLS in, and tells browsers to use nothing else', async () => {
    const ask = (host: string): Promise<string> => {
      const secure = rawConnection(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }));
      secure.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      return secure.closed;
    };
    expect(await ask('chat.example')).toMatch(
      /^HTTP\/1\.1 200 [\s\S]*Strict-Transport-Security: max-age=31536000/,
    );
    // It would hold for everything else on the machine of a developer.
    expect(await ask('localhost')).not.toContain('Strict-Transport-Security');
  });

  it('tells the operator once, whatever knocks', async () => {
    await refused('ada\n');
    const lines = logger.at('warn').filter(({ fields }) => fields.option === 'tls.required');
    expect(lines.map(({ fields }) => fields.address)).toEqual(['127.0.0.1']);
  });

  it('is every listener that asks for certificates of clients', async () => {
    const tls = { ...testCertificate(), clientCa: testCertificate().cert };
    await expect(
      server.listen({ port: 0, host: '127.0.0.1', tls: { ...tls, required: false } }),
    ).rejects.toMatchObject({
      code: 'ERR_SERVER_BAD_OPTION',
      message: expect.stringContaining('tls.required'),
    });
    const asking = await server.listen({ port: 0, host: '127.0.0.1', tls });
    const stranger = rawConnection({ port: asking.port, host: '127.0.0.1' });
    stranger.write('eve\nhello\n');
    expect(await stranger.closed).toBe('*** this server takes TLS only (forbidden)\n');
    const anonymous = rawConnection(
      connectTls({ port: asking.port, host: '127.0.0.1', rejectUnauthorized: false }),
    );
    anonymous.write('eve\n');
    await anonymous.closed;
    await until(() => logger.at('warn').some(({ fields }) => fields.option === 'tls.clientCa'));
  });
});

describe('a ban of an address', () => {
  const BANNED = '192.0.2.66';

  it('holds for whatever comes from there, also when it comes back to a session', async () => {
    const memory = await MemoryChat.open({ maxSessions: 2 });
    const ada = await memory.enter('ada');
    ada.pipe.destroy();
    await turn();
    memory.chat.operator.banAddress(BANNED, 60_000, 'spam');
    expect(await knock(memory, { name: 'eve' }, BANNED)).toBe(CloseCode.Banned);
    expect(await knock(memory, comeBack(ada), BANNED)).toBe(CloseCode.Banned);
    await memory.enter('bob');
    // A server that is full would send it away for a moment only.
    expect(await knock(memory, { name: 'eve' }, BANNED)).toBe(CloseCode.Banned);
    expect(await knock(memory, comeBack(ada))).toBe('ada resumed');
  });

  it.each([false, true])('holds while a hook thinks (resumes: %s)', async (resumes) => {
    let decide = (_result: AuthenticateResult): void => {};
    let isSlow = false;
    const authenticate = (): AuthenticateResult | Promise<AuthenticateResult> =>
      isSlow ? new Promise((resolve) => (decide = resolve)) : { ok: true };
    const memory = await MemoryChat.open({ hooks: { authenticate } });
    const ada = await memory.enter('ada');
    memory.chat.sessions.find('ada')!.reauthenticate('new credentials');
    await ada.closed;
    isSlow = true;
    const answer = knock(memory, resumes ? comeBack(ada) : { name: 'eve' }, BANNED);
    await turn();
    memory.chat.operator.banAddress(BANNED, 60_000, 'spam');
    decide({ ok: true });
    expect(await answer).toBe(CloseCode.Banned);
  });

  it('holds in every dialect, and for an IPv4 address in the form of IPv6', async () => {
    await using server = createChatServer({
      http: { handler: (_request, response) => response.end('page') },
    });
    const { port } = await server.listen({ port: 0, host: '::' });
    server.banAddress('::ffff:7f00:1', 90_000);
    const line = rawConnection({ port, host: '127.0.0.1' });
    line.write('eve\nhello\n');
    expect(await line.closed).toBe('*** banned (banned)\n');
    const frames = new WireClient(tcpPipe({ port, host: '127.0.0.1' }));
    frames.greet({ name: 'eve' });
    expect(await frames.closed).toMatchObject({ code: CloseCode.Banned });
    const page = new WireClient(webSocketPipe(`ws://127.0.0.1:${port}/ws`));
    page.greet({ name: 'eve' }, false);
    expect(await page.closed).toMatchObject({ code: CloseCode.Banned });
    expect(await exchangeHttp(port, ['GET / HTTP/1.1', 'Host: x'])).toMatch(
      /^HTTP\/1\.1 403 [\s\S]*Retry-After: 90\r\n/,
    );
    expect(await exchangeHttp(port, ['GET /healthz HTTP/1.1', 'Host: x'])).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a ban of a name', () => {
  it('holds for a rename, for a name that a hook gives, and for one that is made up here', async () => {
    const hooks = {
      authenticate: (name: unknown) => ({ ok: true, ...(name ? { name: String(name) } : {}) }) as const,
    };
    const memory = await MemoryChat.open({ duplicateNames: 'suffix', hooks });
    for (const name of ['eve', 'ada-2']) memory.chat.operator.ban(name, 60_000, '');
    const ada = await memory.enter('ada');
    expect(await ada.request({ op: 'rename', name: 'EVE' })).toMatchObject({
      failure: { code: 'forbidden' },
    });
    expect(await knock(memory, { name: 'x', credentials: 'Eve' })).toBe(CloseCode.Banned);
    expect(await knock(memory, { name: 'ada' })).toBe('ada-3');
  });

  it('holds for the client that had it, which comes back under the name of its program from elsewhere', async () => {
    const memory = await MemoryChat.open();
    const eve = await memory.enter({ name: 'eve', clientSecret: 'the secret of eve alone' });
    await eve.ask({ op: 'rename', name: 'mallory' });
    eve.pipe.destroy();
    await turn();
    memory.chat.operator.ban('mallory', 60_000, 'spam');
    expect(await knock(memory, comeBack(eve, { name: 'eve' }), '198.51.100.1')).toBe(CloseCode.Banned);
    expect(memory.chat.operator.unban('MALLORY')).toBe(true);
    expect(await knock(memory, comeBack(eve, { name: 'eve' }), '198.51.100.1')).toBe('eve');
  });
});

describe('a kick', () => {
  const SECRET = 'the secret of eve alone';

  it('holds for a member that was away, until its client would no longer try', async () => {
    const memory = await MemoryChat.open({ resumeWindowMs: 30_000 });
    const eve = await memory.enter({ name: 'eve', clientSecret: SECRET });
    await eve.join('lobby');
    eve.pipe.destroy();
    await turn();
    expect(memory.chat.operator.kick('eve', 'rude')).toBe(true);
    const again = memory.connect();
    again.greet(comeBack(eve));
    expect(await again.closed).toMatchObject({ code: CloseCode.Kicked, reason: 'rude' });
    // The welcome may never have reached it: then it has the secret of its own alone.
    expect(await knock(memory, { name: 'eve', clientSecret: SECRET })).toBe(CloseCode.Kicked);
    expect(await knock(memory, { name: 'eve' })).toBe('eve');
    memory.clock.advance(31_000);
    expect(await knock(memory, { name: 'eve2', clientSecret: SECRET })).toBe('eve2');
    memory.clock.advance(10_000);
    expect(memory.chat.kicked.size).toBe(0);
  });

  it('holds when the notice of it did not arrive', async () => {
    const memory = await MemoryChat.open();
    const eve = await memory.enter('eve');
    eve.pipe.pause();
    memory.chat.operator.kick('eve', 'rude');
    expect(await knock(memory, comeBack(eve))).toBe(CloseCode.Kicked);
    const { resume } = comeBack(eve);
    // Somebody who has not the secret learns nothing.
    expect(await knock(memory, { name: 'eve', resume: { ...resume!, secret: 'x' } })).toBe('eve');
  });

  it('holds while a hook thinks about the one who comes back', async () => {
    let decide = (_result: AuthenticateResult): void => {};
    let isSlow = false;
    const authenticate = (): AuthenticateResult | Promise<AuthenticateResult> =>
      isSlow ? new Promise((resolve) => (decide = resolve)) : { ok: true };
    const memory = await MemoryChat.open({ hooks: { authenticate } });
    const eve = await memory.enter('eve');
    memory.chat.sessions.find('eve')!.reauthenticate('new credentials');
    await eve.closed;
    isSlow = true;
    const answer = knock(memory, comeBack(eve));
    await turn();
    memory.chat.operator.kick('eve', 'rude');
    decide({ ok: true });
    expect(await answer).toBe(CloseCode.Kicked);
  });

  it('is remembered for so many and no more', async () => {
    const memory = await MemoryChat.open();
    const now = memory.clock.monotonic();
    const proof = (i: number) => ({ id: `s${i}`, secretHash: 'k', clientHash: hashSecret(`secret ${i}`) });
    for (let i = 0; i < 10_500; i++) {
      memory.chat.kicked.add(proof(i), { code: CloseCode.Kicked, reason: '' }, now + 30_000, now);
    }
    expect(memory.chat.kicked.size).toBe(10_000);
    expect(memory.chat.kicked.find(undefined, 'secret 0', now)).toBeUndefined();
    expect(memory.chat.kicked.find(undefined, 'secret 10499', now)).toBeDefined();
    // It is looked at every 10 s.
    memory.clock.advance(40_000);
    expect(memory.chat.kicked.size).toBe(0);
  });

  it('from a room is seen by a member that was away: the room is not among those it comes back to', async () => {
    const memory = await MemoryChat.open();
    const eve = await memory.enter('eve');
    await eve.join('lobby');
    await eve.join('private');
    eve.pipe.destroy();
    await turn();
    memory.chat.sessions.find('eve')!.evict('private');
    const again = await memory.enter(comeBack(eve));
    expect(again.welcome!.resumed).toBe(true);
    expect(again.welcome!.rooms.map(({ room }) => room)).toEqual(['lobby']);
  });
});

describe('credentials', () => {
  const ACCOUNTS: Record<string, AuthenticateResult> = {
    ada: { ok: true, name: 'ada', claims: 'ada' },
    mallory: { ok: true, name: 'mallory', claims: 'mallory' },
    'no name': { ok: true, claims: 'nobody' },
  };
  const authenticate = (token: unknown): AuthenticateResult => ACCOUNTS[String(token)] ?? { ok: false };

  it.each(['mallory', 'no name'])('of another account (%s) do not go on with a session', async (token) => {
    const memory = await MemoryChat.open({ hooks: { authenticate } });
    const ada = await memory.enter({ name: 'x', credentials: 'ada' });
    memory.chat.sessions.find('ada')!.reauthenticate('renew');
    await ada.closed;
    expect(await knock(memory, comeBack(ada, { name: 'eve', credentials: token }))).toBe(
      token === 'mallory' ? 'mallory' : 'eve',
    );
    expect(memory.chat.sessions.find('ada')!.info.claims).toBe('ada');
    expect(await knock(memory, comeBack(ada, { credentials: 'ada' }))).toBe('ada resumed');
  });

  it('of another account need a place of their own', async () => {
    const memory = await MemoryChat.open({ maxSessions: 1, hooks: { authenticate } });
    const ada = await memory.enter({ name: 'x', credentials: 'ada' });
    memory.chat.sessions.find('ada')!.reauthenticate('renew');
    await ada.closed;
    expect(await knock(memory, comeBack(ada, { credentials: 'mallory' }))).toBe(CloseCode.Overloaded);
    expect(await knock(memory, comeBack(ada, { credentials: 'ada' }))).toBe('ada resumed');
  });

  it('give a name that its bearer keeps, unless the program allows another', async () => {
    for (const isAllowed of [undefined, false, true]) {
      const authorize = (): boolean => isAllowed === true;
      const hooks = { authenticate, ...(isAllowed === undefined ? {} : { authorize }) };
      const memory = await MemoryChat.open({ hooks });
      const ada = await memory.enter({ name: 'x', credentials: 'ada' });
      const answer = await ada.request({ op: 'rename', name: 'bob' });
      expect(answer.type === FrameType.Response).toBe(isAllowed === true);
      if (!isAllowed) continue;
      // Its credentials are those of the session still.
      memory.chat.sessions.find('bob')!.reauthenticate('renew');
      await ada.closed;
      expect(await knock(memory, comeBack(ada, { credentials: 'ada' }))).toBe('bob resumed');
    }
  });

  it('that give no name leave it to their bearer', async () => {
    const memory = await MemoryChat.open({ hooks: { authenticate } });
    const eve = await memory.enter({ name: 'eve', credentials: 'no name' });
    expect(await eve.ask({ op: 'rename', name: 'eva' })).toEqual({ name: 'eva' });
  });
});

describe('a page behind a proxy that names its host', () => {
  it.each([
    ['trusted', ['127.0.0.1'], '101'],
    ['not trusted', [], '403'],
  ])('is believed where the proxy is %s', async (_what, trustedProxies, status) => {
    await using server = createChatServer({ trustedProxies });
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const headers = {
      Host: `127.0.0.1:${port}`,
      Origin: 'https://chat.example',
      'X-Forwarded-Host': 'chat.example, x',
    };
    expect((await exchangeHttp(port, upgradeLines(headers))).slice(9, 12)).toBe(status);
  });
});

describe('a signal', () => {
  it('is a way to write: who may not, is not heard', async () => {
    const asked: string[] = [];
    let isSlow = false;
    let decide = (_isAllowed: boolean): void => {};
    const memory = await MemoryChat.open({
      hooks: {
        authorize: (session, action, target) => {
          asked.push(`${session.name} ${action} ${target}`);
          if (isSlow) return new Promise((resolve) => (decide = resolve));
          return action !== 'write' || session.name !== 'mallory';
        },
        onMessage: () => ({ reject: 'moderated' }),
      },
    });
    const [ada, mallory] = [await memory.enter('ada'), await memory.enter('mallory')];
    const { handle } = await ada.join('board');
    await mallory.join('board');
    const send = async (from: MemoryClient): Promise<void> => {
      from.send({
        type: FrameType.Signal,
        room: handle,
        sender: 0,
        name: '',
        codec: 1,
        body: Uint8Array.of(1),
      });
      await turn(2);
    };
    const heard = (by: MemoryClient): number =>
      by.frames.filter(({ type }) => type === FrameType.Signal).length;
    await send(mallory);
    expect(heard(ada)).toBe(0);
    expect(asked.at(-1)).toBe('mallory write board');
    await send(ada);
    expect(heard(mallory)).toBe(1);
    isSlow = true;
    await send(ada);
    memory.chat.sessions.find('ada')!.evict('board');
    decide(true);
    await turn(2);
    expect(heard(mallory)).toBe(1);
  });

  it('is not sent when the hook fails, and its sender stays', async () => {
    const memory = await MemoryChat.open({
      hooks: {
        authorize: (_session, action) => {
          if (action === 'write') throw new Error('the database is gone');
          return true;
        },
      },
    });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('board');
    await bob.join('board');
    ada.send({ type: FrameType.Signal, room: handle, sender: 0, name: '', codec: 1, body: Uint8Array.of(1) });
    await turn(2);
    expect(bob.frames.some(({ type }) => type === FrameType.Signal)).toBe(false);
    expect(ada.gone).toBe(false);
    expect(memory.log.at('error').map(({ message }) => message)).toEqual(['a hook failed']);
  });
});

describe('a WebSocket that is closed by its page', () => {
  it.each([
    ['left', 1001, 'eve'],
    ['closed', 1000, 'eve'],
    ['closed for a reason of its own', 4999, CloseCode.NameTaken],
    ['closed without a code', undefined, CloseCode.NameTaken],
    ['torn', 0, CloseCode.NameTaken],
  ])('when it is %s: what becomes of its name', async (_what, code, expected) => {
    await using server = createChatServer();
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const pipe = webSocketPipe(`ws://127.0.0.1:${port}/ws`);
    await new WireClient(pipe).enter({ name: 'eve' }, false);
    await until(() => server.sessions()[0]?.isConnected === true);
    const { websocket }: { websocket: WebSocket } = pipe;
    if (code === 0) websocket.terminate();
    else websocket.close(code);
    await until(() => server.stats().openConnections === 0);
    const next = new WireClient(tcpPipe({ port, host: '127.0.0.1' }));
    next.pipe.write(helloBytes({ name: 'eve' }));
    const name = next.take(FrameType.Welcome).then(
      ({ welcome }) => welcome.member.name,
      () => undefined,
    );
    expect((await name) ?? (await next.closed)?.code).toBe(expected);
  });

  it('keeps its session when it was the server that went away', async () => {
    await using server = createChatServer();
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const client = new WireClient(webSocketPipe(`ws://127.0.0.1:${port}/ws`));
    await client.enter({ name: 'eve' }, false);
    const kinds: string[] = [];
    for (const kind of ['session-away', 'session-ended'] as const) server.on(kind, () => kinds.push(kind));
    server.reauthenticate('eve');
    await client.closed;
    await until(() => server.stats().openConnections === 0);
    expect(kinds).toEqual(['session-away']);
  });
});
