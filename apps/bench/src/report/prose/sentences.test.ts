import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { samplePair, sampleReport } from '../../../test/support/sample-report.js';
import { REPOSITORY_FOLDER } from '../../harness/built-module.js';
import { renderMarkdown } from '../page/markdown.js';
import { renderPage, type Surroundings } from '../page/page.js';
import { CODE_PARTS } from './code-count.js';
import { designRows, shortAnswer, userRows } from './sentences.js';

/** A report without pictures and without an earlier one. */
const ALONE: Surroundings = { pictures: [], earlier: undefined, toRoot: '../../' };

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
  const channel = samplePair('shm-channel', 'channel (doorbell)', 30_000, { family: 'shared memory' });
  const unix = samplePair('unix', 'Unix socket', 20_000);

  it('compares polling, being woken and a socket', () => {
    const report = sampleReport({ transports: [...sampleReport().transports, channel, unix] });
    expect(shortAnswer(report)).toMatch(/500 ns while they poll, against 20 µs .* 30 µs, 1\.5 times/);
    expect(renderPage(report, ALONE)).toContain('1.5 times');
  });
});

describe('the design comparison', () => {
  const rows = designRows(sampleReport());
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
    expect(rows.some((row) => row.aspect.startsWith(aspect))).toBe(true);
  });

  it('backs each row with a figure of the report or a file of the repository', () => {
    for (const row of rows) expect(row.evidence.length > 0 || row.figures !== '').toBe(true);
    const speed = rows.find((row) => row.aspect === 'speed')!;
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

  it.each([...rows.flatMap((row) => row.evidence), ...Object.values(CODE_PARTS)])(
    'finds %s in the repository',
    (path) => {
      expect(existsSync(join(REPOSITORY_FOLDER, path))).toBe(true);
    },
  );
});
