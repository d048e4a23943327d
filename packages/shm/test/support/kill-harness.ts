/**
 * Runs scenarios at every kill point: first once to the end, to learn how many there are, then once for each.
 *
 * A child is a fresh process each time it is killed; a few of them run at once. Nothing depends on how fast they are:
 * the parent waits for the exit of the child, or for the state "stopped" in /proc.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command, KillPoint, Outcome, Place, Scenario } from './scenario.js';

const AT_ONCE = 3;
const POLL_MS = 1;

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the bundled child program. */
    childProgram: string;
  }
}

/** A process that obeys commands. */
class Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #exited: Promise<unknown>;
  #errors = '';

  constructor(program: string) {
    this.process = spawn(process.execPath, [program]);
    this.process.stderr.on('data', (data) => {
      this.#errors += String(data);
    });
    this.#lines = createInterface({ input: this.process.stdout });
    this.#exited = once(this.process, 'exit');
  }

  /** Sends a command. Resolves with the outcome, or with undefined when the child was killed by it. */
  async command(command: Command): Promise<Outcome | undefined> {
    const answered = once(this.#lines, 'line').then(([line]) => JSON.parse(String(line)) as Outcome);
    this.process.stdin.on('error', () => {});
    this.process.stdin.write(`${JSON.stringify(command)}\n`);
    const first = await Promise.race([answered, this.#exited.then(() => undefined)]);
    if (first === undefined && this.process.signalCode !== 'SIGKILL') {
      throw new Error(`the child ended with ${this.process.exitCode}: ${this.#errors}`);
    }
    return first;
  }

  /** Waits until the kernel says that it is stopped; false when it has exited or `unless` settles first. */
  async stopped(unless: Promise<unknown>): Promise<boolean> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    unless.then(end, end);
    while (!over && this.process.exitCode === null && this.process.signalCode === null) {
      const stat = readFileSync(`/proc/${this.process.pid}/stat`, 'latin1');
      if (stat.charAt(stat.lastIndexOf(')') + 2) === 'T') return true;
      await delay(POLL_MS);
    }
    return false;
  }

  async end(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    await this.#exited;
  }
}

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
    const { steps } = await this.#runToTheEnd(scenario);
    await inParallel(steps, async (killed) => {
      const child = new Child(this.#program);
      await this.#run(scenario, `killed at ${killed.step} (${killed.label})`, async (state, place) => {
        try {
          const outcome = await child.command({
            scenario: scenario.name,
            place,
            signal: 'SIGKILL',
            step: killed.step,
          });
          if (outcome !== undefined)
            throw new Error(`the child came to its end after ${outcome.steps.length} steps`);
        } finally {
          await child.end();
        }
        await scenario.afterKill(state, place, killed);
      });
    });
    return steps.length;
  }

  /** Stops the operation at each of its kill points, lets others run, and continues it; returns how many there are. */
  async stopEverywhere<S, P>(scenario: Scenario<S, P>): Promise<number> {
    const { steps } = await this.#runToTheEnd(scenario);
    await inParallel(steps, async (stopped) => {
      const child = new Child(this.#program);
      try {
        await this.#run(scenario, `stopped at ${stopped.step} (${stopped.label})`, async (state, place) => {
          const done = child.command({
            scenario: scenario.name,
            place,
            signal: 'SIGSTOP',
            step: stopped.step,
          });
          if (!(await child.stopped(done))) throw new Error('the child was not stopped');
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
    });
    return steps.length;
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #runToTheEnd<S, P>(scenario: Scenario<S, P>): Promise<{ steps: KillPoint[] }> {
    const child = new Child(this.#program);
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
      const state = scenario.setup(place);
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

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
