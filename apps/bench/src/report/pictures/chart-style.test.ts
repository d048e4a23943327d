import { describe, expect, it } from 'vitest';
import { spreadLabels, styleSeries } from './chart-style.js';

describe('spreadLabels', () => {
  it('leaves labels alone that have room', () => {
    expect(spreadLabels([100, 20, 60], 15, 0, 200)).toEqual([100, 20, 60]);
  });

  it('moves labels apart in their order', () => {
    expect(spreadLabels([52, 50, 51], 10, 0, 200)).toEqual([70, 50, 60]);
  });

  it('stays within the picture', () => {
    expect(spreadLabels([198, 199, 200], 10, 0, 200)).toEqual([180, 190, 200]);
  });
});

describe('styleSeries', () => {
  it('gives series of one family different dashes, and all of them different symbols', () => {
    const styles = styleSeries(['socket', 'chat', 'socket', 'socket']);
    expect(new Set(styles.map(({ symbol }) => symbol)).size).toBe(4);
    expect(new Set([styles[0]!.dash, styles[2]!.dash, styles[3]!.dash]).size).toBe(3);
  });
});
