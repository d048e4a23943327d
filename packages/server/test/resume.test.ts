/** A session outlives its connection: nothing is lost, nothing doubled, or it is said. */
import { FailureCode } from '@chat/protocol';
import {
  type Entry,
  encodeFrame,
  FrameType,
  type Hello,
  type Joined,
  NoticeKind,
} from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { Draft } from '../src/log/entry.js';
import type { EventLog, LogConsumer } from '../src/log/event-log.js';
import { UNLIMITED } from '../src/options/options.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { seeded } from './support/seeded.js';
import { turn } from './support/turn.js';
import { followChain } from './support/wire-client.js';
import { isOpening } from './support/wire-reader.js';

type Resume = NonNullable<Hello['resume']>;

/** The hello with which `client` comes back. */
function comeBack(client: MemoryClient, rooms: Resume['rooms'], more: Partial<Resume> = {}): Hello {
  const { session, secret, epoch, member } = client.welcome!;
  return {
    name: member.name,
    maxFrameBytes: 65_536,
    resume: { session, secret, epoch, rooms, inbox: 0, ...more },
  };
}

describe('a torn session', () => {
  it('goes on where the client was, under the same member, and nobody was told', async () => {
    const memory = await MemoryChat.open();
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    await ada.say(handle, 'seen');
    await turn();
    const after = ada.entries(handle).at(-1)!.seq;
    ada.pipe.destroy();
    await bob.say(handle, 'missed');
    const again = memory.connect();
    const welcome = await again.enter(comeBack(ada, [{ room: 'LOBBY', after }]));
    await bob.say(handle, 'live');
    await turn();
    expect(welcome).toMatchObject({
      resumed: true,
      session: ada.welcome!.session,
      member: ada.welcome!.member,
      lastPublishId: 1,
      rooms: [{ room: 'lobby', handle, start: after, memberCount: 2 }],
    });
    expect(again.texts(handle)).toEqual(['missed', 'live']);
    followChain(again.frames, handle, after);
    const kinds = bob.entries(handle).map((entry) => entry.type === FrameType.Notice && entry.kind);
    expect(kinds).not.toContain(NoticeKind.Gone);
    expect(memory.events.map(([event]) => event)).toEqual([
      'session-opened',
      'session-opened',
      'session-away',
      'session-resumed',
    ]);
  });

  it('replaces a connection that still stands, which is told so and changes nothing any more', async () => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const again = memory.connect();
    await again.enter(comeBack(ada, [{ room: 'lobby', after: ada.entries(handle).at(-1)!.seq }]));
    expect(await ada.closed).toMatchObject({ code: 4016 });
    ada.pipe.destroy();
    again.publishId = 0;
    await again.say(handle, 'alive');
    expect(memory.chat.sessions.count).toBe(1);
    expect(again.texts(handle)).toEqual(['alive']);
  });

  it.each<[string, Partial<Resume>]>([
    ['wrong secret', { secret: 'x'.repeat(24) }],
    ['secret of another length', { secret: '' }],
    ['unknown session', { session: 'nobody' }],
    ['other epoch', { epoch: 'another life' }],
  ])('is not given to one with a %s, and keeps its name', async (_what, wrong) => {
    const memory = await MemoryChat.open();
    const ada = await memory.enter('ada');
    ada.pipe.destroy();
    const thief = memory.connect();
    thief.greet(comeBack(ada, [], wrong));
    expect(await thief.closed).toMatchObject({ code: 4012 });
    const other = await memory.enter({ ...comeBack(ada, [], wrong), name: 'other' });
    expect(other.welcome).toMatchObject({ resumed: false, rooms: [], lastPublishId: 0 });
    expect((await memory.enter(comeBack(ada, []))).welcome!.resumed).toBe(true);
  });

  it.each<[string, unknown]>([
    ['negative inbox', { session: 's', secret: 's', epoch: 'e', rooms: [], inbox: -1 }],
    ['inbox beyond 48 bits', { session: 's', secret: 's', epoch: 'e', rooms: [], inbox: 2 ** 48 }],
    ['room without position', { session: 's', secret: 's', epoch: 'e', rooms: [{ room: 'x' }], inbox: 0 }],
    ['rooms that are none', { session: 's', secret: 's', epoch: 'e', rooms: [null], inbox: 0 }],
    ['number as session', { session: 1, secret: 's', epoch: 'e', rooms: [], inbox: 0 }],
    ['null', null],
  ])('is not looked for when the hello has a %s', async (_what, resume) => {
    const memory = await MemoryChat.open();
    const ada = memory.connect();
    ada.greet({ name: 'ada', resume: resume as Resume });
    expect(await ada.closed).toMatchObject({ code: 4005 });
    expect(memory.chat.sessions.count).toBe(0);
  });

  it('says what is no longer held, and goes on from what is', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, retentionEntries: 16 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle, start } = await ada.join('lobby');
    await bob.join('lobby');
    ada.pipe.destroy();
    for (let i = 0; i < 50; i++) await bob.say(handle, `${i}`);
    const again = memory.connect();
    const { rooms } = await again.enter(comeBack(ada, [{ room: 'lobby', after: start }]));
    await turn();
    const [{ gap, start: from }] = rooms as [Joined];
    expect(gap).toEqual({ from: start, to: from });
    expect(from).toBeGreaterThan(start);
    expect(memory.chat.counters.gapsTold).toBe(1);
    const texts = again.texts(handle);
    expect(texts.at(-1)).toBe('49');
    expect(texts.length).toBeGreaterThan(8);
    followChain(again.frames, handle, from);
  });

  it('names a new epoch after a restart, and a join from before it says that something may be missing', async () => {
    const before = await MemoryChat.open();
    const ada = await before.enter('ada');
    const { handle } = await ada.join('lobby');
    await ada.say(handle, 'one');
    await turn();
    const after = ada.entries(handle).at(-1)!.seq;
    const restarted = await MemoryChat.open();
    const again = await restarted.enter(comeBack(ada, [{ room: 'lobby', after }]));
    expect(again.welcome).toMatchObject({ resumed: false, rooms: [] });
    expect(again.welcome!.epoch).not.toBe(ada.welcome!.epoch);
    const joined = await again.join('lobby', { after, epoch: ada.welcome!.epoch });
    expect(joined.gap).toEqual({ from: after, to: joined.start });
    expect(joined.start).toBe(joined.head);
  });

  it('begins anew when it is in more rooms than a welcome can name, and finds every room again', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, maxFrameBytes: 4096, maxLineBytes: 1000 });
    const ada = await memory.enter({ name: 'ada', maxFrameBytes: 4096 });
    const rooms: { room: string; after: number }[] = [];
    for (let i = 0; i < 60; i++) {
      const room = `${'r'.repeat(28)}${String(i).padStart(2, '0')}`;
      rooms.push({ room, after: (await ada.join(room)).head });
    }
    ada.pipe.destroy();
    // The client says only what fits into its own hello; the server would have to name all sixty.
    const again = await memory.enter({ ...comeBack(ada, rooms.slice(0, 20)), maxFrameBytes: 4096 });
    expect(again.welcome!.resumed).toBe(false);
    expect(encodeFrame({ type: FrameType.Welcome, welcome: again.welcome! }).length).toBeLessThanOrEqual(
      4096,
    );
    for (const { room, after } of rooms.slice(0, 3)) {
      const joined = await again.join(room, { after, epoch: again.welcome!.epoch });
      expect(joined).toMatchObject({ start: after, memberCount: 1 });
    }
    expect(memory.chat.sessions.count).toBe(1);
  });

  it('names fewer members rather than exceed the frame', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, maxFrameBytes: 4096, maxLineBytes: 1000 });
    const ada = await memory.enter({ name: 'ada', maxFrameBytes: 4096 });
    for (const room of ['one', 'two', 'three']) await ada.join(room);
    for (let i = 0; i < 50; i++) {
      const other = await memory.enter(`${'m'.repeat(28)} ${i}`);
      for (const room of ['one', 'two', 'three']) await other.join(room);
    }
    ada.pipe.destroy();
    const again = await memory.enter({ ...comeBack(ada, []), maxFrameBytes: 4096 });
    expect(again.welcome!.resumed).toBe(true);
    expect(again.welcome!.rooms.map(({ memberCount }) => memberCount)).toEqual([51, 51, 51]);
    expect(encodeFrame({ type: FrameType.Welcome, welcome: again.welcome! }).length).toBeLessThanOrEqual(
      4096,
    );
  });
});

/** A client that keeps what it must to come back: positions, and what it has no answer for. */
class Traveller {
  readonly memory: MemoryChat;
  readonly name: string;
  readonly seen: Entry[] = [];
  readonly wanted: string[] = [];
  readonly acked = new Map<number, number>();
  #client: MemoryClient | undefined;
  #first: MemoryClient | undefined;
  #handle = 0;
  #start = 0;
  #published = 0;

  constructor(memory: MemoryChat, name: string) {
    this.memory = memory;
    this.name = name;
  }

  get position(): number {
    return this.seen.at(-1)?.seq ?? this.#start;
  }

  get handle(): number {
    return this.#handle;
  }

  async begin(): Promise<void> {
    this.#client = await this.memory.enter(this.name);
    this.#first = this.#client;
    const { handle, start } = await this.#client.join('lobby');
    this.#handle = handle;
    this.#start = start;
  }

  publish(text: string): void {
    this.wanted.push(text);
    this.#published++;
    this.#send(this.#published);
  }

  #send(publishId: number): void {
    const body = new TextEncoder().encode(this.wanted[publishId - 1]);
    this.#client?.send({ type: FrameType.Publish, room: this.#handle, publishId, codec: 1, body });
  }

  /** The connection breaks: of what was received, only whole frames count, up to a random one. */
  tear(keep: number): void {
    this.#collect(keep);
    this.#client?.pipe.destroy();
    this.#client = undefined;
  }

  #collect(keep: number): void {
    const frames = this.#client?.frames.splice(0) ?? [];
    for (const frame of frames.slice(0, Math.ceil(frames.length * keep))) {
      if (frame.type === FrameType.Ack) this.acked.set(frame.publishId, frame.seq);
      if (
        (frame.type === FrameType.Message || frame.type === FrameType.Notice) &&
        frame.room === this.#handle
      ) {
        expect(frame.prev).toBe(this.position);
        this.seen.push(frame);
      }
    }
  }

  async comeBack(): Promise<void> {
    const client = this.memory.connect();
    const welcome = await client.enter(comeBack(this.#first!, [{ room: 'lobby', after: this.position }]));
    expect(welcome).toMatchObject({ resumed: true, rooms: [{ start: this.position }] });
    this.#client = client;
    for (let id = 1; id <= this.#published; id++) if (!this.acked.has(id)) this.#send(id);
  }

  get isAway(): boolean {
    return !this.#client;
  }

  finish(): void {
    this.#collect(1);
  }
}

describe('a session that is torn at random points', () => {
  it.each([1, 2, 3, 4, 5])('loses and doubles nothing in either direction (seed %i)', async (seed) => {
    const random = seeded(seed);
    const memory = await MemoryChat.open({ ...UNLIMITED, maxInFlight: 10_000 });
    const travellers = ['ada', 'bob', 'carol'].map((name) => new Traveller(memory, name));
    for (const traveller of travellers) await traveller.begin();
    for (let step = 0; step < 400; step++) {
      const traveller = travellers[random.below(3)]!;
      const dice = random.next();
      if (dice < 0.6) traveller.publish(`${traveller.name} ${step}`);
      else if (dice < 0.8) await turn();
      else if (traveller.isAway) await traveller.comeBack();
      else traveller.tear(random.next());
    }
    for (const traveller of travellers) if (traveller.isAway) await traveller.comeBack();
    await turn(3);
    for (const traveller of travellers) traveller.finish();
    const all = travellers.map(({ seen }) => seen.filter(({ type }) => type === FrameType.Message));
    for (const traveller of travellers) {
      const own = all[0]!.filter(({ name }) => name === traveller.name);
      expect(own.map(({ body }) => new TextDecoder().decode(body))).toEqual(traveller.wanted);
      expect(own.map(({ seq }) => seq)).toEqual(
        [...traveller.acked].sort(([a], [b]) => a - b).map(([, seq]) => seq),
      );
    }
    const positions = (entries: readonly Entry[], from: number): number[] =>
      entries.map(({ seq }) => seq).filter((seq) => seq > from);
    for (const other of all.slice(1)) {
      const from = other[0]!.seq - 1;
      expect(positions(other, from)).toEqual(positions(all[0]!, from));
    }
  });
});

/** A log that delivers when it is told, as one between processes does. */
class LateLog implements EventLog {
  readonly epoch = 'late';
  /** Whether rooms that are made wait as well. */
  areRoomsLate = false;
  #consumer: LogConsumer = () => {};
  #seq = 0;
  readonly #waiting: Draft[] = [];

  open(consumer: LogConsumer): undefined {
    this.#consumer = consumer;
  }

  append(draft: Draft): void {
    this.#waiting.push({ ...draft, body: Uint8Array.from(draft.body), name: Uint8Array.from(draft.name) });
    // Who is here is known at once: these tests are about what they say.
    if (isOpening(draft) && !this.areRoomsLate) this.deliver();
  }

  deliver(): void {
    while (this.#waiting.length > 0) this.#consumer([{ ...this.#waiting.shift()!, seq: ++this.#seq }]);
  }

  close(): void {}
}

describe('a log that takes its time', () => {
  it('lets a join wait for the one of an earlier connection, also while their room is being made', async () => {
    const log = new LateLog();
    const memory = await MemoryChat.open({ log, maxRoomsPerSession: 1 });
    const ada = await memory.enter('ada');
    const { session, secret, epoch } = ada.welcome!;
    log.areRoomsLate = true;
    ada.send({ type: FrameType.Request, id: 7, request: { op: 'join', room: 'new' } });
    await turn();
    ada.pipe.destroy();
    await turn();
    const again = await memory.enter({
      name: 'ada',
      resume: { session, secret, epoch, rooms: [], inbox: 0 },
    });
    const joined = again.join('new');
    await turn();
    for (let rounds = 0; rounds < 8; rounds++) {
      log.deliver();
      await turn();
    }
    const { handle, memberCount } = await joined;
    expect(memberCount).toBe(1);
    expect(memory.chat.rooms.find('new')!.members.size).toBe(1);
    expect(handle).toBe(memory.chat.rooms.find('new')!.handle);
  });

  it('counts rooms that are on their way', async () => {
    const log = new LateLog();
    const memory = await MemoryChat.open({ log, maxRooms: 1 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    log.areRoomsLate = true;
    const first = ada.join('one');
    await turn();
    const second = await bob.request({ op: 'join', room: 'two' });
    expect(second).toMatchObject({ failure: { code: 'too-many-rooms' } });
    for (let rounds = 0; rounds < 4; rounds++) {
      log.deliver();
      await turn();
    }
    expect((await first).room).toBe('one');
  });

  it('acks once an entry is in it, to the connection of that moment', async () => {
    const log = new LateLog();
    const memory = await MemoryChat.open({ log });
    const ada = await memory.enter('ada');
    const joining = ada.join('lobby');
    const twice = ada.join('lobby');
    await turn();
    log.deliver();
    const { handle } = await joining;
    expect(await twice).toMatchObject({ handle });
    expect(memory.chat.rooms.find('lobby')!.log.entries).toBe(1);
    ada.publish(handle, 'one');
    ada.pipe.destroy();
    const again = memory.connect();
    await again.enter(comeBack(ada, [{ room: 'lobby', after: 1 }]));
    again.publish(handle, 'two');
    again.send({ type: FrameType.Publish, room: handle, publishId: 1, codec: 1, body: Uint8Array.of(1) });
    await turn();
    expect(again.frames.some(({ type }) => type === FrameType.Ack)).toBe(false);
    log.deliver();
    await turn();
    expect(again.frames.flatMap((frame) => (frame.type === FrameType.Ack ? [frame.publishId] : []))).toEqual([
      1, 2,
    ]);
    expect(again.texts(handle)).toEqual(['one', 'two']);
  });

  it('leaves no member behind who was gone before its join was in it', async () => {
    const log = new LateLog();
    const memory = await MemoryChat.open({ log });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const joined = bob.join('lobby');
    await turn();
    log.deliver();
    const { handle } = await joined;
    const joining = ada.join('lobby').catch(() => {});
    await turn();
    memory.chat.operator.kick('ada', '');
    log.deliver();
    log.deliver();
    await joining;
    await turn();
    expect(memory.chat.rooms.find('lobby')!.members.size).toBe(1);
    expect(bob.entries(handle).map((entry) => 'kind' in entry && [entry.name, entry.kind])).toEqual([
      ['bob', NoticeKind.Joined],
      ['ada', NoticeKind.Joined],
      ['ada', NoticeKind.Left],
    ]);
  });

  it('does not take away one who left and came back while it thought about the leave', async () => {
    const log = new LateLog();
    const memory = await MemoryChat.open({ log });
    const ada = await memory.enter('ada');
    const joining = ada.join('lobby');
    await turn();
    log.deliver();
    const { handle } = await joining;
    ada.ask({ op: 'leave', room: 'lobby' }).catch(() => {});
    await turn();
    ada.pipe.destroy();
    const back = memory.connect();
    expect((await back.enter(comeBack(ada, []))).rooms).toEqual([]);
    const again = back.join('lobby');
    await turn();
    log.deliver();
    expect(await again).toMatchObject({ handle, memberCount: 1 });
    back.publish(handle, 'here');
    log.deliver();
    await turn();
    expect(back.texts(handle)).toEqual(['here']);
  });

  it('answers a leave when it is in it, and sends nothing of the room after that', async () => {
    const log = new LateLog();
    const memory = await MemoryChat.open({ log });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const joining = [ada.join('lobby'), bob.join('lobby')];
    await turn();
    log.deliver();
    const [{ handle }] = (await Promise.all(joining)) as [Joined, Joined];
    bob.publish(handle, 'before');
    const leaving = ada.ask({ op: 'leave', room: 'lobby' });
    bob.publish(handle, 'behind');
    await turn();
    log.deliver();
    expect(await leaving).toEqual({ left: true });
    await turn();
    expect(ada.texts(handle)).not.toContain('behind');
    expect(ada.frames.at(-1)).toMatchObject({ type: FrameType.Response });
  });

  it('never lets more into a room than may be there, however many are on their way', async () => {
    const log = new LateLog();
    const memory = await MemoryChat.open({ log, maxMembersPerRoom: 2 });
    const clients = await Promise.all(['ada', 'bob', 'carol', 'dave'].map((name) => memory.enter(name)));
    const answers = Promise.all(clients.map((client) => client.request({ op: 'join', room: 'lobby' })));
    await turn();
    log.deliver();
    expect((await answers).map(({ type }) => type === FrameType.Response)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(memory.chat.rooms.find('lobby')!.members.size).toBe(2);
    // A place is free again once the one who leaves has left.
    const leaving = clients[0]!.ask({ op: 'leave', room: 'lobby' });
    await turn();
    log.deliver();
    await leaving;
    const joining = clients[3]!.join('lobby');
    await turn();
    log.deliver();
    expect(await joining).toMatchObject({ memberCount: 2 });
  });

  it('refuses a direct message whose receiver goes before it is in the log', async () => {
    const log = new LateLog();
    const memory = await MemoryChat.open({ log });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const onItsWay = ada.whisper('bob', 'one');
    bob.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    log.deliver();
    for (const id of [onItsWay, ada.whisper('bob', 'two')]) {
      expect(await ada.answerTo(id)).toMatchObject({ failure: { code: FailureCode.NoSuchUser } });
    }
  });
});
