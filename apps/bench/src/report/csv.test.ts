import { describe, expect, it } from 'vitest';
import { sampleReport } from '../../test/support/sample-report.js';
import { renderCsv } from './csv.js';

describe('renderCsv', () => {
  it('writes one line for each line and size', () => {
    const files = renderCsv(sampleReport());
    expect(Object.keys(files)).toEqual([
      'round-trips.csv',
      'latency-distribution.csv',
      'throughput.csv',
      'fan-out.csv',
      'memory.csv',
    ]);
    expect(files['memory.csv']).toContain('chat,5000,1,2,8000');
    expect(files['throughput.csv']!.trim().split('\n')).toHaveLength(1 + 3 * 2);
    expect(files['fan-out.csv']).toContain('chat,100,4000000,,0');
  });
});
