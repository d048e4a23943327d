import { describe, expect, it } from 'vitest';
import { ScreenView } from '../../../src/screen/view/screen-view.js';
import { Theme } from '../../../src/screen/view/theme.js';

describe('ScreenView', () => {
  const frame = (...texts: readonly string[]) => ({
    rows: texts.map((text) => [{ text, look: 'strong' as const }]),
    cursor: { column: 0, row: 0 },
  });

  it('paints rows and writes those that changed', () => {
    const writes: string[] = [];
    const view = new ScreenView((text) => writes.push(text), new Theme('none'));
    view.draw(frame('one', 'two'));
    expect(writes[0]).toContain('\u001B[1mone\u001B[0m');
    view.draw(frame('one', 'TWO'));
    expect(writes[1]).toContain('\u001B[1mTWO\u001B[0m');
    expect(writes[1]).not.toContain('one');
  });

  it('writes everything again once the screen was cleared', () => {
    const writes: string[] = [];
    const view = new ScreenView((text) => writes.push(text), new Theme('none'));
    view.draw(frame('one'));
    view.clear();
    view.draw(frame('one'));
    expect(writes).toHaveLength(3);
    expect(writes[1]).toBe('\u001B[2J\u001B[H');
    expect(writes[2]).toBe(writes[0]);
  });
});
