/**
 * Runs of a scenario that stand still at a kill point, until their process is killed or goes on.
 *
 * A process dies once, and to start one takes longer than all that a run does. So many runs die with one process, each in a folder of its
 * own and at a kill point of its own: an operation that needs no event loop inside the step at which the one before it stands still; another
 * in a thread that blocks at its step. For each of them it is as if it had been alone: the kernel ends all at the instruction at which they are.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { type MessagePort, Worker } from 'node:worker_threads';
import { STEP_HOOK } from '../../src/platform/step.js';
import type { Fate, Outcome, Place, Run, Scenario } from './scenario.js';

/** Which run a step is of: what earlier runs of this thread have open still looks, by timers of its own. */
const runs = new AsyncLocalStorage<object>();
const hooks = globalThis as { [STEP_HOOK]?: (label: string) => void };

/** Runs a scenario in this thread. `standStill` is called at its kill point `step`, if there is one. */
export async function run(
  scenario: Scenario,
  { place, step }: { readonly place: Place; readonly step?: number | undefined },
  standStill: (label: string) => void,
): Promise<Outcome> {
  const own = {};
  const preparing = runs.run(own, () => scenario.prepare(place));
  const prepared = await preparing;
  const steps: string[] = [];
  const isPrepared = !(preparing instanceof Promise);
  let isAsync = !isPrepared;
  let atOnce = 0;
  hooks[STEP_HOOK] = (label) => {
    if (runs.getStore() === own && steps.push(label) === step) standStill(label);
  };
  const outcome = await outcomeOf(steps, () => {
    const operating = runs.run(own, () => scenario.operation(prepared));
    if (isPrepared) atOnce = steps.length;
    isAsync ||= operating instanceof Promise;
    return operating;
  });
  delete hooks[STEP_HOOK];
  return { ...outcome, isAsync, atOnce };
}

/** What became of a part that was done; `steps` are looked at when it is over. */
export async function outcomeOf(steps: readonly string[], part: () => unknown): Promise<Outcome> {
  try {
    return { result: await part(), steps };
  } catch (error) {
    return { error: errorText(error), steps };
  }
}

function errorText(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

/** Begins each run inside the step at which the one before it stands still, and kills the process when there is no more. */
export function dieNested(scenario: Scenario, runs: readonly Run[]): never {
  const fates: Fate[] = [];
  const begin = (first: number): never => {
    for (let i = first; i < runs.length; i++) {
      const { place, step } = runs[i] as Run;
      delete hooks[STEP_HOOK];
      const prepared = scenario.prepare(place);
      let count = 0;
      hooks[STEP_HOOK] = (label) => {
        if (++count !== step) return;
        fates[i] = { label };
        begin(i + 1);
      };
      try {
        scenario.operation(prepared);
        fates[i] = {};
      } catch (error) {
        fates[i] = { error: errorText(error) };
      }
    }
    return dieOf(fates);
  };
  return begin(0);
}

/** Tells where each run stands, and kills the process. */
export function dieOf(fates: readonly Fate[]): never {
  writeSync(process.stdout.fd, `${JSON.stringify(fates)}\n`);
  process.kill(process.pid, 'SIGKILL');
  throw new Error('survived SIGKILL');
}

/** What the thread of a run is told; it is told its next run by a message. */
interface VictimData extends VictimRun {
  readonly scenario: string;
  /** 0 while it is to stand still at its step. */
  readonly mayGoOn: Int32Array;
}

/** One run of the thread's scenario. */
interface VictimRun {
  readonly place: Place;
  readonly step: number | undefined;
}

/** What a thread tells: that it stands still, or how it ended. */
interface Told {
  readonly label?: string;
  readonly outcome?: Outcome;
}

/** A run in a thread of its own, as the main thread sees it. */
export interface Victim {
  readonly scenario: string;
  readonly worker: Worker;
  /** What it tells next. */
  next(): Promise<Told>;
  goOn(): void;
  /** Begins another run when the one before is over: to start a thread takes longer than all that a run does. */
  again(run: VictimRun): void;
}

export function isVictim(data: unknown): data is VictimData {
  return (data as VictimData | null)?.mayGoOn instanceof Int32Array;
}

/** Starts a run in a thread; this program has to call `obeyAll` there, too. */
export function startVictim(run: Omit<VictimData, 'mayGoOn'>): Victim {
  const mayGoOn = new Int32Array(new SharedArrayBuffer(4));
  const workerData: VictimData = { ...run, mayGoOn };
  const worker = new Worker(process.argv[1] as string, { workerData });
  return {
    scenario: run.scenario,
    worker,
    next: () =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
      }),
    goOn: () => {
      Atomics.store(mayGoOn, 0, 1);
      Atomics.notify(mayGoOn, 0);
    },
    again: ({ place, step }) => {
      Atomics.store(mayGoOn, 0, 0);
      worker.postMessage({ place, step } satisfies VictimRun);
    },
  };
}

/** The thread of a victim. It stays as it is when a run is over, until it is told the next one. */
export async function runAsVictim(scenario: Scenario, data: VictimData, parent: MessagePort): Promise<never> {
  // Nothing that waits for the other side keeps a thread alive.
  parent.ref();
  for (let next: VictimRun = data; ; ) {
    const told = once(parent, 'message');
    const outcome = await run(scenario, next, (label) => {
      parent.postMessage({ label } satisfies Told);
      Atomics.wait(data.mayGoOn, 0, 0);
    });
    parent.postMessage({ outcome } satisfies Told);
    [next] = (await told) as [VictimRun];
  }
}
