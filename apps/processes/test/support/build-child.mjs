/** Global set-up of the tests: bundles the child of the kill harness once, and tells the tests where it is. */
import { buildHarness } from '../../../../packages/shm/test/support/build-harness.mjs';

/** @param {import('vitest/node').TestProject} project */
export async function setup(project) {
  const child = await buildHarness('../../apps/processes/test/support/child.ts', { steps: true });
  project.provide('childProgram', child.file);
  return child.remove;
}
