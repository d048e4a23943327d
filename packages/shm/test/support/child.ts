/** The child of the kill harness: obeys one command per line of its input, and answers each with a line, unless it dies of it. */
import { createInterface } from 'node:readline';
import { STEP_HOOK } from '../../src/platform/step.js';
import { actors } from './actors.js';
import type { Command, Outcome } from './scenario.js';
import { scenarios } from './scenarios.js';

async function obey({ scenario: name, place, signal, step }: Command): Promise<Outcome> {
  const actor = actors[name];
  if (actor !== undefined) return act(() => actor(place), []);
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const prepared = scenario.prepare(place);
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

for await (const line of createInterface({ input: process.stdin })) {
  const outcome = await obey(JSON.parse(line) as Command);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
