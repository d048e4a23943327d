/**
 * Runs scenarios at every kill point: first to the end, to learn how many there are, then once for each.
 *
 * Many runs are killed with one process, and a process that is only stopped serves for many (see `victim.ts`); a few processes run at once.
 * Nothing depends on how fast they are: the parent waits for the exit of the child, or for the state "stopped" in /proc.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ChildProcess } from './child-process.js';
import type { KillPoint, Outcome, Place, Scenario } from './scenario.js';

/** Processes at once, of all scenarios together: one more than there are cores, since some of them wait. */
const LANES = 4;
/** Runs that die with one process: one inside the other, or each in a thread of its own. */
const NESTED = 24;
const THREADS = 8;
/** Runs that one process is stopped in. What they have open stays so until it ends. */
const STOPS = 24;

/** How often a kill point is tried that a run did not come to. */
const MAX_TRIES = 10;

/** What a run to the end has shown. */
interface Learnt {
  readonly steps: readonly KillPoint[];
  /** Whether the operation needs the event loop, and therefore a thread for each run. */
  readonly isAsync: boolean;
  /** How many steps come before it does. */
  readonly atOnce: number;
}

/** Runs one scenario after another, each at all of its kill points. Folders are made below `root`, and removed. */
export class KillHarness {
  readonly #program: string;
  readonly #root: string;
  readonly #learnt = new Map<string, Promise<Learnt>>();
  #freeLanes = LANES;
  readonly #waiting: (() => void)[] = [];

  constructor(program: string, root = '/dev/shm') {
    this.#program = program;
    this.#root = mkdtempSync(join(root, 'chat-shm-kill-'));
  }

  /** Kills the operation at each of its kill points; returns how many there are. */
  async killEverywhere<S, P>(scenario: Scenario<S, P>): Promise<number> {
    const { steps, atOnce } = await this.#learn(scenario);
    let left = steps;
    for (let tries = 1; left.length > 0; tries++) {
      if (tries > MAX_TRIES) {
        for (const point of left) await this.#assertIsNone(scenario, point);
        break;
      }
      const missed: KillPoint[] = [];
      const groups = [
        ...inGroups(
          left.filter(({ step }) => step <= atOnce),
          NESTED,
        ),
        ...inGroups(
          left.filter(({ step }) => step > atOnce),
          THREADS,
        ),
      ];
      await this.#inLanes(groups, async (points) => {
        missed.push(...(await this.#killAt(scenario, points, (points[0] as KillPoint).step > atOnce)));
      });
      left = missed;
    }
    return steps.length - left.length;
  }

  /** Stops the operation at each of its kill points, lets others run, and continues it; returns how many there are. */
  async stopEverywhere<S, P>(scenario: Scenario<S, P>): Promise<number> {
    const { steps, isAsync } = await this.#learn(scenario);
    let stopped = 0;
    await this.#inLanes(inGroups(steps, STOPS), async (points) => {
      await using child = new ChildProcess(this.#program);
      for (const point of points) {
        let tries = 1;
        while (tries <= MAX_TRIES && !(await this.#stopAt(scenario, point, child, isAsync))) tries++;
        if (tries <= MAX_TRIES) stopped++;
        else await this.#assertIsNone(scenario, point);
      }
    });
    return stopped;
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /**
   * Kills runs at these points, all at once.
   *
   * @returns those that were not come to: an operation takes fewer steps when the other side need not be woken
   */
  async #killAt<S, P>(
    scenario: Scenario<S, P>,
    points: readonly KillPoint[],
    inThreads: boolean,
  ): Promise<KillPoint[]> {
    await using child = new ChildProcess(this.#program);
    const stages: Stage<S>[] = [];
    try {
      for (const _ of points) stages.push(await this.#setUp(scenario));
      const dieAt = stages.map(({ place }, i) => ({ place, step: (points[i] as KillPoint).step }));
      const fates = await child.die({ scenario: scenario.name, dieAt, inThreads });
      const killed = points.map(({ step }, i) => ({ step, label: fates[i]?.label }));
      await Promise.all(
        killed.map(async ({ step, label }, i) => {
          if (label === undefined) return;
          const { check, state, place } = stages[i] as Stage<S>;
          await check(`killed at ${step} (${label})`, () =>
            scenario.afterKill(state, place, { step, label }),
          );
        }),
      );
      return points.filter((_, i) => killed[i]?.label === undefined);
    } finally {
      for (const stage of stages) stage.tearDown();
    }
  }

  /** @returns false when the operation was over before, as in {@link #killAt} */
  async #stopAt<S, P>(
    scenario: Scenario<S, P>,
    stopped: KillPoint,
    child: ChildProcess,
    inThread: boolean,
  ): Promise<boolean> {
    const { state, place, check, tearDown } = await this.#setUp(scenario);
    try {
      return await check(`stopped at ${stopped.step} (${stopped.label})`, async () => {
        const done = child.command({ scenario: scenario.name, place, stopAt: stopped.step, inThread });
        if (!(await child.stopped(done))) {
          await done;
          return false;
        }
        try {
          await scenario.whileStopped?.(state, place, stopped);
        } finally {
          child.process.kill('SIGCONT');
        }
        await scenario.afterStop?.(state, place, await done, stopped);
        return true;
      });
    } finally {
      tearDown();
    }
  }

  /** A point that no run comes to any more is none if a run to the end does not have it either: the one that showed it was slow. */
  async #assertIsNone<S, P>(scenario: Scenario<S, P>, { step }: KillPoint): Promise<void> {
    const { steps } = await this.#runToTheEnd(scenario);
    if (steps.length >= step) throw new Error(`${scenario.name} never came to step ${step} again`);
  }

  #learn<S, P>(scenario: Scenario<S, P>): Promise<Learnt> {
    const known = this.#learnt.get(scenario.name) ?? this.#inLane(() => this.#runToTheEnd(scenario));
    this.#learnt.set(scenario.name, known);
    return known;
  }

  /** The kill points of a run like those that follow. This side is slow in its first run, and the other one waits where later it does not. */
  async #runToTheEnd<S, P>(scenario: Scenario<S, P>): Promise<Learnt> {
    const stages = [await this.#setUp(scenario), await this.#setUp(scenario)];
    try {
      const outcomes: Outcome[] = [];
      {
        await using child = new ChildProcess(this.#program);
        for (const { place } of stages) {
          const inThread = outcomes[0]?.isAsync === true;
          outcomes.push(await child.command({ scenario: scenario.name, place, inThread }));
        }
      }
      for (const [i, { state, place, check }] of stages.entries()) {
        await check('not killed', async () => {
          const { error } = outcomes[i] as Outcome;
          if (error !== undefined) throw new Error(`the operation failed: ${error}`);
          await scenario.afterKill(state, place, undefined);
        });
      }
      const [{ isAsync = false }, { steps, atOnce = 0 }] = outcomes as [Outcome, Outcome];
      return { steps: steps.map((label, i) => ({ step: i + 1, label })), isAsync, atOnce };
    } finally {
      for (const stage of stages) stage.tearDown();
    }
  }

  /** Does all of them, as many at once as there are lanes for. */
  async #inLanes<T>(items: readonly T[], part: (item: T) => Promise<void>): Promise<void> {
    await Promise.all(items.map((item) => this.#inLane(() => part(item))));
  }

  async #inLane<R>(part: () => Promise<R>): Promise<R> {
    if (this.#freeLanes > 0) this.#freeLanes--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await part();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#freeLanes++;
      else next();
    }
  }

  async #setUp<S, P>(scenario: Scenario<S, P>): Promise<Stage<S>> {
    const directory = mkdtempSync(join(this.#root, 'run-'));
    const place = { directory, name: 'subject' };
    const state = await scenario.setup(place);
    return {
      place,
      state,
      async check(what, part) {
        try {
          return await part();
        } catch (error) {
          const message = error instanceof Error ? error.message : error;
          throw new Error(`${scenario.name}, ${what}: ${message}`, { cause: error });
        }
      },
      tearDown() {
        scenario.teardown(state);
        rmSync(directory, { recursive: true, force: true });
      },
    };
  }
}

/** What the parent has of one run. */
interface Stage<S> {
  readonly place: Place;
  readonly state: S;
  /** Does a part of the run; its errors say `what` it was. */
  check<T>(what: string, part: () => T | Promise<T>): Promise<T>;
  tearDown(): void;
}

/** The items, at most `size` together. */
function inGroups<T>(items: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let i = 0; i < items.length; i += size) groups.push(items.slice(i, i + size));
  return groups;
}
