import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { renderCsv } from '../../src/compare/csv.js';
import { CODE_PARTS, DESIGN_ROWS } from '../../src/compare/design.js';
import { findChanges, formatDifference } from '../../src/compare/difference.js';
import { renderMarkdown } from '../../src/compare/markdown.js';
import { renderPage } from '../../src/compare/page.js';
import { drawPictures } from '../../src/compare/plots.js';
import { formatCompareReport } from '../../src/compare/terminal.js';
import { userRows } from '../../src/compare/user-table.js';
import { sampleReport, sampleTransport } from '../support/sample-report.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

describe('userRows', () => {
  it('has the five rows of the usual table, in its order', () => {
    expect(userRows(sampleReport()).map((row) => row.feature)).toEqual([
      'scope',
      'speed',
      'complexity',
      'scalability',
      'use case',
    ]);
  });

  it('puts measured values in the place of adjectives', () => {
    const [, speed, complexity, scalability] = userRows(sampleReport());
    expect(speed!.sockets).toContain('20 µs bare, 90 µs through the chat');
    expect(speed!.sharedMemory).toContain('500 ns asked');
    expect(complexity!.sharedMemory).toContain('30 lines, 3 names');
    expect(scalability!.sockets).toContain('4 M deliveries/s to 100 members');
  });

  it('says what was not measured', () => {
    const [, speed, , scalability] = userRows(sampleReport({ transports: [], logReaders: [] }));
    expect(speed!.sockets).toContain('n/a');
    expect(scalability!.sharedMemory).toBe('not measured');
  });
});

describe('drawPictures', () => {
  const pictures = drawPictures(sampleReport());

  it('draws each figure that issues speak of, with a sentence that has its numbers', () => {
    expect(pictures.map(({ name }) => name)).toEqual([
      'round-trips',
      'latency-distribution',
      'messages-per-second',
      'bytes-per-second',
      'fan-out',
      'cpu-per-message',
    ]);
    expect(pictures[0]!.sentence).toContain(
      'channel (asked), takes 500 ns; TCP takes 20 µs, 40 times as long',
    );
    for (const { sentence } of pictures) expect(sentence).toMatch(/\.$/);
  });

  it('tells lines apart without colour: each has its name, its dash and its symbol', () => {
    const { document } = parseHTML(pictures[2]!.svg);
    const text = [...document.querySelectorAll('text')].map((node) => node.textContent);
    for (const title of ['channel (asked)', 'TCP', 'chat over TCP']) expect(text).toContain(title);
  });

  it('leaves out what was not measured', () => {
    const bare = sampleReport({ fanout: { windows: [], paced: [], failures: [], otherWork: 0 } });
    expect(drawPictures(bare).map(({ name }) => name)).not.toContain('fan-out');
  });
});

describe('renderPage', () => {
  const report = sampleReport({ failures: ['a <b> & c'], missing: ['redis: no redis-server on the PATH'] });
  const html = renderPage(report, drawPictures(report), undefined);

  it('needs nothing from outside', () => {
    expect(html).not.toMatch(/<script|<link|src="|url\(|@import/);
  });

  it('escapes what it did not write', () => {
    expect(html).toContain('a CPU &lt;fast&gt;');
    expect(html).toContain('a &lt;b&gt; &amp; c');
  });

  it('begins with the five rows and has every picture', () => {
    expect(html.indexOf('different machines')).toBeLessThan(html.indexOf('<figure'));
    expect(html.match(/<figure /g)).toHaveLength(6);
  });

  it('warns of a noisy machine and of an interrupted run', () => {
    const { settings } = sampleReport();
    const noisy = sampleReport({ otherWork: 0.5, settings: { ...settings, complete: false } });
    const warned = renderPage(noisy, [], undefined);
    expect(warned).toContain('up to 50 %');
    expect(warned).toContain('interrupted');
  });
});

describe('renderMarkdown', () => {
  it('has the five rows, and shows each picture with its sentence', () => {
    const report = sampleReport();
    const pictures = drawPictures(report);
    const text = renderMarkdown(report, pictures);
    expect(text.match(/^\| \*\*/gm)).toHaveLength(5);
    for (const { name, sentence } of pictures) {
      expect(text).toContain(`(${name}.svg)`);
      expect(text).toContain(sentence);
    }
  });
});

describe('the design comparison', () => {
  it.each([...DESIGN_ROWS.flatMap((row) => row.evidence), ...CODE_PARTS.flatMap((part) => part.folders)])(
    'finds %s in the repository',
    (path) => {
      expect(existsSync(join(ROOT, path))).toBe(true);
    },
  );
});

describe('findChanges', () => {
  const before = sampleReport();

  it('finds nothing between a report and itself', () => {
    expect(findChanges(before, before).every(({ verdict }) => verdict === 'same')).toBe(true);
    expect(formatDifference(before, before)).toContain('nothing that is clear of the noise');
  });

  it('counts a change only where the rounds lie apart, and knows which direction is better', () => {
    const after = sampleReport({ transports: [sampleTransport('tcp', 'TCP', 40_000)] });
    expect(findChanges(before, after).map(({ figure, verdict }) => [figure, verdict])).toEqual([
      ['round trip p50', 'worse'],
      ['messages/s at 64 B', 'worse'],
      ['messages/s at 1024 B', 'worse'],
    ]);
    const near = sampleReport({ transports: [sampleTransport('tcp', 'TCP', 21_000)] });
    expect(findChanges(before, near).every(({ verdict }) => verdict === 'same')).toBe(true);
  });
});

describe('renderCsv', () => {
  it('writes one line for each line and size', () => {
    const files = renderCsv(sampleReport());
    expect(Object.keys(files)).toEqual([
      'round-trips.csv',
      'latency-distribution.csv',
      'throughput.csv',
      'fan-out.csv',
    ]);
    expect(files['throughput.csv']!.trim().split('\n')).toHaveLength(1 + 3 * 2);
    expect(files['fan-out.csv']).toContain('chat,100,4000000,,0');
  });
});

describe('formatCompareReport', () => {
  it('shows all lines, and what went wrong', () => {
    const text = formatCompareReport(sampleReport({ failures: ['NATS: gone'] }));
    for (const title of ['channel (asked)', 'TCP', 'chat over TCP', 'FAILED NATS: gone'])
      expect(text).toContain(title);
  });
});
