import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { renderCsv } from '../../src/compare/csv.js';
import { CODE_PARTS, DESIGN_ROWS, designEntries } from '../../src/compare/design.js';
import { findChanges, formatDifference } from '../../src/compare/difference.js';
import { renderMarkdown } from '../../src/compare/markdown.js';
import { renderPage, type Surroundings } from '../../src/compare/page.js';
import { drawPictures } from '../../src/compare/plots.js';
import { shortAnswer } from '../../src/compare/short-answer.js';
import { numberTables } from '../../src/compare/tables.js';
import { formatCompareReport } from '../../src/compare/terminal.js';
import { userRows } from '../../src/compare/user-table.js';
import { sampleReport, sampleTransport } from '../support/sample-report.js';

/** A report without pictures and without an earlier one. */
const ALONE: Surroundings = { pictures: [], earlier: undefined, toRoot: '../../' };
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
    expect(speed!.sharedMemory).toContain('500 ns polled');
    expect(complexity!.sharedMemory).toContain('30 lines, 3 names');
    expect(scalability!.sockets).toContain('4 M deliveries/s to 100 members');
  });

  it('says what was not measured', () => {
    const [, speed, , scalability] = userRows(sampleReport({ transports: [], logReaders: [] }));
    expect(speed!.sockets).toContain('n/a');
    expect(scalability!.sharedMemory).toContain('not measured');
  });
});

describe('shortAnswer', () => {
  const channel = sampleTransport('shm-channel', 'channel (doorbell)', 30_000, { family: 'shared memory' });
  const unix = sampleTransport('unix', 'Unix socket', 20_000);

  it('compares polling, being woken and a socket', () => {
    const report = sampleReport({ transports: [...sampleReport().transports, channel, unix] });
    expect(shortAnswer(report)).toMatch(/500 ns while they poll, against 20 µs .* 30 µs, 1\.5 times/);
    expect(renderPage(report, ALONE)).toContain('1.5 times');
  });
});

describe('drawPictures', () => {
  const pictures = drawPictures(sampleReport());

  it('draws each kind of figure, with a sentence that has its numbers', () => {
    expect(pictures.map(({ name }) => name)).toEqual([
      'round-trips',
      'latency-distribution',
      'messages-per-second',
      'bytes-per-second',
      'fan-out',
      'cpu-per-message',
    ]);
    expect(pictures[0]!.sentence).toContain(
      'channel (polled), takes 500 ns; TCP takes 20 µs, 40 times as long',
    );
    for (const { sentence } of pictures) expect(sentence).toMatch(/\.$/);
  });

  it('tells lines apart without colour: each has its name, its dash and its symbol', () => {
    const { document } = parseHTML(pictures[2]!.svg);
    const text = [...document.querySelectorAll('text')].map((node) => node.textContent);
    for (const title of ['channel (polled)', 'TCP', 'chat over TCP']) expect(text).toContain(title);
  });

  it('leaves out what was not measured', () => {
    const bare = sampleReport({ fanout: { windows: [], paced: [], failures: [], otherWork: 0 } });
    expect(drawPictures(bare).map(({ name }) => name)).not.toContain('fan-out');
  });
});

describe('renderPage', () => {
  const report = sampleReport({ failures: ['a <b> & c'], missing: ['redis: no redis-server on the PATH'] });
  const html = renderPage(report, { ...ALONE, pictures: drawPictures(report) });

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
    const warned = renderPage(noisy, ALONE);
    expect(warned).toContain('up to 50 %');
    expect(warned).toContain('interrupted');
  });
});

describe('renderMarkdown', () => {
  it('has the five rows, and shows each picture with its sentence', () => {
    const report = sampleReport();
    const pictures = drawPictures(report);
    const text = renderMarkdown(report, { ...ALONE, pictures });
    expect(text.split('## In pictures')[0]!.match(/^\| \*\*/gm)).toHaveLength(5);
    for (const { name, sentence } of pictures) {
      expect(text).toContain(`(${name}.svg)`);
      expect(text).toContain(sentence);
    }
  });
});

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
    const slower = sampleReport({ transports: [sampleTransport('tcp', 'TCP', 40_000)] });
    const changes = numberTables(slower, sampleReport()).at(-1)!;
    expect(changes.caption).toContain('since commit abc1234, 2026-01-02');
    expect(changes.rows[0]).toEqual(['TCP', 'round trip p50', '20 µs', '40 µs', '2.00', 'worse']);
  });
});

describe('the design comparison', () => {
  const ASKED = [
    'scope',
    'speed',
    'complexity',
    'failure',
    'scalability',
    'security',
    'portability',
    'choose',
  ];

  it.each(ASKED)('has a row about %s', (aspect) => {
    expect(DESIGN_ROWS.some((row) => row.aspect.startsWith(aspect))).toBe(true);
  });

  it('backs each row with a figure of the report or a file of the repository', () => {
    for (const row of DESIGN_ROWS) expect(row.evidence.length > 0 || row.figures !== undefined).toBe(true);
    const speed = designEntries(sampleReport()).find((row) => row.aspect === 'speed')!;
    expect(speed.figures).toBe('CPU time for a message of 64 B: TCP 150 ns, channel 150 ns');
  });

  it('links to the files from wherever the report lies', () => {
    const elsewhere = { ...ALONE, toRoot: '../../../' };
    expect(renderPage(sampleReport(), elsewhere)).toContain(
      'href="../../../packages/shm/src/waiting/bell.ts"',
    );
    expect(renderMarkdown(sampleReport(), elsewhere)).toContain(
      '(../../../packages/shm/src/waiting/bell.ts)',
    );
  });

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
      'memory.csv',
    ]);
    expect(files['memory.csv']).toContain('chat,5000,1,2,8000');
    expect(files['throughput.csv']!.trim().split('\n')).toHaveLength(1 + 3 * 2);
    expect(files['fan-out.csv']).toContain('chat,100,4000000,,0');
  });
});

describe('formatCompareReport', () => {
  it('shows all lines, and what went wrong', () => {
    const text = formatCompareReport(sampleReport({ failures: ['NATS: gone'] }));
    for (const title of ['channel (polled)', 'TCP', 'chat over TCP', 'Failed: NATS: gone'])
      expect(text).toContain(title);
  });
});
