import { describe, expect, it } from 'vitest';
import { samplePair, sampleReport } from '../../test/support/sample-report.js';
import { renderMarkdown } from './page/markdown.js';
import { renderPage, type Surroundings } from './page/page.js';
import { numberTables } from './tables.js';

/** A report without pictures and without an earlier one. */
const ALONE: Surroundings = { pictures: [], earlier: undefined, toRoot: '../../' };

describe('the tables', () => {
  const [latencies, throughput] = numberTables(sampleReport(), undefined);

  it('show the smallest and the largest round below the middle one', () => {
    expect(latencies!.rows.find(([title]) => title === 'TCP')![1]).toBe('20 µs\n18 µs – 22 µs');
    expect(throughput!.rows.find(([title]) => title === 'TCP')![1]).toContain('50 k/s\n45 k – 55 k\n');
  });

  it('are on the page and in Markdown, small print apart', () => {
    const report = sampleReport();
    expect(renderPage(report, ALONE)).toContain('<td>20 µs<br><small>18 µs – 22 µs</small></td>');
    expect(renderMarkdown(report, ALONE)).toContain('| 20 µs<br><sub>18 µs – 22 µs</sub> |');
  });

  it('leave out what was not measured, and have what changed since an earlier report', () => {
    const bare = sampleReport({
      memory: [],
      logReaders: [],
      fanout: { ...sampleReport().fanout, windows: [] },
    });
    expect(numberTables(bare, undefined)).toHaveLength(3);
    expect(numberTables(bare, bare).at(-1)!.rows[0]).toContain('that is clear of the noise');
    const slower = sampleReport({ transports: [samplePair('tcp', 'TCP', 40_000)] });
    const changes = numberTables(slower, sampleReport()).at(-1)!;
    expect(changes.caption).toContain('since commit abc1234, 2026-01-02');
    expect(changes.rows[0]).toEqual(['TCP', 'round trip p50', '20 µs', '40 µs', '2.00', 'worse']);
  });
});
