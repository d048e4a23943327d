/** `chat-server` as a user starts it: what it prints, how it ends, and that no failure shows a stack trace. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { connect as connectClient } from '@chat/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram } from '../../../test/support/find-program.js';
import { main, ServerProcess } from './support/server-process.js';

const openssl = findProgram('openssl');
const isRoot = process.getuid?.() === 0;
if (isRoot) process.stderr.write('skipped: root may listen on privileged ports\n');
const TIMEOUT_MS = 30_000;

let folder: string;
let running: ServerProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-server-'));
  running = [];
});

afterEach(async () => {
  for (const server of running) if (server.child.exitCode === null) server.child.kill('SIGKILL');
  await Promise.all(running.map(({ exit }) => exit));
  rmSync(folder, { recursive: true, force: true });
});

class Server extends ServerProcess {
  constructor(...flags: string[]) {
    super(flags);
    running.push(this);
  }
}

/** A person with nc. */
class Visitor {
  readonly socket: Socket;
  text = '';

  constructor(socket: Socket, name: string) {
    this.socket = socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.text += String(chunk);
    });
    socket.write(`${name}\n`);
  }

  async reads(text: string): Promise<void> {
    while (!this.text.includes(text))
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
  }
}

const LOCAL = ['--host', '127.0.0.1', '--port', '0'] as const;

describe('chat-server', () => {
  it(
    'tells where others can reach it, and lets them talk',
    async () => {
      const server = new Server('--port', '0');
      const port = await server.port();
      await server.printed(new RegExp(`Server IP and port for others:\\n(    \\S+:${port}\\n)+`));
      expect(server.out).toContain(`nc localhost ${port}`);
      expect(server.out).toContain(`npm run chat -- localhost:${port} --name ada`);
      const ada = new Visitor(connect(port, '127.0.0.1'), 'ada');
      const bob = new Visitor(connect(port, '127.0.0.1'), 'bob');
      await Promise.race([ada.reads('bob has joined'), bob.reads('ada has joined')]);
      bob.socket.write('hello\n');
      await ada.reads('bob: hello\n');
      await server.printed(
        /ada came from 127\.0\.0\.1 \(line\)\n.*bob came from|bob came from .*\n.*ada came from/,
      );
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
      server.child.kill('SIGTERM');
      await ada.reads('(going-away)');
      expect(await server.exit).toBe(0);
      expect(server.out).toMatch(/gone/);
      expect(server.errors).toBe('');
    },
    TIMEOUT_MS,
  );

  it(
    'does what its configuration file says, and warns of variables that are nearly options',
    async () => {
      const file = join(folder, 'chat.json');
      writeFileSync(file, '{ "host": "127.0.0.1", "port": 0, "json": true, "metricsTokenFile": "token" }');
      writeFileSync(join(folder, 'token'), 's3cret\n');
      const server = new ServerProcess(['--config', file], [], { CHAT_LOG_LEVEL: 'warn', CHAT_PROT: '1' });
      running.push(server);
      const [line] = await server.printed(/^\{.*\n/);
      expect(JSON.parse(line)).toMatchObject({
        level: 40,
        msg: 'CHAT_PROT in the environment is no option; did you mean CHAT_PORT?',
      });
      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(0);
      writeFileSync(file, '{\n "hots": "127.0.0.1" }');
      const wrong = new Server('--config', file);
      expect(await wrong.exit).toBe(2);
      expect(wrong.errors).toBe(`chat-server: ${file}:2: unknown option "hots"; did you mean "host"?\n`);
    },
    TIMEOUT_MS,
  );

  it(
    'warns of a token on the command line, and never shows it',
    async () => {
      const server = new Server(...LOCAL, '--json', '--log-level', 'debug', '--metrics-token', 's3cret');
      const port = await server.port();
      await server.printed(/"level":40,.*everybody on this machine sees the token/);
      const headers = { Authorization: 'Bearer s3cret' };
      expect((await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).status).toBe(200);
      expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(401);
      server.child.kill('SIGINT');
      expect(await server.exit).toBe(0);
      expect(server.out + server.errors).not.toContain('s3cret');
    },
    TIMEOUT_MS,
  );

  it(
    'prints JSON lines and nothing else with --json, as much as --log-level says',
    async () => {
      const server = new Server(...LOCAL, '--json', '--log-level', 'debug', '--exempt-address', '127.0.0.1');
      const port = await server.port();
      const refused = new Visitor(connect(port, '127.0.0.1'), 'not: a name');
      await refused.reads('(name-invalid)');
      await server.printed(/"close":"name-invalid"/);
      server.child.kill('SIGINT');
      expect(await server.exit).toBe(0);
      const lines = server.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines[0]).toMatchObject({ addresses: [{ kind: 'tcp', host: '127.0.0.1', port }] });
      expect(lines.at(-1)).toMatchObject({ drained: 0, forced: 0, msg: 'gone' });
      expect(server.out).not.toMatch(/secret|credentials/);
    },
    TIMEOUT_MS,
  );

  it(
    'refuses a page under a name that it does not know, and says which option makes it known',
    async () => {
      const strict = new Server(...LOCAL, '--json');
      const knowing = new Server(...LOCAL, '--allowed-host', 'chat.example');
      const page = async (server: Server): Promise<number> => {
        const port = await server.port();
        const headers = { Host: `chat.example:${port}`, Accept: 'text/html' };
        return new Promise((resolve) => {
          get({ port, host: '127.0.0.1', headers }, (response) => resolve(response.resume().statusCode ?? 0));
        });
      };
      expect([await page(strict), await page(knowing)]).toEqual([421, 200]);
      await strict.printed(/"level":40.*"option":"allowedHosts".*--allowed-host chat\.example/);
      for (const server of [strict, knowing]) {
        server.child.kill('SIGTERM');
        expect(await server.exit).toBe(0);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'shows nobody out for somebody who says the same name, and says that it cannot',
    async () => {
      const server = new Server(...LOCAL, '--json', '--duplicate-names', 'takeover');
      const port = await server.port();
      await server.printed(/"level":40.*"option":"duplicateNames".*guests never do/);
      const ada = new Visitor(connect(port, '127.0.0.1'), 'ada');
      const bob = new Visitor(connect(port, '127.0.0.1'), 'bob');
      await Promise.race([ada.reads('bob has joined'), bob.reads('ada has joined')]);
      const eve = new Visitor(connect(port, '127.0.0.1'), 'ada');
      await eve.reads('(name-taken)');
      server.child.kill('SIGTERM');
      await ada.reads('(going-away)');
    },
    TIMEOUT_MS,
  );

  it.skipIf(process.platform === 'win32')(
    'listens on a Unix socket as well, and takes it away again',
    async () => {
      const path = join(folder, 'chat.sock');
      const server = new Server(...LOCAL, '--unix', path);
      const port = await server.port();
      await server.printed(/unix:/);
      const ada = new Visitor(connect(path), 'ada');
      const bob = new Visitor(connect(port, '127.0.0.1'), 'bob');
      await Promise.race([ada.reads('bob has joined'), bob.reads('ada has joined')]);
      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(0);
      expect(existsSync(path)).toBe(false);
    },
    TIMEOUT_MS,
  );

  it.skipIf(process.platform === 'win32')(
    'listens on its Unix socket again after it was killed, with the permissions that were asked for',
    async () => {
      const path = join(folder, 'chat.sock');
      const first = new Server(...LOCAL, '--unix', path);
      await first.printed(/unix:/);
      first.child.kill('SIGKILL');
      await first.exit;
      const server = new Server(...LOCAL, '--unix', path, '--unix-mode', '600');
      await server.printed(/unix:/);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const [ada, bob] = [new Visitor(connect(path), 'ada'), new Visitor(connect(path), 'bob')];
      await Promise.race([ada.reads('bob has joined'), bob.reads('ada has joined')]);
      server.child.kill('SIGTERM');
      await ada.reads('(going-away)');
      expect(await server.exit).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'answers while nobody reads its log, and ends when it is told to',
    async () => {
      // So many requests of one address are told to wait, which is not what is looked at here.
      const server = new Server(...LOCAL, '--json', '--log-level', 'debug', '--exempt-address', '127.0.0.1');
      const port = await server.port();
      server.child.stdout!.pause();
      // More lines than a pipe and what may wait hold.
      const agent = 'x'.repeat(200);
      for (let i = 0; i < 40; i++) {
        const visitors = Array.from({ length: 25 }, () => connect(port, '127.0.0.1').on('error', () => {}));
        for (const visitor of visitors)
          visitor.write(
            `GET /${agent} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nHost: x\r\nOrigin: http://${agent}\r\n\r\n`,
          );
        await Promise.all(visitors.map((visitor) => once(visitor.resume(), 'close')));
      }
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
      server.child.kill('SIGTERM');
      expect(await once(server.child, 'exit')).toEqual([0, null]);
    },
    TIMEOUT_MS,
  );

  it(
    'cuts at the second signal what the first one would wait for',
    async () => {
      const server = new Server(...LOCAL, '--json');
      const port = await server.port();
      // A client of the binary dialect that says hello and never answers.
      const deaf = connect(port, '127.0.0.1');
      const hello = Buffer.from('{"name":"deaf","maxFrameBytes":65536}');
      const header = Buffer.from([hello.length + 8, 0, 0, 0, 1, 0, 0, 0]);
      deaf.write(Buffer.concat([Buffer.from([0xfe, 0x43, 0x48, 0x41, 0x54, 13, 10, 1]), header, hello]));
      await once(deaf, 'data');
      server.child.kill('SIGTERM');
      await server.printed(/going away/);
      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(0);
      expect(server.out).toContain('"forced":1');
      expect(server.errors).toBe('');
      deaf.destroy();
    },
    TIMEOUT_MS,
  );

  it.skipIf(!openssl || process.platform === 'win32')(
    'speaks TLS on the same port, and reads its certificate again on SIGHUP',
    async () => {
      const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
      const make = (name: string): void => {
        const request = [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ];
        execFileSync(openssl!, [...request, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`], {
          stdio: 'ignore',
        });
      };
      make('first');
      const server = new Server(...LOCAL, '--json', '--tls-cert', cert, '--tls-key', key);
      const port = await server.port();
      const seen = async (): Promise<unknown> => {
        const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
        await once(socket, 'secureConnect');
        const { subject } = socket.getPeerCertificate();
        socket.destroy();
        return subject.CN;
      };
      expect(await seen()).toBe('first');
      const ada = new Visitor(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }), 'ada');
      const bob = new Visitor(connect(port, '127.0.0.1'), 'bob');
      await Promise.race([ada.reads('bob has joined'), bob.reads('ada has joined')]);
      make('second');
      server.child.kill('SIGHUP');
      await server.printed(/certificate reloaded/);
      expect(await seen()).toBe('second');
      writeFileSync(cert, 'nothing');
      server.child.kill('SIGHUP');
      await server.printed(/the old one stays/);
      expect(await seen()).toBe('second');
      bob.socket.write('still here\n');
      await ada.reads('bob: still here');
      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(0);
    },
    TIMEOUT_MS,
  );
});

describe('chat-server refuses', () => {
  const refuses = async (exit: number, pattern: RegExp, ...flags: string[]): Promise<void> => {
    const server = new Server(...flags);
    expect(await server.exit).toBe(exit);
    expect(server.errors).toMatch(pattern);
    // One line, and no stack trace.
    expect(server.errors.split('\n')).toHaveLength(2);
    expect(server.errors).toMatch(/^chat-server: /);
    expect(server.out).toBe('');
  };

  it(
    'a port that is taken, and an address that is not here',
    async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as { port: number };
      await refuses(
        1,
        /something else listens there; choose another with --port/,
        '--host',
        '127.0.0.1',
        '--port',
        `${port}`,
      );
      other.close();
      await refuses(1, /does not have that address/, '--host', '203.0.113.1', '--port', '0');
    },
    TIMEOUT_MS,
  );

  it.skipIf(process.platform === 'win32')(
    'a path that cannot be, or is in use',
    async () => {
      await refuses(1, /no such folder/, ...LOCAL, '--unix', join(folder, 'no', 'x.sock'));
      const path = join(folder, 'x.sock');
      const other = createServer().listen(path);
      await once(other, 'listening');
      await refuses(1, /remove the file if nothing does/, ...LOCAL, '--unix', path);
      other.close();
    },
    TIMEOUT_MS,
  );

  it.skipIf(process.platform === 'win32')(
    'a group that is not there',
    () =>
      refuses(
        2,
        /there is no group/,
        ...LOCAL,
        '--unix',
        join(folder, 'y.sock'),
        '--unix-group',
        'no such group',
      ),
    TIMEOUT_MS,
  );

  // Whoever is root may listen anywhere.
  it.skipIf(isRoot || process.platform !== 'linux')(
    'a privileged port',
    async () => {
      await refuses(1, /need privileges/, '--host', '127.0.0.1', '--port', '1');
    },
    TIMEOUT_MS,
  );

  it.each<[string, RegExp, string[]]>([
    ['an unknown option', /unknown option '--prot' \(Did you mean --port\?\)/, ['--prot', '1']],
    ['a port beyond 65535', /0 to 65535/, ['--port', '65536']],
    ['a port that is no number', /0 to 65535/, ['--port', '-1']],
    ['an option without its value', /argument missing/, ['--port']],
    ['a limit that is no number', /whole number/, ['--max-sessions', 'many']],
    ['a limit of nothing', /maxSessions must be a whole number of at least 1/, ['--max-sessions', '0']],
    ['limits that do not fit together', /does not fit into maxFrameBytes/, ['--max-frame-bytes', '4096']],
    ['an unknown level', /Allowed choices/, ['--log-level', 'loud']],
    ['an argument', /too many arguments/, ['here']],
    ['a certificate without a key', /go together/, ['--tls-cert', 'x']],
    [
      'a certificate that is not there',
      /cannot read the certificate/,
      ['--tls-cert', 'none', '--tls-key', 'none'],
    ],
    ['a proxy that is no address', /trustedProxies/, ['--port', '0', '--trusted-proxy', 'nginx']],
    ['a certificate that is none', /cannot be used/, ['--port', '0', '--tls-cert', main, '--tls-key', main]],
  ])('%s', (_what, pattern, flags) => refuses(2, pattern, ...flags), TIMEOUT_MS);
});

describe('chat-server --data', () => {
  it(
    'is killed in the middle of it, started again, and goes on: nothing is missing, nothing doubled',
    async () => {
      const data = join(folder, 'data');
      const first = new Server(...LOCAL, '--data', data);
      const port = await first.port();
      const client = await connectClient(`tcp://127.0.0.1:${port}`, {
        name: 'ada',
        reconnect: { baseDelayMs: 50, maxDelayMs: 100 },
      });
      const room = await client.join('lobby');
      const heard: string[] = [];
      room.on('message', ({ value }) => void heard.push(value));
      const said = Array.from({ length: 200 }, (_, i) => `text ${i}`);
      const sent = said.map((text) => room.send(text));
      await sent[50];
      first.child.kill('SIGKILL');
      await first.exit;
      const second = new Server('--host', '127.0.0.1', '--port', String(port), '--data', data);
      await Promise.all(sent);
      await second.port();
      expect(heard).toEqual(said);
      await client.close();
      second.child.kill('SIGTERM');
      expect(await second.exit).toBe(0);
      const check = new Server('check', data);
      expect(await check.exit).toBe(0);
      expect(check.out).toMatch(/^\d+ entries in \d+ blocks/);
    },
    TIMEOUT_MS * 3,
  );

  it(
    'has the folder alone, and says so in one line',
    async () => {
      const data = join(folder, 'data');
      const first = new Server(...LOCAL, '--data', data);
      await first.port();
      const second = new Server(...LOCAL, '--data', data);
      expect(await second.exit).toBe(1);
      expect(second.errors).toMatch(/^chat-server: [^\n]*\n$/);
      expect(second.errors).not.toContain(' at ');
      const backup = join(folder, 'backup');
      const copy = new Server('backup', data, backup);
      expect(await copy.exit).toBe(0);
      const exported = new Server('export', backup);
      expect(await exported.exit).toBe(0);
      expect(exported.out.split('\n')[0]).toContain('"chat":1');
    },
    TIMEOUT_MS * 3,
  );
});

describe('operating it', () => {
  it.skipIf(process.platform === 'win32')(
    'speaks through the API and the admin socket, and its metrics have a port of their own',
    { timeout: TIMEOUT_MS },
    async () => {
      const tokenFile = join(folder, 'tokens');
      const token = 'a-token-of-sixteen-or-more';
      writeFileSync(tokenFile, `${token}\n`);
      const socket = join(folder, 'admin.sock');
      const server = new Server(
        ...['--port', '0', '--host', '127.0.0.1', '--json', '--log-level', 'debug'],
        ...['--api-token-file', tokenFile, '--admin-socket', socket, '--metrics-port', '0'],
      );
      const port = await server.port();
      const metricsPort = Number((await server.printed(/metrics at http:\/\/127\.0\.0\.1:(\d+)/))[1]);
      const api = `http://127.0.0.1:${port}/api/v1`;
      const close = { Connection: 'close' };
      const said = await fetch(`${api}/rooms/lobby/messages`, {
        method: 'POST',
        headers: { ...close, Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ text: 'hello', as: 'ci' }),
      });
      expect(said.status).toBe(201);
      expect((await fetch(`${api}/rooms`, { headers: close })).status).toBe(401);
      expect((await fetch(`http://127.0.0.1:${port}/metrics`, { headers: close })).status).toBe(404);
      const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: close });
      expect(await metrics.text()).toContain('chat_');
      const shown = new Server('admin', 'history', 'lobby', '--admin-socket', socket);
      expect(await shown.exit).toBe(0);
      expect(shown.out).toContain('text=hello');
      const drained = new Server('admin', 'drain', '--admin-socket', socket);
      expect(await drained.exit).toBe(0);
      expect(await server.exit).toBe(0);
      expect(existsSync(socket)).toBe(false);
      expect(server.out + server.errors + shown.out).not.toContain(token);
    },
  );

  it.skipIf(process.platform === 'win32')(
    'starts without an admin socket where the path of the data folder is too long for one',
    { timeout: TIMEOUT_MS },
    async () => {
      const data = join(folder, 'x'.repeat(120));
      const server = new Server('--port', '0', '--host', '127.0.0.1', '--json', '--data', data);
      await server.printed(/there is no admin socket/);
      await server.port();
      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(0);
    },
  );

  it('refuses a file of tokens that cannot be used, in one line', { timeout: TIMEOUT_MS }, async () => {
    const server = new Server('--port', '0', '--api-token-file', join(folder, 'none'));
    expect(await server.exit).toBe(2);
    expect(server.errors).toMatch(/^chat-server: cannot read the API tokens: [^\n]*\n$/);
  });
});
