/** Who may come in, and as whom: coming back, names that are taken, credentials that run out. */
import { FrameType, type Hello, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { AuthenticateResult } from '../../src/options/hooks.js';
import { MemoryChat, type MemoryClient } from '../support/memory-chat.js';
import { turn } from '../support/turn.js';
import { followChain } from '../support/wire-client.js';

const SECRET = 'a secret of the client';

/** The hello with which `client` comes back. */
function comeBack(client: MemoryClient, more: Partial<Hello> = {}, rooms: readonly string[] = []): Hello {
  const { session, secret, epoch, member } = client.welcome!;
  const positions = rooms.map((room) => ({ room, after: client.frames.reduce(latest, 0) }));
  const resume = { session, secret, epoch, rooms: positions, inbox: 0 };
  return { name: member.name, maxFrameBytes: 65_536, resume, ...more };
}

function latest(seq: number, frame: object): number {
  return 'prev' in frame && 'seq' in frame ? Math.max(seq, Number(frame.seq)) : seq;
}

/** How an attempt to come in ends: the accepted name, or the close code. */
async function knock(
  client: MemoryClient,
  hello: Partial<Hello> & { name: string },
): Promise<string | number> {
  client.greet(hello);
  return client.take(FrameType.Welcome).then(
    ({ welcome }) => welcome.member.name,
    async () => (await client.closed)!.code,
  );
}

describe('a hello whose welcome is lost', () => {
  it('does not keep the name, since its session ends with the connection', async () => {
    const memory = await MemoryChat.open();
    const torn = memory.connect();
    torn.greet({ name: 'ada' });
    torn.pipe.destroy();
    await turn();
    expect(memory.chat.sessions.count).toBe(0);
    expect(await knock(memory.connect(), { name: 'ada' })).toBe('ada');
    // Who has said something since knows its session, and so does one that was resumed.
    const ada = await memory.enter('bob');
    ada.pipe.destroy();
    const again = memory.connect();
    again.greet(comeBack(ada));
    again.pipe.destroy();
    await turn();
    expect(await knock(memory.connect(), { name: 'bob' })).toBe(4012);
  });

  it('does not keep the name from its own client while the server takes the connection for a living one', async () => {
    const memory = await MemoryChat.open();
    const deaf = memory.connect();
    deaf.greet({ name: 'ada', clientSecret: SECRET, attempt: 1 });
    expect(await knock(memory.connect(), { name: 'ada' })).toBe(4012);
    expect(await knock(memory.connect(), { name: 'ada', clientSecret: `${SECRET}!` })).toBe(4012);
    expect(await knock(memory.connect(), { name: 'ADA', clientSecret: SECRET, attempt: 2 })).toBe('ADA');
    expect(await deaf.closed).toMatchObject({ code: 4016 });
    expect(memory.chat.sessions.count).toBe(1);
  });

  it('is not kept from its client by a session that was left without a goodbye', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter({ name: 'ada', clientSecret: SECRET, attempt: 1 });
    const bob = await memory.enter('bob');
    const { handle } = await bob.join('lobby');
    await ada.join('lobby');
    ada.pipe.destroy();
    await turn();
    const again = await memory.enter({ name: 'ada', clientSecret: SECRET, attempt: 2 });
    expect(again.welcome).toMatchObject({ resumed: false, member: { name: 'ada' } });
    await turn();
    expect(bob.entries(handle).at(-1)).toMatchObject({ kind: NoticeKind.Left, name: 'ada' });
  });

  it('undoes nothing when it comes after a later one of the same client', async () => {
    const memory = await MemoryChat.open();
    const late = { name: 'ada', clientSecret: SECRET, attempt: 1 };
    const ada = await memory.enter({ ...late, attempt: 2 });
    expect(await knock(memory.connect(), late)).toBe(4016);
    // Resuming, as well: 3 was held up on its way, 4 has resumed.
    const third = comeBack(ada, { clientSecret: SECRET, attempt: 3 });
    const fourth = await memory.enter({ ...third, attempt: 4 });
    expect(fourth.welcome!.resumed).toBe(true);
    expect(await knock(memory.connect(), third)).toBe(4016);
    await turn();
    expect(fourth.gone).toBe(false);
    await fourth.join('lobby');
  });

  it.each<[string, Partial<Hello>]>([
    ['short secret', { clientSecret: 'x'.repeat(15) }],
    ['long secret', { clientSecret: 'x'.repeat(65) }],
    ['secret that is none', { clientSecret: 1 as unknown as string }],
    ['attempt below zero', { attempt: -1 }],
    ['attempt that is none', { attempt: '1' as unknown as number }],
  ])('is malformed with a %s', async (_what, more) => {
    const memory = await MemoryChat.open();
    expect(await knock(memory.connect(), { name: 'ada', ...more })).toBe(4005);
  });

  it('is not resumed with a secret that has as many characters and more bytes, and is no defect', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const hello = comeBack(ada);
    const secret = 'é'.repeat(hello.resume!.secret.length);
    expect(await knock(memory.connect(), { ...hello, resume: { ...hello.resume!, secret } })).toBe(4012);
    expect(memory.log.at('error')).toEqual([]);
  });
});

describe('a name that is taken', () => {
  it('gets a number that is free, however long it is and however many want it', async () => {
    const numbers = [0.1, 0.1, 0.5];
    const memory = await MemoryChat.open({ duplicateNames: 'suffix', random: () => numbers.shift() ?? 0.9 });
    const names: (string | number)[] = [];
    for (let i = 0; i < 12; i++) names.push(await knock(memory.connect(), { name: 'ada' }));
    expect(names).toEqual([
      'ada',
      ...[2, 3, 4, 5, 6, 7, 8, 9].map((n) => `ada-${n}`),
      'ada-1010',
      'ada-5010',
      'ada-9010',
    ]);
    for (const name of ['x'.repeat(32), '👩‍👩‍👧'.repeat(3), `${'ä'.repeat(31)}b`]) {
      expect(await knock(memory.connect(), { name })).toBe(name);
      const other = await knock(memory.connect(), { name });
      expect(other).toMatch(/-2$/);
      expect(name.startsWith(String(other).slice(0, -2))).toBe(true);
    }
  });

  it('is told in the line dialect when it is another than was wanted', async () => {
    const memory = await MemoryChat.open({ duplicateNames: 'suffix' });
    const [first, second] = [memory.connectLine(), memory.connectLine()];
    first.send('ada\n');
    second.send('ada\nhello\n');
    await turn(2);
    expect(first.text()).toBe('*** ada-2 has joined the chat\nada-2: hello\n');
    expect(second.text()).toBe('*** you are known as ada-2\n');
  });

  it('is taken over from whoever has it, who is told and does not come back', async () => {
    const hooks = { authenticate: () => ({ ok: true }) as const };
    const memory = await MemoryChat.open({ duplicateNames: 'takeover', hooks });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await bob.join('lobby');
    await ada.join('lobby');
    const line = memory.connectLine();
    line.send('ada\n');
    await turn(2);
    expect(await ada.closed).toMatchObject({ code: 4016 });
    expect(
      bob
        .entries(handle)
        .map((entry) => 'kind' in entry && [entry.name, entry.kind])
        .slice(-2),
    ).toEqual([
      ['ada', NoticeKind.Left],
      ['ada', NoticeKind.Joined],
    ]);
    // Else the two would take the name from each other for ever.
    const again = memory.connect();
    again.greet(comeBack(ada));
    expect(await again.closed).toMatchObject({ code: 4016 });
    expect(line.text()).toBe('');
  });
});

describe('credentials that run out', () => {
  async function open(answer: (credentials: unknown) => AuthenticateResult) {
    const asked: unknown[] = [];
    const memory = await MemoryChat.open({
      idleTimeoutMs: 1_000_000,
      hooks: {
        authenticate: (credentials, { memberId, name, claims }) => {
          asked.push([credentials, memberId, name, claims]);
          return answer(credentials);
        },
      },
    });
    return { memory, asked };
  }

  it('are asked for again without losing anything', async () => {
    const { memory, asked } = await open((credentials) => ({
      ok: true,
      name: 'ada',
      claims: credentials,
      expiresInMs: 60_000,
    }));
    const ada = await memory.enter({ name: 'x', credentials: 'one' });
    const { handle } = await ada.join('lobby');
    await turn();
    memory.clock.advance(59_000);
    await turn();
    expect(ada.gone).toBe(false);
    memory.clock.advance(2000);
    expect(await ada.closed).toMatchObject({ code: 4017 });
    memory.chat.log.append({
      room: 'lobby',
      type: FrameType.Message,
      codec: 1,
      kind: 0,
      sender: 9,
      name: new Uint8Array(),
      body: new TextEncoder().encode('meanwhile'),
      at: 0,
      publishId: 0,
      origin: undefined,
    });
    const again = await memory.enter(comeBack(ada, { credentials: 'two' }, ['lobby']));
    await turn();
    expect(again.welcome).toMatchObject({ resumed: true, member: ada.welcome!.member });
    expect(again.texts(handle)).toEqual(['meanwhile']);
    followChain(again.frames, handle, again.welcome!.rooms[0]!.start);
    expect(asked).toEqual([
      ['one', 0, 'x', undefined],
      ['two', 1, 'ada', 'one'],
    ]);
    expect(memory.infos.at(-1)).toMatchObject({ name: 'ada', claims: 'two' });
    // The new ones run out as well; until then nobody is asked about a resume.
    const third = await memory.enter(comeBack(again));
    expect(asked).toHaveLength(2);
    memory.clock.advance(61_000);
    expect(await third.closed).toMatchObject({ code: 4017 });
  });

  it('are not taken from a hello that comes late, nor do they help whoever is banned meanwhile', async () => {
    const decisions = new Map<unknown, (result: AuthenticateResult) => void>();
    const memory = await MemoryChat.open({
      hooks: { authenticate: (credentials) => new Promise((decide) => decisions.set(credentials, decide)) },
    });
    const first = memory.connect();
    const entering = first.enter({ name: 'ada', clientSecret: SECRET, attempt: 1, credentials: 'one' });
    decisions.get('one')!({ ok: true, claims: 'one' });
    await entering;
    const session = memory.chat.sessions.find('ada')!;
    session.reauthenticate('');
    const [late, next] = [memory.connect(), memory.connect()];
    late.greet(comeBack(first, { clientSecret: SECRET, attempt: 2, credentials: 'two' }));
    next.greet(comeBack(first, { clientSecret: SECRET, attempt: 3, credentials: 'three' }));
    decisions.get('three')!({ ok: true, claims: 'three' });
    expect((await next.take(FrameType.Welcome)).welcome.resumed).toBe(true);
    decisions.get('two')!({ ok: true, claims: 'two' });
    expect(await late.closed).toMatchObject({ code: 4016 });
    expect([session.info.claims, next.gone]).toEqual(['three', false]);
    const other = memory.connect({ address: '192.0.2.9' });
    other.greet({ name: 'eve', credentials: 'four' });
    await turn();
    memory.chat.operator.banAddress('192.0.2.9', 1000, '');
    decisions.get('four')!({ ok: true });
    expect(await other.closed).toMatchObject({ code: 4015, retryAfterMs: 1000 });
  });

  it('are asked for when the operator wants to see new ones', async () => {
    const { memory, asked } = await open(() => ({ ok: true, expiresInMs: Number.POSITIVE_INFINITY }));
    const ada = await memory.enter('ada');
    memory.chat.sessions.find('ada')!.reauthenticate('show me');
    expect(await ada.closed).toMatchObject({ code: 4017, reason: 'show me' });
    expect((await memory.enter(comeBack(ada, { credentials: 'new' }))).welcome!.resumed).toBe(true);
    expect(asked.at(-1)).toEqual(['new', 1, 'ada', undefined]);
  });

  it('that are not renewed end it, and whoever has them may still not come in', async () => {
    const { memory } = await open((credentials) =>
      credentials === 'old' ? { ok: true, expiresInMs: 1000 } : { ok: false, reason: 'expired' },
    );
    const ada = await memory.enter({ name: 'ada', credentials: 'old' });
    memory.clock.advance(1500);
    await ada.closed;
    expect(await knock(memory.connect(), comeBack(ada, { credentials: 'bad' }))).toBe(4010);
    memory.clock.advance(31_000);
    expect(memory.chat.sessions.count).toBe(0);
  });

  it('close a line, which cannot show new ones', async () => {
    const { memory } = await open(() => ({ ok: true, expiresInMs: 1000 }));
    const line = memory.connectLine();
    line.send('ada\n');
    await turn();
    memory.clock.advance(1500);
    expect(line.text()).toBe('*** the credentials have run out (credentials-expired)\n');
    expect(memory.chat.sessions.count).toBe(0);
  });

  it.each([0, -1, Number.NaN])('after %s ms are a defect of the hook', async (expiresInMs) => {
    const { memory } = await open(() => ({ ok: true, expiresInMs }));
    expect(await knock(memory.connect(), { name: 'ada' })).toBe(4030);
    expect(memory.log.at('error')).toHaveLength(1);
  });
});

it('tells of a session that is lost or has ended where it came from and what it spoke', async () => {
  const memory = await MemoryChat.open();
  const ada = await memory.enter('ada', { address: '192.0.2.7' });
  ada.pipe.destroy();
  await turn();
  memory.clock.advance(31_000);
  const line = memory.connectLine();
  line.send('nc\n/quit\n');
  await turn();
  expect(
    memory.events.map(([event], index) => [
      event,
      memory.infos[index]!.address,
      memory.infos[index]!.dialect,
    ]),
  ).toEqual([
    ['session-opened', '192.0.2.7', 'binary'],
    ['session-away', '192.0.2.7', 'binary'],
    ['session-ended', '192.0.2.7', 'binary'],
    ['session-opened', '192.0.2.1', 'line'],
    ['session-ended', '192.0.2.1', 'line'],
  ]);
});
