/** What the child of a kill harness is: obeys one command per line of its input, and answers each with a line; some it does not survive. */
import { createInterface } from 'node:readline';
import { parentPort, workerData } from 'node:worker_threads';
import type { Command, Death, Outcome, Place, Scenario } from './scenario.js';
import {
  dieNested,
  dieOf,
  isVictim,
  outcomeOf,
  run,
  runAsVictim,
  startVictim,
  type Victim,
} from './victim.js';

type Actors = Readonly<Record<string, (place: Place) => unknown>>;

/** Runs until the input ends; in the thread of a victim, until that is over. */
export async function obeyAll(scenarios: readonly Scenario[], actors: Actors = {}): Promise<void> {
  const named = (name: string): Scenario => {
    const scenario = scenarios.find((candidate) => candidate.name === name);
    if (scenario === undefined) throw new Error(`no scenario ${name}`);
    return scenario;
  };
  if (parentPort !== null && isVictim(workerData)) {
    await runAsVictim(named(workerData.scenario), workerData, parentPort);
    return;
  }
  let victim: Victim | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as Command | Death;
    if (!('inThread' in command && command.inThread && command.scenario === victim?.scenario)) {
      await victim?.worker.terminate();
      victim = undefined;
    }
    if ('dieAt' in command) await die(command);
    else process.stdout.write(`${JSON.stringify(await obey(command))}\n`);
  }

  async function obey({ scenario: name, place, stopAt, inThread = false }: Command): Promise<Outcome> {
    const actor = actors[name];
    if (actor !== undefined) return outcomeOf([], () => actor(place));
    // The signal takes effect before this call returns.
    const stop = (): void => void process.kill(process.pid, 'SIGSTOP');
    if (!inThread) return run(named(name), { place, step: stopAt }, stop);
    if (victim === undefined) victim = startVictim({ scenario: name, place, step: stopAt });
    else victim.again({ place, step: stopAt });
    for (;;) {
      const { outcome, label } = await victim.next();
      if (outcome !== undefined) return outcome;
      if (label !== undefined) stop();
      victim.goOn();
    }
  }

  async function die({ scenario, dieAt, inThreads }: Death): Promise<void> {
    if (!inThreads) dieNested(named(scenario), dieAt);
    const victims = dieAt.map(({ place, step }) => startVictim({ scenario, place, step }));
    const seen = await Promise.all(victims.map((victim) => victim.next()));
    dieOf(seen.map(({ outcome, label }) => (outcome === undefined ? { label } : { error: outcome.error })));
  }
}
