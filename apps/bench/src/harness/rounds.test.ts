import { describe, expect, it } from 'vitest';
import { runRounds } from './rounds.js';

const entrants = ['a', 'b', 'c'].map((title) => ({ title }));

describe('runRounds', () => {
  it('measures all entrants in every step, beginning with another one in each round', async () => {
    const seen: string[] = [];
    const step = (name: string) => ({
      name,
      measure: async ({ title }: { title: string }) => void seen.push(name + title),
    });
    await runRounds({ entrants, rounds: 2, steps: [step('x'), step('y')], onFailure: () => {} });
    expect(seen.join(' ')).toBe('xa xb xc ya yb yc xb xc xa yb yc ya');
  });

  it('leaves out what failed, names it once, and goes on', async () => {
    const seen: string[] = [];
    const failures: string[] = [];
    const measure = async ({ title }: { title: string }): Promise<void> => {
      seen.push(title);
      if (title === 'b') throw new Error('broken');
    };
    const run = { entrants, rounds: 2, steps: [{ name: '', measure }] };
    await runRounds({ ...run, onFailure: (line) => failures.push(line) });
    expect(seen.join('')).toBe('abcca');
    expect(failures).toEqual(['b: broken']);
  });

  it('ends after the measurement that is under way when it is interrupted', async () => {
    const interrupt = new AbortController();
    const steps: string[] = [];
    const measure = async (): Promise<void> => interrupt.abort();
    await runRounds({
      entrants,
      rounds: 3,
      steps: [{ name: 'only', measure }],
      signal: interrupt.signal,
      onStep: (what) => steps.push(what),
      onFailure: () => {},
    });
    expect(steps).toEqual(['only, round 1, a']);
  });
});
