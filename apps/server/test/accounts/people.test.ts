/** Who is let in, as whom; and that what lets nobody in any more ends what it let in, at the moment between too. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatClient, ClientError, type ConnectOptions, connect } from '@chat/client';
import { type ChatServer, createBlockLog, createChatServer, type Visitor } from '@chat/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SharedStream } from '../../../../packages/server/test/support/shared-stream.js';
import { accountFileIn, changeAccounts } from '../../src/accounts/account-file.js';
import { PasswordHasher } from '../../src/accounts/password-hash.js';
import { People, type PeopleOptions } from '../../src/accounts/people.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Hashes cheaply, and waits at a gate between the work and its answer where a test closes one. */
class GatedHasher extends PasswordHasher {
  gate: Promise<void> = Promise.resolve();
  reached: () => void = () => {};

  constructor() {
    super({ cost: { ln: 4, r: 8, p: 1 } });
  }

  override async verify(password: string, kept: string | undefined): Promise<boolean> {
    const answer = await super.verify(password, kept);
    this.reached();
    await this.gate;
    return answer;
  }
}

let folder: string;
let path: string;
let hasher: GatedHasher;
let now: number;
let server: ChatServer;
let people: People;
let url: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-people-'));
  path = accountFileIn(folder);
  hasher = new GatedHasher();
  now = 0;
});

afterEach(async () => {
  people.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Partial<PeopleOptions> = {}): Promise<void> {
  people = await People.open({ accountFile: path, guests: true, ...options }, silent, {
    hasher,
    now: () => now,
  });
  server = createChatServer({ hooks: people.hooks });
  people.watch(server);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  url = `tcp://127.0.0.1:${port}`;
}

async function add(name: string, password: string): Promise<void> {
  const hash = await new PasswordHasher({ cost: { ln: 4, r: 8, p: 1 } }).hash(password);
  await changeAccounts(path, (accounts) => [
    ...accounts.filter((account) => account.name !== name),
    { name, password: hash, createdAt: '2026-01-02T03:04:05.000Z' },
  ]);
}

const remove = (name: string): Promise<void> =>
  changeAccounts(path, (accounts) => accounts.filter((account) => account.name !== name));

const enter = (name: string, password?: string, more: Partial<ConnectOptions> = {}): Promise<ChatClient> =>
  connect(url, { name, ...(password === undefined ? {} : { credentials: { password } }), ...more });

/** The code with which somebody is not let in. */
async function refused(name: string, credentials?: unknown): Promise<string> {
  try {
    await (await connect(url, { name, credentials })).close();
    return 'let in';
  } catch (error) {
    return ClientError.is(error) ? error.code : String(error);
  }
}

/** The error that ends a client for good. */
function endOf(client: ChatClient): Promise<ClientError | undefined> {
  return new Promise((resolve) => {
    const look = (): void =>
      void (client.state.status === 'closed' && resolve(client.state.reason as ClientError));
    client.on('state', look);
    look();
  });
}

it('of several servers with one log are the same, and what is changed ends sessions at each of them', async () => {
  await add('ada', 'correct horse');
  await add('bob', 'battery staple');
  const stream = new SharedStream();
  const start = async (): Promise<{ server: ChatServer; people: People; url: string }> => {
    people = await People.open({ accountFile: path, guests: true }, silent, { hasher, now: () => now });
    server = createChatServer({ hooks: people.hooks, log: createBlockLog(stream.transport()) });
    people.watch(server);
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    return { server, people, url: `tcp://127.0.0.1:${port}` };
  };
  const servers = [await start(), await start()];
  url = servers[0]!.url;
  const ada = await enter('ada', 'correct horse');
  url = servers[1]!.url;
  const bob = await enter('bob', 'battery staple');
  const ends = Promise.all([ada, bob].map(endOf));
  await add('ada', 'another horse');
  await remove('bob');
  const code = 'ERR_CLIENT_UNAUTHORIZED';
  expect(await ends).toMatchObject([{ code }, { code }]);
  for (const one of servers) {
    url = one.url;
    expect(await refused('ada', { password: 'correct horse' })).toBe(code);
    expect(await refused('ada', { password: 'another horse' })).toBe('let in');
    expect(await refused('bob')).toBe('let in');
  }
  servers[0]!.people.close();
  await servers[0]!.server.close();
});

describe('an account', () => {
  it('lets its owner in under its name, however that is written', async () => {
    await add('Ada', 'correct horse');
    await open();
    const ada = await enter('ADA', 'correct horse');
    expect(ada.name).toBe('Ada');
    await ada.close();
    expect(await refused('ada', 'correct horse')).toBe('let in');
  });

  it('refuses whoever does not know the password, and tells nobody which part was wrong', async () => {
    await add('ada', 'correct horse');
    await open();
    for (const credentials of ['wrong', { password: '' }, { password: 'x'.repeat(60_000) }, '']) {
      expect(await refused('ada', credentials)).toBe('ERR_CLIENT_UNAUTHORIZED');
    }
    const known = await enter('ada', 'wrong').catch((error: Error) => error.message);
    const unknown = await enter('nobody', 'wrong').catch((error: Error) => error.message);
    expect(known).toBe(unknown);
  });

  it('keeps its name from guests, look-alikes too, whether or not its owner is there', async () => {
    await add('paypal', 'correct horse');
    await open();
    for (const round of ['away', 'here']) {
      expect([round, await refused('paypaI')]).toEqual([round, 'ERR_CLIENT_NAME_TAKEN']);
      expect([round, await refused('раураl')]).toEqual([round, 'ERR_CLIENT_NAME_TAKEN']);
      // It may be the owner who has not said the password yet.
      expect([round, await refused('PayPal')]).toEqual([round, 'ERR_CLIENT_UNAUTHORIZED']);
      if (round === 'away') await enter('paypal', 'correct horse');
    }
    const guest = await enter('bob');
    await expect(guest.rename('paypaI')).rejects.toMatchObject({ code: 'ERR_CLIENT_NAME_TAKEN' });
    await guest.close();
  });

  it('lets its owner come in twice, as one user, and all its sessions end with it; a guest comes in once', async () => {
    await add('ada', 'correct horse');
    await open();
    const [phone, guest] = [await enter('ada', 'correct horse'), await enter('bob')];
    const laptop = await enter('ada', 'correct horse');
    const [lobby, other, guests] = await Promise.all([phone, laptop, guest].map((one) => one.join('lobby')));
    const seen = new Promise((resolve) => other!.on('message', resolve));
    await lobby!.send('hello');
    expect(await seen).toMatchObject({ value: 'hello', own: true, elsewhere: true });
    expect(Array.from(guests!.members.values(), ({ name }) => name).sort()).toEqual(['ada', 'bob']);
    expect(await refused('bob')).toBe('ERR_CLIENT_NAME_TAKEN');
    await remove('ada');
    for (const client of [phone, laptop]) expect((await endOf(client))?.code).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(guest.state.status).toBe('open');
    await guest.close();
  });

  it('may not rename itself to be somebody else', async () => {
    await add('ada', 'correct horse');
    await open();
    const ada = await enter('ada', 'correct horse');
    await expect(ada.rename('grace')).rejects.toMatchObject({ code: 'ERR_CLIENT_FORBIDDEN' });
    await ada.close();
  });
});

describe('a change of the accounts', () => {
  it.each([
    ['is removed', () => remove('ada')],
    ['has another password', () => add('ada', 'battery staple')],
    ['was removed and added again', () => remove('ada').then(() => add('ada', 'correct horse'))],
  ])('ends the sessions of one that %s at once, and no other', async (_what, change) => {
    await add('ada', 'correct horse');
    await add('bob', 'correct horse');
    await open();
    const [ada, bob, guest] = await Promise.all([
      enter('ada', 'correct horse'),
      enter('bob', 'correct horse'),
      enter('cleo'),
    ]);
    await change();
    const end = await endOf(ada);
    expect([end?.code, end?.message]).toEqual([
      'ERR_CLIENT_UNAUTHORIZED',
      'what let you in is good no more (4010)',
    ]);
    expect([bob.state.status, guest.state.status]).toEqual(['open', 'open']);
    await Promise.all([bob.close(), guest.close()]);
  });

  it('shows a guest out whose name somebody owns from now on', async () => {
    await open();
    const [guest, lookAlike] = await Promise.all([enter('ada'), enter('раураl')]);
    await add('ada', 'correct horse');
    await add('paypal', 'correct horse');
    expect((await endOf(guest))?.code).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect((await endOf(lookAlike))?.code).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect((await enter('ada', 'correct horse')).name).toBe('ada');
  });

  it.each([
    ['removed', () => remove('ada')],
    ['changed', () => add('ada', 'battery staple')],
  ])('%s while the password is looked at lets nobody in', async (_what, change) => {
    await add('ada', 'correct horse');
    await open();
    let openGate = (): void => {};
    hasher.gate = new Promise((resolve) => {
      openGate = resolve;
    });
    const looked = new Promise<void>((resolve) => {
      hasher.reached = resolve;
    });
    const answer = refused('ada', 'correct horse');
    await looked;
    await change();
    openGate();
    expect(await answer).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(server.sessions()).toEqual([]);
  });

  it('between the decision and the session ends it as it opens', async () => {
    await add('ada', 'correct horse');
    await open();
    // Said yes, and no session yet: where a log takes its time, that is a while.
    const visitor = { name: 'ada', address: '192.0.2.1', request: { clientId: '' } } as unknown as Visitor;
    const verdict = await people.hooks.authenticate!('correct horse', visitor, new AbortController().signal);
    people.close();
    await server.close();
    await remove('ada');
    server = createChatServer({ hooks: { authenticate: () => verdict } });
    people.watch(server);
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    url = `tcp://127.0.0.1:${port}`;
    expect(await refused('ada')).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(server.sessions()).toEqual([]);
  });

  it('that cannot be read changes nothing', async () => {
    await add('ada', 'correct horse');
    await open();
    const ada = await enter('ada', 'correct horse');
    writeFileSync(path, '{"version":1,"acc');
    expect(await refused('bob')).toBe('let in');
    expect(await refused('ada')).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(ada.state.status).toBe('open');
    await ada.close();
  });
});

describe('guests', () => {
  it('stay out where they are not wanted, whatever name they want', async () => {
    await add('ada', 'correct horse');
    await open({ guests: false });
    expect(await refused('bob')).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(await refused('bob', 'correct horse')).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(await refused('ada', 'correct horse')).toBe('let in');
  });
});

describe('a certificate', () => {
  const ask = (CN: unknown, credentials?: unknown) => {
    const request = { clientId: '', certificate: CN === undefined ? undefined : { subject: { CN } } };
    const visitor = { name: 'wished for', address: '192.0.2.1', request } as unknown as Visitor;
    return people.hooks.authenticate!(credentials, visitor, new AbortController().signal);
  };

  it('says the name of its client, where it may, and none that an account has', async () => {
    await add('ada', 'correct horse');
    await open({ certificates: true, guests: false });
    expect(await ask('bob')).toMatchObject({ ok: true, name: 'bob', claims: { user: 'bob' } });
    expect(await ask('аdа')).toMatchObject({ ok: false, code: 'name-taken' });
    for (const wrong of ['', ['bob', 'ada']]) expect(await ask(wrong)).toMatchObject({ ok: false });
    expect(await ask(undefined)).toMatchObject({ ok: false, asks: 'password' });
    expect(await ask('bob', 'hunter2')).toMatchObject({ ok: false, reason: 'wrong name or password' });
  });

  it('says nothing where nobody told the server to believe it', async () => {
    await open();
    expect(await ask('bob')).toMatchObject({ ok: true, claims: { proof: 'guest' } });
  });
});

describe('one password for all', () => {
  it('lets everybody in who knows it, under any name that is no account', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'sesame street\n');
    await add('ada', 'correct horse');
    await open({ passwordFile: file, guests: false });
    const bob = await enter('bob', ' sesame street ');
    expect(bob.name).toBe('bob');
    expect(await refused('cleo')).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(await refused('cleo', 'wrong')).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(await refused('ada', 'sesame street')).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect(await refused('аdа', 'sesame street')).toBe('ERR_CLIENT_NAME_TAKEN');
    expect(await refused('ada', 'correct horse')).toBe('let in');
    writeFileSync(file, 'another street\n');
    expect(await refused('cleo', 'sesame street')).toBe('ERR_CLIENT_UNAUTHORIZED');
    expect((await endOf(bob))?.code).toBe('ERR_CLIENT_UNAUTHORIZED');
  });
});

describe('1,000 guesses', () => {
  it('from one address are not all looked at, and do not lock the owner out', async () => {
    await add('ada', 'correct horse');
    await open();
    const ada = await enter('ada', 'correct horse');
    let looked = 0;
    hasher.reached = () => {
      looked++;
    };
    const guess = (i: number): ReturnType<NonNullable<typeof people.hooks.authenticate>> => {
      const visitor = { name: 'ada', address: '203.0.113.9', request: { clientId: `${i}` } };
      return people.hooks.authenticate!(
        `guess ${i}`,
        visitor as unknown as Visitor,
        new AbortController().signal,
      );
    };
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => guess(i)));
    expect(looked).toBe(10);
    const throttled = answers.filter((answer) => !answer.ok && answer.code === 'rate-limited');
    expect(throttled).toHaveLength(990);
    expect(throttled[0]).toMatchObject({ retryAfterMs: 6000 });
    expect(await refused('ada', 'correct horse')).toBe('let in');
    await ada.close();
  });

  it('close a connection of lines with a code, and no password is in what it is told', async () => {
    await add('ada', 'correct horse');
    await open();
    const socket = connectSocket(Number(new URL(url).port), '127.0.0.1');
    let told = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(`ada\n${'PASSWORD:hunter2\n'.repeat(9)}`);
    await closed;
    expect(told.match(/\*\*\* wrong name or password/g)).toHaveLength(9);
    expect(told).toMatch(/\(unauthorized\)\n$/);
    expect(told).not.toContain('hunter2');
  });
});
