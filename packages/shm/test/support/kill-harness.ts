/**
 * Runs scenarios at every kill point: first once to the end, to learn how many there are, then once for each.
 *
 * A child is a fresh process each time it is killed; a few of them run at once. Nothing depends on how fast they are:
 * the parent waits for the exit of the child, or for the state "stopped" in /proc.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ChildProcess } from './child-process.js';
import type { KillPoint, Place, Scenario } from './scenario.js';

const LANES = 3;

/** How often a kill point is tried that a run did not come to. */
const MAX_TRIES = 20;

/** Runs one scenario after another, each at all of its kill points. Folders are made below `root`, and removed. */
export class KillHarness {
  readonly #program: string;
  readonly #root: string;

  constructor(program: string, root = '/dev/shm') {
    this.#program = program;
    this.#root = mkdtempSync(join(root, 'chat-shm-kill-'));
  }

  /** Kills the operation at each of its kill points; returns how many there are. */
  async killEverywhere<S, P>(scenario: Scenario<S, P>): Promise<number> {
    const steps = await this.#stepsOf(scenario);
    await inLanes(async (next) => {
      for (let killed = next(steps); killed !== undefined; killed = next(steps)) {
        let tries = 1;
        while (!(await this.#killOnce(scenario, killed))) {
          if (++tries > MAX_TRIES)
            throw new Error(`${scenario.name} never came to step ${killed.step} again`);
        }
      }
    });
    return steps.length;
  }

  /** Stops the operation at each of its kill points, lets others run, and continues it; returns how many there are. */
  async stopEverywhere<S, P>(scenario: Scenario<S, P>): Promise<number> {
    const steps = await this.#stepsOf(scenario);
    await inLanes(async (next) => {
      for (let stopped = next(steps); stopped !== undefined; stopped = next(steps)) {
        let tries = 1;
        while (!(await this.#stopOnce(scenario, stopped))) {
          if (++tries > MAX_TRIES)
            throw new Error(`${scenario.name} never came to step ${stopped.step} again`);
        }
      }
    });
    return steps.length;
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** @returns false when the operation was over before: it takes fewer steps when the other side need not be woken */
  async #killOnce<S, P>(scenario: Scenario<S, P>, killed: KillPoint): Promise<boolean> {
    const child = new ChildProcess(this.#program);
    let isKilled = false;
    await this.#run(scenario, `killed at ${killed.step} (${killed.label})`, async (state, place) => {
      try {
        const outcome = await child.command({
          scenario: scenario.name,
          place,
          signal: 'SIGKILL',
          step: killed.step,
        });
        isKilled = outcome === undefined;
      } finally {
        await child.end();
      }
      if (isKilled) await scenario.afterKill(state, place, killed);
    });
    return isKilled;
  }

  /** @returns false when the operation was over before, as in {@link #killOnce} */
  async #stopOnce<S, P>(scenario: Scenario<S, P>, stopped: KillPoint): Promise<boolean> {
    const child = new ChildProcess(this.#program);
    let isStopped = false;
    try {
      await this.#run(scenario, `stopped at ${stopped.step} (${stopped.label})`, async (state, place) => {
        const done = child.command({ scenario: scenario.name, place, signal: 'SIGSTOP', step: stopped.step });
        isStopped = await child.stopped(done);
        if (!isStopped) return;
        try {
          await scenario.whileStopped?.(state, place, stopped);
        } finally {
          child.process.kill('SIGCONT');
        }
        const outcome = await done;
        if (outcome === undefined) throw new Error('the child died');
        await scenario.afterStop?.(state, place, outcome, stopped);
      });
    } finally {
      await child.end();
    }
    return isStopped;
  }

  /** The kill points of a run like those that follow. This side is slow in its first run, and the other one waits where later it does not. */
  async #stepsOf<S, P>(scenario: Scenario<S, P>): Promise<KillPoint[]> {
    await this.#runToTheEnd(scenario);
    const { steps } = await this.#runToTheEnd(scenario);
    return steps;
  }

  async #runToTheEnd<S, P>(scenario: Scenario<S, P>): Promise<{ steps: KillPoint[] }> {
    const child = new ChildProcess(this.#program);
    let steps: KillPoint[] = [];
    await this.#run(scenario, 'not killed', async (state, place) => {
      try {
        const outcome = await child.command({ scenario: scenario.name, place });
        if (outcome?.error !== undefined) throw new Error(`the operation failed: ${outcome.error}`);
        steps = (outcome?.steps ?? []).map((label, i) => ({ step: i + 1, label }));
      } finally {
        await child.end();
      }
      await scenario.afterKill(state, place, undefined);
    });
    return { steps };
  }

  async #run<S, P>(
    scenario: Scenario<S, P>,
    what: string,
    body: (state: S, place: Place) => Promise<void>,
  ): Promise<void> {
    const directory = mkdtempSync(join(this.#root, 'run-'));
    const place = { directory, name: 'subject' };
    try {
      const state = await scenario.setup(place);
      try {
        await body(state, place);
      } finally {
        scenario.teardown(state);
      }
    } catch (error) {
      throw new Error(`${scenario.name}, ${what}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

/** Runs a few lanes at once, which share one counter: `next(items)` gives each item to one of them. */
async function inLanes(
  lane: (next: <T>(items: readonly T[]) => T | undefined) => Promise<void>,
): Promise<void> {
  let index = 0;
  const next = <T>(items: readonly T[]): T | undefined => items[index++];
  await Promise.all(Array.from({ length: LANES }, () => lane(next)));
}
