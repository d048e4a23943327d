/** What members do and see, over memory links. */
import { FailureCode, type Member } from '@chat/protocol';
import { encodeFrame, FrameType, type Joined, NoticeKind, type RoomInfo } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../../src/options/options.js';
import { MemoryChat } from '../support/memory-chat.js';
import { turn } from '../support/turn.js';
import { followChain } from '../support/wire-client.js';

describe('a room', () => {
  it('sends every entry to every member, the sender too, in one order with one chain', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const bob = await memory.enter('bob');
    const adas = await ada.join('lobby');
    const bobs = await bob.join('lobby');
    for (let i = 0; i < 20; i++) {
      ada.publish(adas.handle, `a${i}`);
      bob.publish(bobs.handle, `b${i}`);
    }
    await turn(2);
    const texts = Array.from({ length: 20 }, (_, i) => [`a${i}`, `b${i}`]).flat();
    expect(ada.texts(adas.handle)).toEqual(texts);
    expect(bob.texts(bobs.handle)).toEqual(texts);
    expect(followChain(ada.frames, adas.handle, adas.start)).toBe(
      followChain(bob.frames, bobs.handle, bobs.start),
    );
    expect(ada.entries(adas.handle).at(-2)).toMatchObject({ sender: ada.welcome!.member.id, name: 'ada' });
  });

  it('answers a join with the members and the position of one moment, before any entry', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const first = await ada.join('Lobby');
    await ada.say(first.handle, 'one');
    await ada.say(first.handle, 'two');
    const bob = await memory.enter('bob');
    const joined = await bob.join('LOBBY', { history: 1 });
    await turn();
    expect(joined).toMatchObject({ room: 'Lobby', handle: first.handle, memberCount: 2 });
    expect(joined.members.map(({ name }) => name)).toEqual(['ada', 'bob']);
    const response = bob.frames.findIndex(({ type }) => type === FrameType.Response);
    const entry = bob.frames.findIndex(({ type }) => type === FrameType.Message);
    expect(response).toBeLessThan(entry);
    const entries = bob.entries(joined.handle);
    expect(
      entries.map(({ body, type }) => (type === FrameType.Message ? String.fromCharCode(...body) : type)),
    ).toEqual(['two', FrameType.Notice]);
    expect(entries[0]).toMatchObject({ prev: joined.start, seq: joined.head });
    expect(entries[1]).toMatchObject({ kind: NoticeKind.Joined, sender: bob.welcome!.member.id });
  });

  it('streams all that it holds to one who comes back from another epoch, with a gap before it', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'said before bob was back');
    const bob = await memory.enter('bob');
    const joined = await bob.join('lobby', { after: 77, epoch: 'an earlier life' });
    await turn();
    expect(joined).toMatchObject({ start: 0, gap: { from: 77, to: 0 } });
    expect(bob.texts(handle)).toEqual(['said before bob was back']);
    followChain(bob.frames, handle, joined.start);
  });

  it('streams nothing twice when it is joined twice', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const first = await ada.join('lobby', { history: 10 });
    await ada.say(first.handle, 'one');
    const again = await ada.join('lobby');
    await ada.say(first.handle, 'two');
    expect(again).toMatchObject({ handle: first.handle, memberCount: 1 });
    expect(ada.texts(first.handle)).toEqual(['one', 'two']);
    expect(again.start).toBe(ada.entries(first.handle).at(-2)!.seq);
    followChain(ada.frames, first.handle, first.start);
  });

  it('goes back to where one wants who has joined already: the stream of a join that was given up is not lost', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const { handle, head } = await ada.join('lobby');
    for (const text of ['one', 'two', 'three']) await ada.say(handle, text);
    const since = ada.entries(handle)[1]!.seq;
    for (const [wish, texts] of [
      [{ after: since, epoch: memory.chat.log.epoch }, ['two', 'three']],
      [{ history: 2 }, ['two', 'three']],
      [{ after: head }, ['one', 'two', 'three']],
    ] as const) {
      ada.frames.length = 0;
      const again = await ada.join('lobby', wish);
      await turn();
      expect(ada.texts(handle)).toEqual(texts);
      expect(followChain(ada.frames, handle, again.start)).toBe(again.head);
    }
  });

  it('never goes forward for one who has joined already and is behind', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    const joined = await bob.join('lobby');
    await turn();
    bob.link.stall();
    for (let i = 0; i < 5; i++) {
      await ada.say(handle, `${i}`);
      await turn();
    }
    const again = bob.join('lobby', { history: 1 });
    bob.link.flow();
    await turn();
    expect((await again).start).toBeLessThan(ada.entries(handle)[3]!.seq);
    expect(bob.texts(handle)).toEqual(['0', '1', '2', '3', '4']);
    followChain(bob.frames, handle, joined.start);
  });

  it('says what of a forgotten room one who comes back to it cannot get any more', async () => {
    const memory = await MemoryChat.open({ emptyRoomTtlMs: 1000 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('project');
    await bob.join('project');
    await ada.ask({ op: 'leave', room: 'project' });
    const after = ada.entries(handle).at(-1)!.seq;
    const missed = await bob.say(handle, 'important');
    await bob.ask({ op: 'leave', room: 'project' });
    memory.clock.advance(1500);
    expect(memory.chat.rooms.size).toBe(0);
    const epoch = memory.chat.log.epoch;
    const back = await ada.join('project', { after, epoch });
    expect(back.gap?.from).toBe(after);
    expect(back.gap!.to).toBe(back.start);
    expect(back.start).toBeGreaterThanOrEqual(missed);
    expect(back.handle).not.toBe(handle);
    await turn();
    // Whoever has seen the last of it has missed nothing.
    expect((await bob.join('project', { after: back.start, epoch })).gap).toBeUndefined();
    followChain(ada.frames, back.handle, back.start);
  });

  it('tells one who leaves what it was not sent, since it was behind', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    await turn();
    bob.link.stall();
    await ada.say(handle, 'sent, and not read');
    await turn();
    const last = await ada.say(handle, 'not sent');
    const left = bob.ask({ op: 'leave', room: 'lobby' });
    await turn();
    bob.link.flow();
    await left;
    expect(bob.texts(handle)).toEqual(['sent, and not read']);
    const gap = await bob.take(FrameType.Gap);
    expect(gap).toMatchObject({ room: handle, to: last });
    expect(gap.from).toBe(bob.entries(handle).at(-1)!.seq);
    // In its place: before the answer.
    expect(bob.frames.findIndex(({ type }) => type === FrameType.Gap)).toBeLessThan(bob.frames.length - 1);
  });

  it('is not joined for a connection that has gone while a hook decided', async () => {
    const decisions: (() => void)[] = [];
    const authorize = () => new Promise<boolean>((answer) => decisions.push(() => answer(true)));
    const memory = await MemoryChat.open({ hooks: { authorize } });
    const ada = await memory.enter('ada');
    ada.join('lobby').catch(() => {});
    await turn();
    ada.pipe.destroy();
    await turn();
    const { session, secret, epoch } = ada.welcome!;
    const again = memory.connect();
    const welcome = await again.enter({
      name: 'ada',
      resume: { session, secret, epoch, rooms: [], inbox: 0 },
    });
    expect(welcome).toMatchObject({ resumed: true, rooms: [] });
    for (const answer of decisions.splice(0)) answer();
    await turn();
    expect(memory.chat.rooms.size).toBe(0);
    const joining = again.join('lobby');
    await turn();
    for (const answer of decisions.splice(0)) answer();
    expect((await joining).memberCount).toBe(1);
  });

  it('is joined at one place, also where the join makes others leave who read too slowly', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, retentionEntries: 16, slowConsumer: 'close' });
    const [slow, ada] = [await memory.enter('slow'), await memory.enter('ada')];
    const { handle } = await ada.join('lobby');
    await slow.join('lobby');
    await turn();
    slow.link.stall();
    // Now or at any number of entries before it is dropped, the join of somebody finds it lagging.
    for (let i = 0; memory.chat.counters.readersClosed === 0; i++) {
      const name = `guest ${i}`;
      const guest = await memory.enter(name);
      const joined = await guest.join('lobby');
      await turn();
      const [first] = guest.entries(handle);
      expect(first).toMatchObject({ type: FrameType.Notice, name, prev: joined.head });
      followChain(guest.frames, handle, joined.start);
      await ada.say(handle, 'x');
    }
  });

  it('sends nothing after the answer to leave, and everything before it', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const bob = await memory.enter('bob');
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    bob.publish(handle, 'before');
    const left = ada.ask<{ left: boolean }>({ op: 'leave', room: 'LOBBY' });
    bob.publish(handle, 'after');
    expect(await left).toEqual({ left: true });
    await turn(2);
    expect(ada.texts(handle)).toEqual(['before']);
    expect(ada.frames.at(-1)).toMatchObject({ type: FrameType.Response });
    expect(
      bob
        .entries(handle)
        .filter(({ type }) => type === FrameType.Notice)
        .at(-1),
    ).toMatchObject({
      kind: NoticeKind.Left,
      name: 'ada',
    });
    expect(await ada.ask({ op: 'leave', room: 'lobby' })).toEqual({ left: false });
  });

  it('owes nothing to one who joined and left within a turn', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const joining = ada.join('lobby');
    const leaving = ada.ask({ op: 'leave', room: 'lobby' });
    const { handle } = await joining;
    await leaving;
    await turn(2);
    const answered = ada.frames.findLastIndex(({ type }) => type === FrameType.Response);
    expect(ada.frames.slice(answered + 1)).toEqual([]);
    expect(ada.entries(handle).every(({ sender }) => sender === ada.welcome!.member.id)).toBe(true);
  });

  it('tells nobody of a loss when the server itself sent somebody away', async () => {
    const memory = await MemoryChat.open({
      maxMessagesPerSecond: 1,
      maxMessageBurst: 4,
      maxRateViolations: 1,
    });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const [garbage, huge, flood] = await Promise.all(
      ['garbage', 'huge', 'flood', 'kicked'].map(async (name) => {
        const client = await memory.enter(name);
        await client.join('lobby');
        return client;
      }),
    );
    garbage!.pipe.write(Uint8Array.of(8, 0, 0, 0, 0x7f, 0, 0, 0));
    huge!.pipe.write(Uint8Array.of(0xff, 0xff, 0xff, 0x7f, FrameType.Publish, 0, 0, 0));
    const body = new TextEncoder().encode('x');
    flood!.send(
      ...Array.from({ length: 9 }, (_, i) => ({
        type: FrameType.Publish,
        room: handle,
        publishId: i + 1,
        codec: 1,
        body,
      })),
    );
    memory.chat.operator.kick('kicked', 'out');
    await turn(3);
    // This one might have come back for a while.
    memory.clock.advance(31_000);
    await turn();
    const left = ada.entries(handle).filter((entry) => 'kind' in entry && entry.kind !== NoticeKind.Joined);
    expect(left.map((entry) => [entry.name, 'kind' in entry && entry.kind]).sort()).toEqual(
      ['flood', 'garbage', 'huge', 'kicked'].map((name) => [name, NoticeKind.Left]),
    );
  });

  it('tells goodbye, loss and rename apart', async () => {
    const memory = await MemoryChat.open({ resumeWindowMs: 1000 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const [bob, carol] = [await memory.enter('bob'), await memory.enter('carol')];
    await bob.join('lobby');
    await carol.join('lobby');
    await bob.ask({ op: 'rename', name: 'bobby' });
    bob.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    carol.pipe.destroy();
    await turn(2);
    const notices = () =>
      ada
        .entries(handle)
        .slice(3)
        .map((entry) => 'kind' in entry && [entry.kind, entry.name]);
    expect(notices()).toEqual([
      [NoticeKind.Renamed, 'bob'],
      [NoticeKind.Left, 'bobby'],
    ]);
    expect(new TextDecoder().decode(ada.entries(handle).at(-2)!.body)).toBe('bobby');
    memory.clock.advance(1500);
    await turn(2);
    expect(notices().at(-1)).toEqual([NoticeKind.Gone, 'carol']);
    expect(memory.events.map(([event, name]) => `${name} ${event}`)).toEqual([
      'ada session-opened',
      'bob session-opened',
      'carol session-opened',
      'bobby session-ended',
      'carol session-away',
      'carol session-ended',
    ]);
  });

  it('is forgotten with its history some time after the last one left, and not before', async () => {
    const memory = await MemoryChat.open({ emptyRoomTtlMs: 5000 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'one');
    await ada.ask({ op: 'leave', room: 'lobby' });
    memory.clock.advance(4000);
    const again = await ada.join('lobby', { history: 10 });
    expect(again.handle).toBe(handle);
    expect(again.start).toBeLessThan(again.head);
    memory.clock.advance(10_000);
    expect(memory.chat.rooms.size).toBe(1);
    await ada.ask({ op: 'leave', room: 'lobby' });
    memory.clock.advance(6000);
    expect(memory.chat.rooms.size).toBe(0);
    expect(memory.chat.rooms.logBytes).toBe(0);
    const anew = await ada.join('lobby', { history: 10 });
    expect(anew.handle).not.toBe(handle);
    expect(anew.start).toBe(anew.head);
  });

  it('names its members, its rooms and its past page by page', async () => {
    const memory = await MemoryChat.open({ maxMessagesPerSecond: Number.POSITIVE_INFINITY });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    for (let i = 0; i < 130; i++) await (await memory.enter(`member ${i}`)).join('lobby');
    for (let i = 0; i < 60; i++) await ada.join(`room-${String(i).padStart(2, '0')}`);

    const names: string[] = [];
    let cursor: number | undefined;
    do {
      const page = await ada.ask<{ members: Member[]; memberCount: number; cursor?: number }>({
        op: 'members',
        room: 'lobby',
        limit: 40,
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(page.memberCount).toBe(131);
      names.push(...page.members.map(({ name }) => name));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(names).toEqual(['ada', ...Array.from({ length: 130 }, (_, i) => `member ${i}`)]);

    const rooms: string[] = [];
    let next: string | undefined;
    do {
      const page = await ada.ask<{ rooms: RoomInfo[]; cursor?: string }>({
        op: 'rooms',
        prefix: 'ROOM',
        limit: 25,
        ...(next === undefined ? {} : { cursor: next }),
      });
      rooms.push(...page.rooms.map(({ room }) => room));
      next = page.cursor;
    } while (next !== undefined);
    expect(rooms).toEqual(Array.from({ length: 60 }, (_, i) => `room-${String(i).padStart(2, '0')}`));

    for (let i = 0; i < 30; i++) await ada.say(handle, `${i}`);
    const last = await ada.history('lobby', { limit: 10 });
    const before = await ada.history('lobby', { limit: 500, before: last.entries[0]!.seq });
    expect([last.end, before.end]).toEqual([false, true]);
    const after = await ada.history('lobby', { limit: 500, after: before.entries.at(-1)!.seq });
    expect(after).toEqual({ entries: last.entries, end: true, frames: 1 });
    expect(before.entries.length + last.entries.length).toBe(131 + 30);
  });

  it('cuts a long page of history into frames that the client takes', async () => {
    const memory = await MemoryChat.open({ maxFrameBytes: 4096, maxLineBytes: 1000 });
    const name = 'ö'.repeat(32);
    expect(new TextEncoder().encode(name)).toHaveLength(64);
    const ada = await memory.enter(name);
    const { maxMessageBytes } = ada.welcome!.limits;
    const { handle } = await ada.join('lobby');
    const bodies = [maxMessageBytes, 0, 100, maxMessageBytes, maxMessageBytes - 1, 3].map((size, i) =>
      new Uint8Array(size).fill(i),
    );
    for (const body of bodies) await ada.say(handle, body);
    const page = await ada.history('lobby');
    expect(page.frames).toBeGreaterThan(3);
    const frames = ada.frames.flatMap((frame) =>
      frame.type === FrameType.History ? encodeFrame(frame).length : [],
    );
    expect(Math.max(...frames)).toBeLessThanOrEqual(4096);
    expect(page.entries.slice(1).map(({ body }) => body.length)).toEqual(bodies.map(({ length }) => length));
    const refused = ada.publish(handle, new Uint8Array(maxMessageBytes + 1));
    expect(await ada.take(FrameType.Nack)).toMatchObject({
      publishId: refused,
      failure: { code: FailureCode.TooLarge, max: maxMessageBytes, actual: maxMessageBytes + 1 },
    });
  });

  it('keeps every answer within the frame size, however long the names are', async () => {
    const memory = await MemoryChat.open({ maxFrameBytes: 4096, maxLineBytes: 1000 });
    const name = (i: number): string => `"${'é'.repeat(26)}${String(i).padStart(4, '0')}"`;
    const sizes: number[] = [];
    const ada = await memory.enter('ada');
    const { onOutput } = ada.link;
    ada.link.onOutput = (bytes) => {
      sizes.push(bytes.length);
      onOutput(bytes);
    };
    for (let i = 0; i < 80; i++) await (await memory.enter(name(i))).join('lobby');
    const joined = await ada.join('lobby');
    expect(joined.memberCount).toBe(81);
    expect(joined.members.length).toBeLessThan(64);
    const seen = new Set<string>();
    for (let cursor: number | undefined = 0; cursor !== undefined; ) {
      const page: { members: Member[]; cursor?: number } = await ada.ask({
        op: 'members',
        room: 'lobby',
        cursor,
        limit: 200,
      });
      for (const member of page.members) seen.add(member.name);
      cursor = page.cursor;
    }
    expect(seen.size).toBe(81);
    const responses = ada.frames.filter(({ type }) => type === FrameType.Response);
    for (const response of responses) expect(JSON.stringify(response).length).toBeLessThan(4096);
  });
});

describe('requests that cannot be carried out', () => {
  it.each([
    [{ op: 'join', room: 'a b' }, FailureCode.RoomInvalid],
    [{ op: 'join', room: 'x'.repeat(10_000) }, FailureCode.RoomInvalid],
    [{ op: 'join', room: '' }, FailureCode.RoomInvalid],
    [{ op: 'join', room: 7 }, FailureCode.BadRequest],
    [{ op: 'join', room: 'x', history: -1 }, FailureCode.BadRequest],
    [{ op: 'join', room: 'x', after: 1.5 }, FailureCode.BadRequest],
    [{ op: 'join', room: 'x', after: 2 ** 48 }, FailureCode.BadRequest],
    [{ op: 'join', room: 'x', epoch: 1 }, FailureCode.BadRequest],
    [{ op: 'leave' }, FailureCode.BadRequest],
    [{ op: 'rename', name: 'a\nb' }, FailureCode.NameInvalid],
    [{ op: 'rename', name: ['ada'] }, FailureCode.BadRequest],
    [{ op: 'rename', name: 'BÓB' }, FailureCode.NameTaken],
    [{ op: 'rooms', limit: 0 }, FailureCode.BadRequest],
    [{ op: 'rooms', cursor: 1 }, FailureCode.BadRequest],
    [{ op: 'members', room: 'nowhere' }, FailureCode.NotMember],
    [{ op: 'members', room: 'lobby', cursor: 'x' }, FailureCode.BadRequest],
    [{ op: 'history', room: 'elsewhere' }, FailureCode.NotMember],
    [{ op: 'history', room: 'lobby', before: -1 }, FailureCode.BadRequest],
    [{ op: 'constructor' }, FailureCode.BadRequest],
    [{ op: '__proto__', room: 'lobby' }, FailureCode.BadRequest],
    [{}, FailureCode.BadRequest],
  ])('%j fails with %s, and the connection goes on', async (request, code) => {
    const memory = await MemoryChat.open();
    await memory.enter('bób');
    const ada = await memory.enter('ada');
    await ada.join('lobby');
    expect(await ada.request(request)).toMatchObject({ type: FrameType.Failed, failure: { code } });
    expect(await ada.ask({ op: 'rename', name: 'still here' })).toEqual({ name: 'still here' });
  });

  it('names the field of a request that does not fit', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    expect(await ada.request({ op: 'join', room: 'x', history: -1 })).toMatchObject({
      failure: { message: 'bad request: join.history must be an integer from 0 to 281474976710655, got -1' },
    });
  });

  it('does not make a room for one who may not be in another', async () => {
    const memory = await MemoryChat.open({ maxRoomsPerSession: 1 });
    const ada = await memory.enter('ada');
    await ada.join('one');
    for (let i = 0; i < 20; i++) await ada.request({ op: 'join', room: `r${i}` });
    expect(memory.chat.rooms.size).toBe(1);
  });
});

describe('names', () => {
  it.each(['Ada', 'ADA', 'аda', 'a\u200dda'])('refuses %j while ada is here', async (name) => {
    const memory = await MemoryChat.open();
    await memory.enter('ada');
    const other = memory.connect();
    other.greet({ name });
    expect((await other.closed)?.code).toBe(name === 'a\u200dda' ? 4013 : 4012);
  });

  it('are free at once after a goodbye and a rename, and after the window when the connection broke', async () => {
    const memory = await MemoryChat.open({ resumeWindowMs: 2000 });
    const enters = async (name: string): Promise<boolean> => {
      const client = memory.connect();
      client.greet({ name });
      return client.take(FrameType.Welcome).then(
        () => true,
        () => false,
      );
    };
    const ada = await memory.enter('ada');
    await ada.ask({ op: 'rename', name: 'grace' });
    expect(await enters('ada')).toBe(true);
    ada.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    expect(await enters('grace')).toBe(true);
    const torn = await memory.enter('torn');
    torn.pipe.destroy();
    expect(await enters('torn')).toBe(false);
    memory.clock.advance(1500);
    expect(await enters('torn')).toBe(false);
    memory.clock.advance(1000);
    expect(await enters('torn')).toBe(true);
  });

  it.each(['__proto__', 'constructor', 'toString'])('lets %s be a user and a room', async (name) => {
    const memory = await MemoryChat.open();
    const client = await memory.enter(name);
    const joined = await client.join(name);
    expect(joined).toMatchObject({ room: name, members: [{ name }] });
    await client.say(joined.handle, 'text');
    expect(client.texts(joined.handle)).toEqual(['text']);
  });
});

describe('publishing', () => {
  it('answers each number once, again when it comes again, and never out of order', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const publish = (publishId: number, text: string): void =>
      ada.send({
        type: FrameType.Publish,
        room: handle,
        publishId,
        codec: 1,
        body: new TextEncoder().encode(text),
      });
    publish(1, 'one');
    publish(3, 'three');
    publish(2, 'two');
    publish(1, 'one again');
    publish(0, 'zero');
    await turn(2);
    expect(ada.texts(handle)).toEqual(['one', 'two']);
    const answers = ada.frames.filter(
      (frame) => frame.type === FrameType.Ack || frame.type === FrameType.Nack,
    );
    const [one, , two] = ada
      .entries(handle)
      .slice(1)
      .flatMap((entry) => [entry.seq, 0]);
    expect(answers).toMatchObject([
      { publishId: 1, seq: one },
      { publishId: 3, failure: { code: FailureCode.OutOfOrder } },
      { publishId: 2, seq: two },
      { publishId: 1, seq: one },
      { publishId: 0, failure: { code: FailureCode.OutOfOrder } },
    ]);
  });

  it('uses up a number that is refused, and gives the same answer again', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    ada.publish(99, 'nowhere');
    expect(await ada.take(FrameType.Nack)).toMatchObject({
      publishId: 1,
      failure: { code: FailureCode.NotMember },
    });
    const { handle } = await ada.join('lobby');
    ada.send({ type: FrameType.Publish, room: handle, publishId: 1, codec: 1, body: new Uint8Array(1) });
    expect(await ada.take(FrameType.Nack)).toMatchObject({
      publishId: 1,
      failure: { code: FailureCode.NotMember },
    });
    ada.publish(handle, 'here');
    expect(await ada.take(FrameType.Ack)).toMatchObject({ publishId: 2 });
  });

  it('carries any bytes under any codec as they are', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const bodies = [
      new Uint8Array(0),
      Uint8Array.of(0, 13, 10, 0, 255),
      new TextEncoder().encode('🎈\0\r\n'),
    ];
    for (const [i, body] of bodies.entries()) ada.publish(handle, body, i === 1 ? 200 : i);
    await turn(2);
    const messages = ada.entries(handle).filter((entry) => entry.type === FrameType.Message);
    expect(messages.map((entry) => 'codec' in entry && [entry.codec, entry.body])).toEqual([
      [0, bodies[0]],
      [200, bodies[1]],
      [2, bodies[2]],
    ]);
  });
});

describe('direct messages', () => {
  it('arrive in the inbox of one member, with a chain of its own', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const bob = await memory.enter('bob');
    const { inbox } = bob.welcome!;
    const to = (name: string, text: string): void =>
      ada.send({
        type: FrameType.Direct,
        publishId: ++ada.publishId,
        codec: 1,
        to: name,
        body: new TextEncoder().encode(text),
      });
    to('BOB', 'one');
    to('bob', 'two');
    to('nobody', 'three');
    await turn(2);
    expect(bob.texts(inbox.handle)).toEqual(['one', 'two']);
    expect(followChain(bob.frames, inbox.handle, inbox.start)).toBeGreaterThan(0);
    expect(ada.frames.filter(({ type }) => type === FrameType.Ack)).toHaveLength(2);
    expect(await ada.take(FrameType.Nack)).toMatchObject({
      publishId: 3,
      failure: { code: FailureCode.NoSuchUser },
    });
    expect(ada.entries(inbox.handle)).toEqual([]);
  });
});

describe('signals', () => {
  it('go to the other members, filled in, and are kept for nobody', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob, carol] = [
      await memory.enter('ada'),
      await memory.enter('bob'),
      await memory.enter('carol'),
    ];
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    await carol.join('lobby');
    carol.pipe.pause();
    ada.publish(handle, 'text');
    await turn();
    ada.send({ type: FrameType.Signal, room: handle, sender: 0, name: '', codec: 2, body: Uint8Array.of(1) });
    await turn();
    carol.pipe.resume();
    await turn();
    expect(bob.frames.filter(({ type }) => type === FrameType.Signal)).toEqual([
      {
        type: FrameType.Signal,
        room: handle,
        sender: ada.welcome!.member.id,
        name: 'ada',
        codec: 2,
        body: Uint8Array.of(1),
      },
    ]);
    for (const other of [ada, carol])
      expect(other.frames.filter(({ type }) => type === FrameType.Signal)).toEqual([]);
    expect(carol.texts(handle)).toEqual(['text']);
    const dave = await memory.enter('dave');
    dave.send({
      type: FrameType.Signal,
      room: handle,
      sender: 0,
      name: '',
      codec: 2,
      body: Uint8Array.of(1),
    });
    await turn();
    expect(bob.frames.filter(({ type }) => type === FrameType.Signal)).toHaveLength(1);
  });
});

describe('kick and ban', () => {
  it('end the session for good, with a code that tells the client not to come back', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const bob = await memory.enter('bob');
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    expect(memory.chat.operator.kick('nobody', '')).toBe(false);
    expect(memory.chat.operator.kick('BOB', 'enough')).toBe(true);
    expect(await bob.closed).toMatchObject({ code: 4014, reason: 'enough' });
    await turn(2);
    expect(ada.entries(handle).at(-1)).toMatchObject({ kind: NoticeKind.Left, name: 'bob' });
    expect(memory.chat.sessions.find('bob')).toBeUndefined();
    const { session, secret, epoch } = bob.welcome!;
    const again = memory.connect();
    again.greet({ name: 'bob', resume: { session, secret, epoch, rooms: [], inbox: 0 } });
    expect(await again.closed).toMatchObject({ code: 4014, reason: 'enough' });
  });

  it('bans an address for as long as said, also for longer than 32 bits of milliseconds', async () => {
    const memory = await MemoryChat.open();
    for (const durationMs of [60_000, 2 ** 40]) {
      const name = `m${durationMs}`;
      await memory.enter(name, { address: '192.0.2.9' });
      expect(memory.chat.operator.ban(name, durationMs, '')).toBe(true);
      const again = memory.connect({ address: '192.0.2.9' });
      again.greet({ name: 'other' });
      expect(await again.closed).toMatchObject({
        code: 4015,
        retryAfterMs: Math.min(durationMs, 2 ** 32 - 1),
      });
      await memory.enter(`elsewhere ${durationMs}`, { address: '192.0.2.8' });
      memory.clock.advance(durationMs === 60_000 ? 60_001 : 0);
    }
  });
});

it('names a joined room as its first member wrote it', async () => {
  const memory = await MemoryChat.open();
  const ada = await memory.enter('ada');
  const joined: Joined = await ada.join('#Ünïcode');
  expect((await (await memory.enter('bob')).join('#ÜNÏCODE')).room).toBe(joined.room);
});
