/**
 * There is never a hole that is not told: joins, leaves, torn connections, evictions, forgotten rooms, retention and slow
 * readers at random, in any order and overlapping, while everybody talks.
 *
 * A run that fails prints its seed and path, and the shortest list of steps that still fails.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../src/options/options.js';
import { MemoryChat } from './support/memory-chat.js';
import { turn } from './support/turn.js';
import { WireReader, WitnessLog } from './support/wire-reader.js';

const RUNS = process.env.CHAT_TEST_RUNS;

const NAMES = ['ada', 'bob', 'carol'] as const;
const ROOMS = ['r0', 'r1'] as const;

const who = fc.integer({ min: 0, max: NAMES.length - 1 });
const room = fc.constantFrom(...ROOMS);

/** What may happen, each as often as its weight says. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish'), who, room, size: fc.constantFrom(0, 20, 900) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('join'),
      who,
      room,
      how: fc.constantFrom('new', 'history', 'after'),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave'), who, room }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('connect'), who, resume: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut'), who, part: fc.constantFrom(0, 0.3, 0.7, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict'), who, room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stall'), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flow'), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read'), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('decide') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver'), count: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(300, 1300, 2500) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** How the server is set up. */
const setting = fc.record({
  isLate: fc.boolean(),
  hasHook: fc.boolean(),
  slowConsumer: fc.constantFrom('close', 'skip'),
  isTight: fc.boolean(),
});
type Setting = typeof setting extends fc.Arbitrary<infer Value> ? Value : never;

class World {
  readonly #log: WitnessLog;
  readonly #decisions: (() => void)[];
  readonly memory: MemoryChat;
  readonly readers: readonly WireReader[];

  private constructor(memory: MemoryChat, log: WitnessLog, decisions: (() => void)[]) {
    this.memory = memory;
    this.#log = log;
    this.#decisions = decisions;
    this.readers = NAMES.map((name) => new WireReader(memory, log, name));
  }

  static async open({ isLate, hasHook, slowConsumer, isTight }: Setting): Promise<World> {
    const log = new WitnessLog(isLate);
    const decisions: (() => void)[] = [];
    const authorize = (): Promise<boolean> => new Promise((answer) => decisions.push(() => answer(true)));
    const memory = await MemoryChat.open({
      ...UNLIMITED,
      log,
      slowConsumer,
      resumeWindowMs: 3000,
      emptyRoomTtlMs: 1000,
      retentionMs: 12_000,
      ...(isTight ? { retentionEntries: 24, maxQueuedBytes: 65_536 } : {}),
      ...(hasHook ? { hooks: { authorize } } : {}),
    });
    return new World(memory, log, decisions);
  }

  async do(step: Step): Promise<void> {
    const reader = 'who' in step ? this.readers[step.who]! : this.readers[0]!;
    switch (step.do) {
      case 'publish':
        return reader.publish(step.room, step.size);
      case 'join':
        return reader.join(step.room, step.how, step.count);
      case 'leave':
        return reader.leave(step.room);
      case 'connect':
        reader.connect(step.resume);
        await turn();
        return reader.read();
      case 'cut':
        return reader.cut(step.part);
      case 'evict':
        return reader.evict(step.room);
      case 'stall':
        return reader.stall();
      case 'flow':
        return reader.flow();
      case 'read':
        return reader.read();
      case 'decide':
        this.#decisions.shift()?.();
        return turn();
      case 'deliver':
        return this.#log.deliver(step.count);
      case 'turn':
        return turn();
      case 'wait':
        this.memory.clock.advance(step.ms);
    }
  }

  /** Everybody comes back and everything arrives. */
  async settle(): Promise<void> {
    for (let calm = 0, rounds = 0; calm < 3; rounds++) {
      if (rounds > 100) throw new Error('it does not come to rest');
      const isBusy = this.#decisions.length > 0 || !this.#log.isIdle;
      for (const answer of this.#decisions.splice(0)) answer();
      this.#log.deliver(Number.POSITIVE_INFINITY);
      for (const reader of this.readers) {
        reader.connect(true);
        reader.flow();
      }
      await turn(3);
      for (const reader of this.readers) reader.read();
      calm = isBusy || this.readers.some(({ isOpen }) => !isOpen) ? 0 : calm + 1;
    }
    for (const reader of this.readers) reader.assertComplete();
    expect(this.memory.log.at('error')).toEqual([]);
  }
}

const seen = { steps: 0, entries: 0, gaps: 0, resumes: 0 };

async function live(setting: Setting, steps: readonly Step[]): Promise<void> {
  const world = await World.open(setting);
  for (const reader of world.readers) reader.connect(false);
  await turn(2);
  for (const reader of world.readers) {
    reader.read();
    for (const room of ROOMS) reader.join(room, 'new', 0);
  }
  for (const step of steps) await world.do(step);
  await world.settle();
  seen.steps += steps.length;
  for (const { entries, gaps, resumes } of world.readers) {
    seen.entries += entries;
    seen.gaps += gaps;
    seen.resumes += resumes;
  }
}

describe('a reader of rooms', () => {
  it.each([1, 2, 3, 4])(
    'is given each entry once and in order, or is told (seed %i)',
    { timeout: 60_000 },
    async (seed) => {
      const steps = fc.array(step, { minLength: 20, maxLength: 120, size: 'max' });
      await fc.assert(fc.asyncProperty(setting, steps, live), {
        seed,
        numRuns: Number(RUNS ?? 60),
      });
    },
  );

  it('was given much, and told of gaps', () => {
    if (RUNS) process.stderr.write(`${JSON.stringify(seen)}\n`);
    expect(Math.min(seen.entries / 100, seen.gaps, seen.resumes)).toBeGreaterThan(20);
  });
});
