import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { STEP_HOOK, STEPS, step } from '../src/step.js';
// @ts-expect-error a build script without types
import { buildHarness } from './support/build-harness.mjs';

const hooks = globalThis as { [STEP_HOOK]?: (name: string) => void };

describe('step', () => {
  afterEach(() => {
    delete hooks[STEP_HOOK];
  });

  it('does nothing unless the build says so', () => {
    let called = false;
    hooks[STEP_HOOK] = () => {
      called = true;
    };
    step('anywhere');
    expect(STEPS).toBe(false);
    expect(called).toBe(false);
  });

  it('is there in the build of the harness, and leaves nothing in one with the define of the published package', async () => {
    const names = /before store|latest: before the cell|unlink: retired|create: empty file/g;
    expect(new Set(readFileSync(inject('childProgram'), 'utf8').match(names)).size).toBe(4);
    const published = await buildHarness('src/index.ts', { steps: false });
    try {
      const text = readFileSync(published.file, 'utf8');
      expect(text).toContain('Atomics.compareExchange');
      expect(text.match(names)).toBeNull();
      expect(text).not.toContain('@chat/shm/step');
    } finally {
      published.remove();
    }
  });
});
