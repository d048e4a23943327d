import { afterAll, describe, expect, inject, it } from 'vitest';
import { KillHarness } from './support/kill-harness.js';
import { scenarios } from './support/scenarios.js';

/** Hundreds of processes, on a machine that may be busy with other things. */
const TIMEOUT_MS = 300_000;

// Together: where one operation waits, another has the cores.
describe.skipIf(process.platform !== 'linux').concurrent('killed anywhere', () => {
  const harness = new KillHarness(inject('childProgram'));
  let killed = 0;
  let stopped = 0;

  afterAll(() => {
    harness.close();
    console.log(
      `kill points covered: ${killed} SIGKILL, ${stopped} SIGSTOP, in ${scenarios.length} operations`,
    );
  });

  for (const scenario of scenarios) {
    it(`survives SIGKILL at every step of "${scenario.name}"`, { timeout: TIMEOUT_MS }, async () => {
      const points = await harness.killEverywhere(scenario);
      expect(points).toBeGreaterThan(1);
      killed += points;
    });

    it.runIf(scenario.afterStop)(
      `robs nobody stopped at any step of "${scenario.name}"`,
      { timeout: TIMEOUT_MS },
      async () => {
        const points = await harness.stopEverywhere(scenario);
        stopped += points;
      },
    );
  }
});
