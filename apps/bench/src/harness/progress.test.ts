import { describe, expect, it } from 'vitest';
import { Progress } from './progress.js';

describe('Progress', () => {
  it('scales the time that is left by how wrong it was so far', () => {
    let now = 0;
    let shown = '';
    const target = { isTTY: true, columns: 80, write: (text: string) => (shown = text) };
    const progress = new Progress(10_000, target, () => now);
    progress.step('first', 2000);
    now = 4000;
    progress.step('second', 3000);
    expect(progress.leftMs()).toBeCloseTo((5000 * 4000) / 5000);
    expect(shown).toContain('20 %  16 s left  second');
  });

  it('says nothing without a terminal', () => {
    let shown = '';
    const progress = new Progress(1000, { write: (text: string) => (shown += text) });
    progress.step('first', 500);
    progress.clear();
    expect(shown).toBe('');
  });
});
