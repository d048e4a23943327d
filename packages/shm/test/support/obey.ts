/** What the child of a kill harness is: obeys one command per line of its input, and answers each with a line, unless it dies of it. */
import { createInterface } from 'node:readline';
import { STEP_HOOK } from '../../src/platform/step.js';
import type { Command, Outcome, Place, Scenario } from './scenario.js';

/** Runs until the input ends. */
export async function obeyAll(
  scenarios: readonly Scenario[],
  actors: Readonly<Record<string, (place: Place) => unknown>> = {},
): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const outcome = await obey(JSON.parse(line) as Command, scenarios, actors);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }
}

async function obey(
  { scenario: name, place, signal, step }: Command,
  scenarios: readonly Scenario[],
  actors: Readonly<Record<string, (place: Place) => unknown>>,
): Promise<Outcome> {
  const actor = actors[name];
  if (actor !== undefined) return act(() => actor(place), []);
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const prepared = await scenario.prepare(place);
  const steps: string[] = [];
  const hooks = globalThis as { [STEP_HOOK]?: (label: string) => void };
  hooks[STEP_HOOK] = (label) => {
    steps.push(label);
    // The signal takes effect before this call returns.
    if (steps.length === step && signal !== undefined) process.kill(process.pid, signal);
  };
  try {
    return await act(() => scenario.operation(prepared), steps);
  } finally {
    delete hooks[STEP_HOOK];
  }
}

async function act(part: () => unknown, steps: readonly string[]): Promise<Outcome> {
  try {
    return { steps, result: await part() };
  } catch (error) {
    return { steps, error: (error as { code?: string }).code ?? String(error) };
  }
}
