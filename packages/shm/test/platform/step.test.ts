import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Options } from 'tsup';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { STEP_HOOK, STEPS, step } from '../../src/platform/step.js';
import config from '../../tsup.config.js';

const [library] = config as readonly Options[];
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

  it('is there in the build of the harness, and leaves nothing in what is published', async () => {
    const names = /before store|latest: before the cell|unlink: retired|create: empty file/g;
    expect(new Set(readFileSync(inject('childProgram'), 'utf8').match(names)).size).toBe(4);
    const outDir = mkdtempSync(join(tmpdir(), 'chat-shm-step-'));
    try {
      await build({
        ...library,
        config: false,
        entry: [fileURLToPath(new URL('../../src/index.ts', import.meta.url))],
        outDir,
        dts: false,
        silent: true,
      });
      for (const file of ['index.js', 'index.cjs']) {
        const text = readFileSync(join(outDir, file), 'utf8');
        expect(text).toContain('Atomics.compareExchange');
        expect(text.match(names)).toBeNull();
        expect(text).not.toContain('@chat/shm/step');
      }
    } finally {
      rmSync(outDir, { recursive: true });
    }
  });
});
