import { afterAll, describe, expect, inject, it } from 'vitest';
import { KillHarness } from '../../../packages/shm/test/support/kill-harness.js';
import { conversationScenarios } from './support/scenarios.js';

declare module 'vitest' {
  interface ProvidedContext {
    childProgram: string;
  }
}

/** Hundreds of processes, on a machine that may be busy with other things. */
const TIMEOUT_MS = 300_000;

describe.skipIf(process.platform !== 'linux')('process A and process B, killed anywhere', () => {
  const harness = new KillHarness(inject('childProgram'));
  let killed = 0;

  afterAll(() => {
    harness.close();
    console.log(`kill points covered: ${killed} SIGKILL, in ${conversationScenarios.length} operations`);
  });

  for (const scenario of conversationScenarios) {
    it(`survives SIGKILL at every step of "${scenario.name}"`, { timeout: TIMEOUT_MS }, async () => {
      const points = await harness.killEverywhere(scenario);
      expect(points).toBeGreaterThan(20);
      killed += points;
    });
  }
});
