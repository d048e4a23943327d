/** `chat-server doctor`, with troubles that are really there. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createChatServer } from '@chat/server';
import { openSqliteLog } from '@chat/server/sqlite';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeDatedCertificate } from '../../../../test/support/dated-certificate.js';
import { findProgram } from '../../../../test/support/find-program.js';
import { parseArguments } from '../../src/command-line/args.js';
import { certificate } from '../../src/doctor/certificate.js';
import type { Check, DoctorContext, Finding } from '../../src/doctor/check.js';
import { runDoctorCommand } from '../../src/doctor/doctor-command.js';
import { dataFolder, secretFiles } from '../../src/doctor/files.js';
import { nodeVersion, sharedMemory } from '../../src/doctor/machine.js';
import { chatPort, metricsPort, unixSocket } from '../../src/doctor/ports.js';
import { main, repository } from '../support/server-process.js';

const openssl = findProgram('openssl');
const isLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;
const NOW = Date.parse('2026-06-15T12:00:00Z');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a check finds, as lines: level, and text. */
async function finds(
  check: Check,
  argv: readonly string[],
  more: Partial<DoctorContext> = {},
): Promise<string[]> {
  const args = parseArguments(argv, '1.2.3', { environment: {} });
  const context = { args, nodeVersion: '20.0.0', proc: '/proc', shm: '/dev/shm', now: NOW, ...more };
  const findings = await check(context);
  // Who is told of a trouble is told what to do.
  expect(findings.every(({ level, remedy }) => (level === 'ok') === (remedy === undefined))).toBe(true);
  return findings.map(({ level, text }: Finding) => `${level}: ${text}`);
}

async function taken(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('the port', () => {
  it('is free, or any', async () => {
    const port = await taken();
    expect(await finds(chatPort, ['--port', '0'])).toEqual(['ok: any that is free']);
    expect(await finds(metricsPort, [])).toEqual([]);
    expect(await finds(metricsPort, ['--metrics-port', `${port}`])).toEqual([
      expect.stringMatching(`^problem: ${port} is taken`),
    ]);
  });

  it.skipIf(!isLinux)('is taken by a process that has a number and a name', async () => {
    const source =
      "require('net').createServer().listen(0,'127.0.0.1',function(){console.log(this.address().port)})";
    const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [line] = await once(child.stdout!, 'data');
    const port = Number(String(line));
    const [found] = await finds(chatPort, ['--host', '127.0.0.1', '--port', `${port}`]);
    expect(found).toContain(`problem: ${port} is taken by process ${child.pid} (`);
    expect(await finds(chatPort, ['--host', '127.0.0.1', '--port', `${port}`], { proc: folder })).toEqual([
      `problem: ${port} is taken`,
    ]);
  });

  it('may be taken by a chat server, which is what it is for', async () => {
    await using server = createChatServer();
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    expect(await finds(chatPort, ['--host', '127.0.0.1', '--port', `${port}`])).toEqual([
      expect.stringMatching(/^ok: \d+ is taken.*: a chat server, which answers$/),
    ]);
  });

  it('is of an address that this machine has', async () => {
    expect(await finds(chatPort, ['--host', '192.0.2.77', '--port', '7000'])).toEqual([
      'problem: this machine does not have the address 192.0.2.77',
    ]);
  });

  it.skipIf(process.platform === 'win32')('of a Unix socket is a file that can be made', async () => {
    const path = join(folder, 'chat.sock');
    expect(await finds(unixSocket, ['--port', '0', '--unix', path])).toEqual([`ok: ${path} is free`]);
    expect(await finds(unixSocket, ['--unix', join(folder, 'none', 'x')])).toEqual([
      expect.stringMatching(/^problem: .* cannot be made/),
    ]);
    await using server = createChatServer();
    await server.listen({ path });
    expect(await finds(unixSocket, ['--unix', path])).toEqual([`problem: something listens at ${path}`]);
  });
});

describe.skipIf(!openssl)('the certificate', () => {
  const make = (name: string, from: string, until: string): readonly string[] => {
    const { cert, key } = makeDatedCertificate(openssl!, folder, name, from, until);
    return ['--tls-cert', cert, '--tls-key', key];
  };
  const [LONG_AGO, LATE] = ['20250101000000Z', '20270101000000Z'];

  it('is good, expires soon, has expired, or begins later', async () => {
    expect(await finds(certificate, [])).toEqual([]);
    expect(await finds(certificate, make('a.example', LONG_AGO, LATE))).toEqual([
      'ok: for a.example, until Jan  1 00:00:00 2027 GMT',
    ]);
    expect(await finds(certificate, make('a.example', LONG_AGO, '20260620130000Z'))).toEqual([
      'warning: it expires in 5 days, on Jun 20 13:00:00 2026 GMT',
    ]);
    expect(await finds(certificate, make('a.example', LONG_AGO, '20260615110000Z'))).toEqual([
      'problem: it has expired on Jun 15 11:00:00 2026 GMT',
    ]);
    expect(await finds(certificate, make('a.example', '20260701000000Z', LATE))).toEqual([
      'problem: it is good from Jul  1 00:00:00 2026 GMT on',
    ]);
  });

  it('has the names of the server, and its own key', async () => {
    const own = make('a.example', LONG_AGO, LATE);
    const other = make('b.example', LONG_AGO, LATE);
    expect(await finds(certificate, [...own, '--allowed-host', 'a.example', 'c.example'])).toEqual([
      expect.stringMatching(/^ok/),
      'problem: it is for a.example, and not for c.example',
    ]);
    expect((await finds(certificate, ['--tls-cert', own[1]!, '--tls-key', other[3]!]))[0]).toMatch(
      /^problem: the key in .*key\.pem is not that of .*cert\.pem$/,
    );
  });

  it('can be read', async () => {
    const own = make('a.example', LONG_AGO, LATE);
    const nonsense = join(folder, 'nonsense');
    writeFileSync(nonsense, 'nonsense');
    const found = await finds(certificate, ['--tls-cert', nonsense, '--tls-key', join(folder, 'none')]);
    expect(found).toEqual([
      expect.stringMatching(/^problem: the certificate in .*nonsense cannot be used/),
      expect.stringMatching(/^problem: the key in .*none cannot be used: ENOENT/),
    ]);
    expect(await finds(certificate, [...own, '--tls-client-ca', nonsense])).toEqual([
      expect.stringMatching(/^problem: the authority of clients/),
      expect.stringMatching(/^ok/),
    ]);
  });
});

describe('the data folder', () => {
  const about = (path: string) => finds(dataFolder, ['--data', path]);

  it('is empty, used, in use, or none of this server', async () => {
    const data = join(folder, 'data');
    const disk = expect.stringMatching(/^(ok|warning): [\d.]+ .iB free where the data folder is$/);
    expect(await finds(dataFolder, [])).toEqual([]);
    expect(await about(data)).toEqual([`ok: ${data} is empty, and will be made`, disk]);
    const log = await openSqliteLog({ directory: data });
    expect(await about(data)).toEqual([
      `ok: ${data} is open in process ${process.pid}: a second server cannot use it`,
      disk,
    ]);
    await log.close();
    mkdirSync(join(folder, 'other'));
    writeFileSync(join(folder, 'other', 'chat.sqlite'), 'not a database'.repeat(500));
    expect((await about(join(folder, 'other')))[0]).toMatch(/^problem: /);
  });

  it('is a folder in which this user may write', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await about(join(folder, 'file', 'data'))).toEqual([
      `problem: ${join(folder, 'file')} is no folder`,
    ]);
  });

  it.skipIf(isRoot || process.platform === 'win32')('is one that this user may use', async () => {
    chmodSync(folder, 0o500);
    onTestFinished(() => chmodSync(folder, 0o700));
    expect(await about(join(folder, 'data'))).toEqual([`problem: this user may not write in ${folder}`]);
  });
});

describe('secrets', () => {
  it('are there, and are not for everybody to read', async () => {
    const file = join(folder, 'tokens');
    writeFileSync(file, 'a-token-of-sixteen-or-more\n', { mode: 0o600 });
    const argv = ['--api-token-file', file];
    expect(await finds(secretFiles, argv)).toEqual([`ok: ${file} is good`]);
    if (process.platform !== 'win32') {
      chmodSync(file, 0o644);
      expect(await finds(secretFiles, argv)).toEqual([`warning: everybody on this machine may read ${file}`]);
    }
    writeFileSync(file, 'short\n');
    expect((await finds(secretFiles, argv))[0]).toMatch(/^problem: (?!.*short)/);
    const hook = ['--webhook-url', 'http://a.example', '--webhook-secret-file', join(folder, 'none')];
    expect((await finds(secretFiles, hook))[0]).toMatch(
      /^problem: cannot read the secret of a webhook: ENOENT/,
    );
  });
});

describe('the machine', () => {
  it('has a Node that is new enough', async () => {
    expect(await finds(nodeVersion, [], { nodeVersion: '18.19.1' })).toEqual([
      'problem: version 18.19.1 is too old',
    ]);
    expect(await finds(nodeVersion, [], { nodeVersion: '22.12.0' })).toEqual(['ok: version 22.12.0']);
  });

  it.skipIf(!isLinux)('has shared memory for workers', async () => {
    expect(await finds(sharedMemory, [])).toEqual([]);
    expect(await finds(sharedMemory, ['--workers', '2'], { shm: tmpdir() })).toEqual([
      expect.stringMatching(/^ok: .* free in/),
    ]);
    // A file system without a byte to spare.
    expect(await finds(sharedMemory, ['--workers', '2'], { shm: '/proc' })).toEqual([
      'problem: 0 bytes free in /proc, and the log of the workers takes 16.0 MiB',
    ]);
    expect(await finds(sharedMemory, ['--workers', '2'], { shm: join(folder, 'none') })).toEqual([
      expect.stringMatching(/^problem: .* cannot be used: ENOENT/),
    ]);
  });

  it.skipIf(!isLinux)(
    'has descriptors for as many sessions as there may be',
    async () => {
      const node = `exec "$0" ${main} doctor --port 0 --json`;
      const run = promisify(execFile);
      const { stdout } = await run('sh', ['-c', `ulimit -n 400; ${node}`, process.execPath], {
        cwd: repository,
      });
      const { isWell, findings } = JSON.parse(stdout) as { isWell: boolean; findings: Finding[] };
      expect(isWell).toBe(true);
      expect(findings.find(({ about }) => about === 'descriptors')).toMatchObject({
        level: 'warning',
        text: '400 may be open, and each connection is one; maxSessions is 10000',
      });
    },
    60_000,
  );
});

describe('chat-server doctor', () => {
  it('says all that is wrong in words, with exit codes for scripts', async () => {
    const port = await taken();
    const lines: string[] = [];
    const print = (line: string) => lines.push(line);
    expect(await runDoctorCommand(['--host', '127.0.0.1', '--port', `${port}`], '1.2.3', print, {})).toBe(1);
    expect(lines[0]).toBe('chat-server 1.2.3');
    expect(lines.join('\n')).toMatch(
      /^problem +port +\d+ is taken.*\n +→ stop that, or choose another with --port$/m,
    );
    lines.length = 0;
    expect(await runDoctorCommand(['--port', '0', '--json', '--max-sessions', '5'], '1.2.3', print, {})).toBe(
      0,
    );
    expect(JSON.parse(lines.join(''))).toMatchObject({ version: '1.2.3', isWell: true });
    await expect(runDoctorCommand(['--prot', '0'], '1.2.3', print, {})).rejects.toMatchObject({
      exitCode: 2,
    });
  });
});
