/** `chat doctor`, with troubles that are really there. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatServerOptions, createChatServer, type ListenAddress } from '@chat/server';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeDatedCertificate } from '../../../../test/support/dated-certificate.js';
import { findProgram } from '../../../../test/support/find-program.js';
import { UsageError } from '../../src/args.js';
import { runDoctor } from '../../src/doctor/doctor-command.js';

const openssl = findProgram('openssl');
const isWindows = process.platform === 'win32';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Seen {
  readonly exitCode: number;
  /** Subject and sentence of each finding that is a problem or a warning. */
  readonly troubles: string[];
  /** What is well. */
  readonly well: string[];
}

async function look(url: string, now?: () => number, ...flags: string[]): Promise<Seen> {
  const lines: string[] = [];
  const exitCode = await runDoctor([url, '--json', ...flags], '0.0.0', (line) => lines.push(line), now);
  const { isWell, findings } = JSON.parse(lines.join('')) as {
    isWell: boolean;
    findings: { level: string; about: string; text: string; remedy?: string }[];
  };
  expect(isWell).toBe(exitCode === 0);
  // Who is told of a trouble is told what to do.
  expect(findings.every(({ level, remedy }) => (level === 'ok') === (remedy === undefined))).toBe(true);
  return {
    exitCode,
    troubles: findings.flatMap(({ level, about, text }) =>
      level === 'ok' ? [] : [`${level} ${about}: ${text}`],
    ),
    well: findings.flatMap(({ level, about }) => (level === 'ok' ? [about] : [])),
  };
}

async function serve(options: ChatServerOptions = {}, address: Partial<ListenAddress> = {}): Promise<number> {
  const server = createChatServer({ agent: 'chat-server/0.0.0', ...options });
  onTestFinished(() => server.close());
  const { port } = (await server.listen(
    address.path === undefined ? { port: 0, host: '127.0.0.1', ...address } : address,
  )) as { port: number };
  return port;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Passes bytes on, and has its own idea of the first ones. */
function proxy(port: number, change: (first: string) => string | undefined): Promise<number> {
  const sockets = new Set<Socket>();
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return listen(
    createServer((near) => {
      near.once('data', (chunk) => {
        const changed = change(chunk.toString('latin1'));
        if (changed === undefined) return near.destroy();
        const far = connect(port, '127.0.0.1', () => far.write(changed, 'latin1'));
        for (const socket of [near, far]) sockets.add(socket.on('error', () => socket.destroy()));
        near.pipe(far);
        return far.pipe(near);
      });
    }),
  );
}

describe('chat doctor', () => {
  it('finds nothing where all is well, over each way to the server', async () => {
    const port = await serve({ http: { handler: (_, response) => void response.end('the page') } });
    expect(await look(`localhost:${port}`)).toEqual({
      exitCode: 0,
      troubles: [],
      well: ['name', 'connection', 'HTTP', 'clock', 'page', 'WebSocket', 'chat', 'versions'],
    });
    expect(await look(`ws://127.0.0.1:${port}`)).toMatchObject({ exitCode: 0, troubles: [] });
    if (isWindows) return;
    const path = join(folder, 'chat.sock');
    await serve({}, { path });
    const { exitCode, well } = await look(`unix:${path}`);
    expect([exitCode, well]).toEqual([0, expect.arrayContaining(['connection', 'WebSocket', 'chat'])]);
  });

  it('says that there is no such host, or that nothing listens', async () => {
    const free = createServer();
    const port = await listen(free);
    free.close();
    await once(free, 'close');
    expect(await look('nowhere.invalid')).toEqual({
      exitCode: 1,
      troubles: ['problem name: there is no host nowhere.invalid'],
      well: [],
    });
    expect((await look(`127.0.0.1:${port}`)).troubles).toEqual([
      `problem connection: port ${port}: nothing listens there`,
    ]);
  });

  it('knows a proxy that eats upgrades', async () => {
    const port = await serve();
    const asPage = await proxy(port, (first) => first.replace(/^Upgrade: websocket\r\n/im, ''));
    expect(await look(`ws://127.0.0.1:${asPage}`)).toMatchObject({
      exitCode: 1,
      troubles: [
        'problem WebSocket: the upgrade is answered with 426: this path speaks WebSocket',
        expect.stringMatching(/^problem chat: a client does not get in/),
      ],
      well: expect.arrayContaining(['HTTP']),
    });
    const asNothing = await proxy(port, (first) => (/^Upgrade:/im.test(first) ? undefined : first));
    expect((await look(`ws://127.0.0.1:${asNothing}`)).troubles[0]).toMatch(
      /^problem WebSocket: HTTP is answered, and the upgrade is not: /,
    );
    const web = createHttpServer((_, response) => response.end('a page'));
    web.on('upgrade', (_, socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\na page'),
    );
    expect((await look(`http://127.0.0.1:${await listen(web)}`)).troubles[0]).toBe(
      'problem WebSocket: the upgrade is answered with 200: a page',
    );
  });

  it('knows a server that is not known by that name', async () => {
    const port = await serve({ http: { handler: (_, response) => void response.end('the page') } });
    const other = await proxy(port, (first) => first.replace(/^Host: .*$/im, `Host: chat.example:${port}`));
    const { troubles } = await look(`127.0.0.1:${other}`);
    expect(troubles).toEqual([
      expect.stringMatching(/^problem Host: the server does not know the name 127\.0\.0\.1: /),
    ]);
  });

  it('compares the clocks', async () => {
    const port = await serve();
    const at = async (ms: number) => (await look(`127.0.0.1:${port}`, () => Date.now() + ms)).troubles;
    expect(await at(15_000)).toEqual([
      expect.stringMatching(/^warning clock: the server is 1\d s behind this machine$/),
    ]);
    expect(await at(-3_600_000)).toEqual([
      expect.stringMatching(/^problem clock: the server is 3\d{3} s ahead of/),
    ]);
  });

  it('tells versions that are far apart, a refusal, and that credentials are asked for', async () => {
    const port = await serve({ agent: 'chat-server/7.1.0' });
    expect(await look(`127.0.0.1:${port}`)).toMatchObject({
      exitCode: 0,
      troubles: ['warning versions: server chat-server/7.1.0, client chat/0.0.0'],
    });
    expect((await look(`127.0.0.1:${port}`, undefined, '--name', 'a\u0007')).troubles).toEqual([
      expect.stringMatching(/^problem chat: the server does not let a client in: /),
    ]);
    const closed = await serve({ hooks: { authenticate: () => ({ ok: false }) } });
    expect(await look(`127.0.0.1:${closed}`)).toMatchObject({
      exitCode: 0,
      troubles: [expect.stringMatching(/^warning chat: the server does not let a client in: unauthorized/)],
    });
  });

  it('knows what is no chat server', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).end('220 mail.example\r\n'));
    const { exitCode, troubles } = await look(`127.0.0.1:${await listen(silent)}`);
    expect(exitCode).toBe(1);
    expect(troubles).toEqual([
      expect.stringMatching(/^problem HTTP: no answer: /),
      expect.stringMatching(/^problem chat: no answer to a hello: /),
    ]);
  });

  it('prints lines for people, and refuses what is no address', async () => {
    const port = await serve();
    const lines: string[] = [];
    const later = () => Date.now() + 60_000;
    expect(await runDoctor([`127.0.0.1:${port}`], '0.0.0', (line) => lines.push(line), later)).toBe(1);
    expect(lines.join('\n')).toMatch(
      /^ok +connection +port \d+ takes connections$[\s\S]*^problem +clock .*\n +→ set/m,
    );
    await expect(runDoctor(['not an address'], '0.0.0', () => {})).rejects.toMatchObject({ exitCode: 2 });
    await expect(runDoctor(['--nope'], '0.0.0', () => {})).rejects.toBeInstanceOf(UsageError);
    await expect(
      runDoctor(['localhost', '--tls-ca', join(folder, 'none')], '0.0.0', () => {}),
    ).rejects.toThrow(/^cannot read the certificate: ENOENT/);
  });
});

describe.skipIf(!openssl)('chat doctor and certificates', () => {
  const serveTls = (name: string, from: string, until: string): Promise<number> => {
    const { cert, key } = makeDatedCertificate(openssl!, folder, name, from, until);
    ca = cert;
    return serve({}, { tls: { cert: readFileSync(cert), key: readFileSync(key) } });
  };
  let ca: string;
  const [LONG_AGO, FAR_AWAY] = ['20200101000000Z', '20490101000000Z'];

  it('says that one has expired, begins later, is of another name, or is trusted by nobody', async () => {
    const old = await serveTls('localhost', LONG_AGO, '20210101000000Z');
    expect((await look(`tls://localhost:${old}`, undefined, '--tls-ca', ca)).troubles).toEqual([
      'problem certificate: it has expired on Jan  1 00:00:00 2021 GMT',
    ]);
    const early = await serveTls('localhost', '20480101000000Z', FAR_AWAY);
    expect((await look(`tls://localhost:${early}`, undefined, '--tls-ca', ca)).troubles).toEqual([
      'problem certificate: it is good from Jan  1 00:00:00 2048 GMT on',
    ]);
    const other = await serveTls('chat.example', LONG_AGO, FAR_AWAY);
    expect((await look(`tls://localhost:${other}`, undefined, '--tls-ca', ca)).troubles).toEqual([
      'problem certificate: it is for chat.example, and not for localhost',
    ]);
    expect((await look(`wss://localhost:${other}`)).troubles).toEqual([
      'problem certificate: it is for chat.example, and not for localhost',
      'problem certificate: nobody whom this machine trusts has signed it',
      expect.stringMatching(/^problem chat: a client does not get in/),
    ]);
    const good = await serveTls('localhost', LONG_AGO, FAR_AWAY);
    expect(await look(`tls://localhost:${good}`, undefined, '--tls-ca', ca)).toMatchObject({
      exitCode: 0,
      troubles: [],
    });
  });

  it('says that there is no TLS', async () => {
    const port = await serve();
    expect((await look(`tls://localhost:${port}`)).troubles).toEqual([
      expect.stringMatching(/^problem certificate: there is no TLS: /),
    ]);
  });
});
