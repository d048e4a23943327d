import { afterEach, describe, expect, it, vi } from 'vitest';
import { findProgram } from './support/find-program.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('findProgram', () => {
  it('finds the first that is on the PATH', () => {
    expect(findProgram('no-such-program', 'node')).toMatch(/node(\.exe)?$/i);
  });

  it('answers undefined, with a line that says why, for a program that is missing', () => {
    vi.stubEnv('CHAT_TEST_REQUIRE_ALL', '');
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(findProgram('no-such-program')).toBeUndefined();
    expect(write).toHaveBeenCalledWith('skipped: no-such-program is not installed\n');
  });

  it('fails instead where everything is required', () => {
    vi.stubEnv('CHAT_TEST_REQUIRE_ALL', '1');
    expect(() => findProgram('no-such-program')).toThrow('no-such-program is not installed');
  });
});
