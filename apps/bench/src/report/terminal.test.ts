import { describe, expect, it } from 'vitest';
import { sampleReport } from '../../test/support/sample-report.js';
import { formatCompareReport } from './terminal.js';

describe('formatCompareReport', () => {
  it('shows all lines, and what went wrong', () => {
    const text = formatCompareReport(sampleReport({ failures: ['NATS: gone'] }));
    for (const title of ['channel (polled)', 'TCP', 'chat over TCP', 'Failed: NATS: gone'])
      expect(text).toContain(title);
  });
});
