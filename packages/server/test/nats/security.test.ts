/** Who a server is at NATS, and what it may do there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nkeys } from '@nats-io/transport-node';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type NatsLogOptions, openNatsLog } from '../../src/nats/index.js';
import { UNLIMITED } from '../../src/options/options.js';
import { openssl } from '../support/carriers.js';
import { makeCertificate } from '../support/certificate.js';
import { MemoryChat } from '../support/memory-chat.js';
import { NatsProcess, newNats } from '../support/nats-process.js';
import { until } from '../support/turn.js';

const page = readFileSync(fileURLToPath(new URL('../../../../docs/scale.md', import.meta.url)), 'utf8');
const TIMEOUT_MS = 60_000;

describe.skipIf(newNats === undefined)('a guarded NATS', { timeout: TIMEOUT_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'chat-nats-guard-'));
  let files = 0;
  const file = (text: string): string => {
    const path = join(folder, String(++files));
    writeFileSync(path, text);
    return path;
  };
  const running: NatsProcess[] = [];
  afterEach(async () => {
    for (const nats of running.splice(0)) await nats.remove();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function start(config: string): Promise<NatsProcess> {
    const nats = await NatsProcess.start(newNats!, '-c', file(config));
    running.push(nats);
    return nats;
  }

  /** Says something, and closes. */
  async function tryIt(options: NatsLogOptions): Promise<void> {
    const memory = await MemoryChat.open({ ...UNLIMITED, log: await openNatsLog(options) });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'hello');
    await memory.chat.close();
  }

  const user = nkeys.createUser();
  const seed = Buffer.from(user.getSeed()).toString();
  it.each([
    [
      'a user and a password',
      'authorization { user: chat, password: secret }',
      { user: 'chat', password: () => 'secret' },
    ],
    ['a token', 'authorization { token: s3cret }', { token: 's3cret' }],
    ['an NKEY', `authorization { users = [{ nkey: ${user.getPublicKey()} }] }`, { nkey: () => `${seed}\n` }],
  ])('lets a server in that has %s, and no other', async (_what, config, login) => {
    const { url: servers } = await start(config);
    await tryIt({ servers, login });
    const refused = { code: 'ERR_SERVER_NATS_UNREACHABLE' };
    await expect(openNatsLog({ servers })).rejects.toMatchObject(refused);
    await expect(openNatsLog({ servers, login: { user: 'chat', password: 'wrong' } })).rejects.toMatchObject(
      refused,
    );
  });

  it.skipIf(openssl === undefined)('shows and asks for a certificate', async () => {
    const { cert, key } = makeCertificate('localhost');
    const [certFile, keyFile] = [file(cert), file(key)];
    const { port } = await start(
      `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${certFile}", verify: true }`,
    );
    const servers = `nats://localhost:${port}`;
    await tryIt({ servers, tls: { ca: cert, cert, key } });
    for (const less of [{ ca: cert }, { cert, key }, {}]) {
      const refused = { code: 'ERR_SERVER_NATS_UNREACHABLE' };
      await expect(openNatsLog({ servers, tls: less })).rejects.toMatchObject(refused);
    }
  });

  it('needs no more than the permissions that docs/scale.md says', async () => {
    const config = /```text\n(authorization \{[\s\S]*?)```/
      .exec(page)![1]!
      .replace(/password: .*/, 'password: secret');
    const nats = await start(config);
    const login = { user: 'chat', password: 'secret' };
    const warnings: string[] = [];
    const open = async (): Promise<MemoryChat> => {
      const onWarning = (problem: string): unknown => warnings.push(problem);
      const log = await openNatsLog({ servers: nats.url, login, snapshotBlocks: 100, onWarning });
      return await MemoryChat.open({ ...UNLIMITED, log });
    };
    const [one, other] = [await open(), await open()];
    const ada = await one.enter('ada');
    const bob = await other.enter('bob');
    const { handle } = await ada.join('lobby');
    const theirs = await bob.join('lobby');
    // Enough for two snapshots, and for the server to ask whether this one keeps up.
    for (let i = 0; i < 250; i++) await ada.say(handle, `${i}`.padEnd(20_000, '.'));
    await until(() => bob.texts(theirs.handle).length === 250);
    const late = await open();
    const eve = await late.enter('eve');
    await eve.join('lobby', { history: 10 });
    expect(warnings).toEqual([]);
    for (const { chat } of [one, other, late]) await chat.close();
    expect(nats.out).not.toMatch(/violation/i);
  });

  it('keeps secrets out of what it says', async () => {
    const servers = 'nats://chat:s3cret@127.0.0.1:1';
    const error: Error = await openNatsLog({ servers }).then(
      () => expect.unreachable(),
      (cause) => cause,
    );
    expect(error).toMatchObject({ code: 'ERR_SERVER_BAD_OPTION' });
    expect(error.message).toContain('say who the server is with login');
    expect(error.message).not.toContain('s3cret');
    for (const login of [{ user: 'chat' }, { token: 'a', nkey: 'b' }, {}]) {
      const refused = {
        code: 'ERR_SERVER_BAD_OPTION',
        message: expect.stringContaining('login must be one of'),
      };
      await expect(openNatsLog({ servers: 'nats://a', login: login as never })).rejects.toMatchObject(
        refused,
      );
    }
  });
});
