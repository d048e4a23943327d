/**
 * The promise that matters most, for the client as a whole against a whole server, in memory and at random: every entry of
 * a room is delivered once and in order, or its user is told that it is not. Joins are given up, repeated and overtaken by
 * leaves, connections break at any byte, rooms are taken away, forgotten and made again.
 *
 * A run that fails prints its seed and path, and the shortest list of steps that still fails.
 */
import { type ChatClient, createChatClient, type JoinOptions, type Room } from '@chat/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../packages/server/src/options/options.js';
import { MemoryChat } from '../packages/server/test/support/memory-chat.js';
import { turn } from '../packages/server/test/support/turn.js';
import { WireReader, WitnessLog } from '../packages/server/test/support/wire-reader.js';
import { MemoryWire } from './support/memory-wire.js';

const RUNS = process.env.CHAT_TEST_RUNS;

const NAMES = ['ada', 'bob'] as const;
const ROOMS = ['r0', 'r1'] as const;

const who = fc.integer({ min: 0, max: NAMES.length - 1 });
const room = fc.constantFrom(...ROOMS);

/** What may happen, each as often as its weight says. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('join'),
      who,
      room,
      how: fc.constantFrom('new', 'history', 'since'),
      count: fc.integer({ min: 1, max: 12 }),
      isGivenUp: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('give up'), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('leave'), who, room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('send'), who, room }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('pass'),
      who,
      bytes: fc.constantFrom(7, 60, 300, 100_000, 100_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut'), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict'), who, room }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('say'), room, size: fc.constantFrom(0, 20, 400) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('come or go'), room }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('decide') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(100, 700, 1500, 5000) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** How the server is set up. */
const setting = fc.record({
  hasHook: fc.boolean(),
  isTight: fc.boolean(),
  resumeWindowMs: fc.constantFrom(1, 4000),
});
type Setting = typeof setting extends fc.Arbitrary<infer Value> ? Value : never;

/** What a user has of a room: checked as it comes. */
class Visit {
  readonly room: Room;
  readonly #log: WitnessLog;
  /** Undefined until the first entry, unless the user said where to begin. */
  #position: number | undefined;
  /** The user is owed whatever is behind this. */
  readonly #owedBehind: number;
  history = 0;
  entries = 0;
  gaps = 0;

  constructor(log: WitnessLog, room: Room, since: number | undefined) {
    this.#log = log;
    this.room = room;
    this.#position = since;
    this.#owedBehind = since ?? log.between(room.name, -1).at(-1)?.seq ?? 0;
    const entry = ({ seq, prev, history }: { seq: number; prev: number; history: boolean }): void => {
      this.entries++;
      if (history) this.history++;
      this.#goOn(prev);
      if (seq <= prev) throw new Error(`${room.name}: ${seq} behind ${prev}`);
      this.#position = seq;
    };
    room.on('message', entry);
    room.on('notice', entry);
    room.on('gap', ({ from, to, reason }) => {
      this.gaps++;
      if (reason === 'hole') throw new Error(`${room.name}: a hole ${from}..${to}`);
      this.#goOn(from);
      this.#position = to;
    });
  }

  /** Nothing of the log that this user has not. */
  assertComplete(): void {
    const position = this.#position ?? this.#owedBehind;
    const missing = this.#log.between(this.room.name, position).map(({ seq }) => seq);
    if (missing.length > 0) throw new Error(`${this.room.name}: ${missing} behind ${position} did not come`);
  }

  #goOn(from: number): void {
    this.#position ??= Math.min(from, this.#owedBehind);
    const missing = this.#log.between(this.room.name, this.#position, from).map(({ seq }) => seq);
    if (from !== this.#position && (from < this.#position || missing.length > 0)) {
      throw new Error(`${this.room.name}: after ${this.#position} it goes on behind ${from}`);
    }
  }
}

class User {
  readonly client: ChatClient;
  readonly wire: MemoryWire;
  readonly #memory: MemoryChat;
  readonly #log: WitnessLog;
  readonly visits = new Map<Room, Visit>();
  /** Where it was in each room at last. */
  readonly #last = new Map<string, number>();
  readonly #givenUp: AbortController[] = [];
  readonly failures: unknown[] = [];
  sent = 0;
  settled = 0;

  constructor(memory: MemoryChat, log: WitnessLog, name: string) {
    this.#memory = memory;
    this.#log = log;
    this.wire = new MemoryWire(memory.chat);
    const { clock } = memory;
    this.client = createChatClient('tcp://memory', {
      name,
      transport: this.wire.transport,
      random: () => 0.5,
      reconnect: { initial: true, baseDelayMs: 200, maxDelayMs: 1000 },
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.now(),
        setTimeout: (callback, delayMs) => clock.after(delayMs, callback),
        clearTimeout: (cancel) => (cancel as (() => void) | undefined)?.(),
      },
    });
    this.client.on('listener-error', ({ error }) => this.failures.push(error));
    this.client.connect().catch((error: unknown) => this.failures.push(error));
  }

  async join(
    name: string,
    how: 'new' | 'history' | 'since',
    count: number,
    isGivenUp: boolean,
  ): Promise<void> {
    const since = how === 'since' ? this.#last.get(name) : undefined;
    const giveUp = new AbortController();
    if (isGivenUp) this.#givenUp.push(giveUp);
    const options: JoinOptions<string> = {
      signal: giveUp.signal,
      ...(how === 'history' && { history: count }),
      ...(since !== undefined && { since: { epoch: this.#log.epoch, seq: since } }),
    };
    const { rooms } = this.#memory.chat;
    const asked = rooms.find(name);
    const held = Math.min(count, asked?.log.entries ?? 0);
    const isKnown = [...this.client.joined.values()];
    try {
      const room = await this.client.join(name, options);
      if (this.visits.has(room) || isKnown.includes(room)) return;
      const visit = new Visit(this.#log, room, since);
      this.visits.set(room, visit);
      const keep = () => this.#last.set(name, room.position);
      room.on('message', keep);
      room.on('notice', keep);
      room.on('closed', () => {
        this.#last.set(name, room.position);
      });
      // One that others have asked for at the same time has the history that the first of them wanted.
      if (how !== 'history' || !this.#isAlone || asked === undefined || asked !== rooms.find(name)) return;
      queueMicrotask(() => queueMicrotask(() => this.#wanted.push([visit, held])));
    } catch {
      // Given up, or too late.
    } finally {
      this.#joins--;
    }
  }

  #joins = 0;
  readonly #wanted: [Visit, number][] = [];
  get #isAlone(): boolean {
    return this.#joins <= 1;
  }

  do(step: Extract<Step, { readonly who: number }>): void {
    switch (step.do) {
      case 'join':
        this.#joins++;
        void this.join(step.room, step.how, step.count, step.isGivenUp);
        break;
      case 'give up':
        this.#givenUp.shift()?.abort();
        break;
      case 'leave':
        this.client.leave(step.room).catch(() => {});
        break;
      case 'send': {
        const room = this.client.joined.get(step.room);
        if (!room) break;
        this.sent++;
        const settled = () => this.settled++;
        room.send('x').then(settled, settled);
        break;
      }
      case 'pass':
        this.wire.pass(step.bytes);
        break;
      case 'cut':
        this.wire.cut();
        break;
      case 'evict':
        this.#memory.chat.sessions.find(this.client.name)?.evict(step.room);
    }
  }

  assertWell(): void {
    if (this.failures.length > 0) throw this.failures[0];
    if (this.client.state.status === 'closed') throw this.client.state.reason;
  }

  assertComplete(isTight: boolean): void {
    this.assertWell();
    for (const visit of this.visits.values()) if (visit.room.joined) visit.assertComplete();
    for (const [visit, held] of isTight ? [] : this.#wanted) {
      if (visit.room.joined && visit.gaps === 0 && visit.history < held) {
        throw new Error(`${visit.room.name}: ${visit.history} of ${held} old entries came`);
      }
    }
    expect(this.settled).toBe(this.sent);
    const session = this.#memory.chat.sessions.find(this.client.name)!;
    const names = [...session.rooms.values()].map(({ room }) => room.name);
    expect(names.sort()).toEqual([...this.client.joined.keys()].sort());
  }
}

const seen = { runs: 0, steps: 0, entries: 0, gaps: 0, visits: 0, cuts: 0 };

async function live(set: Setting, steps: readonly Step[]): Promise<void> {
  const { hasHook, isTight, resumeWindowMs } = set;
  const log = new WitnessLog(false);
  const decisions: (() => void)[] = [];
  const authorize = (): Promise<boolean> => new Promise((answer) => decisions.push(() => answer(true)));
  const memory = await MemoryChat.open({
    ...UNLIMITED,
    log,
    resumeWindowMs,
    emptyRoomTtlMs: 1000,
    ...(isTight ? { retentionEntries: 8, retentionMs: 20_000 } : {}),
    ...(hasHook ? { hooks: { authorize } } : {}),
  });
  const users = NAMES.map((name) => new User(memory, log, name));
  const writer = new WireReader(memory, log, 'writer');
  writer.connect(false);
  await turn(2);
  writer.read();
  for (const name of ROOMS) writer.join(name, 'new', 0);
  for (const answer of decisions.splice(0)) answer();
  await turn(2);
  while (users.some(({ client }) => client.state.status !== 'open')) {
    for (const { wire } of users) wire.pass(Number.POSITIVE_INFINITY);
    await turn();
  }

  const rest = async (): Promise<void> => {
    await turn();
    writer.read();
    for (const user of users) user.assertWell();
  };
  for (const step of steps) {
    if ('who' in step) users[step.who]!.do(step);
    else if (step.do === 'say') writer.publish(step.room, step.size);
    else if (step.do === 'come or go') {
      if (writer.views.has(step.room)) writer.leave(step.room);
      else writer.join(step.room, 'new', 0);
    } else if (step.do === 'decide') decisions.shift()?.();
    else memory.clock.advance(step.ms);
    await rest();
  }
  for (let calm = 0, rounds = 0; calm < 4; rounds++) {
    if (rounds > 200) throw new Error('it does not come to rest');
    const isBusy =
      decisions.length > 0 ||
      users.some(({ client, wire }) => client.state.status !== 'open' || !wire.isIdle);
    for (const answer of decisions.splice(0)) answer();
    for (const { wire } of users) wire.pass(Number.POSITIVE_INFINITY);
    memory.clock.advance(400);
    await rest();
    calm = isBusy ? 0 : calm + 1;
  }
  for (const user of users) user.assertComplete(isTight);
  seen.runs++;
  seen.steps += steps.length;
  for (const { visits, wire, client } of users) {
    seen.cuts += wire.cuts;
    for (const { entries, gaps } of visits.values()) {
      seen.visits++;
      seen.entries += entries;
      seen.gaps += gaps;
    }
    void client.close();
  }
}

describe('the user of a client', () => {
  it.each([1, 2, 3, 4])(
    'is given each entry of a room once and in order, or is told (seed %i)',
    { timeout: 120_000 },
    async (seed) => {
      const steps = fc.array(step, { minLength: 20, maxLength: 120, size: 'max' });
      await fc.assert(fc.asyncProperty(setting, steps, live), {
        seed,
        numRuns: Number(RUNS ?? 40),
      });
    },
  );

  it('was given much, and told of gaps', () => {
    if (RUNS) process.stderr.write(`${JSON.stringify(seen)}\n`);
    expect(Math.min(seen.entries / 50, seen.visits / 5, seen.gaps, seen.cuts / 2)).toBeGreaterThan(10);
  });
});
