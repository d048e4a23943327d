import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { samplePair, sampleReport } from '../../../test/support/sample-report.js';
import type { CompareReport } from '../figures.js';
import { drawPictures } from './pictures.js';

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

describe('the pictures', () => {
  const withRates = (rates: Readonly<Record<string, readonly [number, number]>>): CompareReport =>
    sampleReport({
      transports: Object.entries(rates).map(([id, [small, large]]) =>
        samplePair(id, id, 1000, {
          throughput: [
            [64, small],
            [1024, large],
          ].map(([bytes, rate]) => ({
            bytes: bytes!,
            messagesPerSecond: { median: rate!, min: rate!, max: rate! },
            bytesPerSecond: { median: bytes! * rate!, min: 1, max: 2 },
            cpuNsPerMessage: { near: undefined, far: undefined, server: undefined },
          })),
        }),
      ),
    });
  const sentenceOf = (report: CompareReport, name: string): string =>
    drawPictures(report).find((picture) => picture.name === name)!.sentence;

  it('say that lines begin flat and come closer only where they do', () => {
    const usual = withRates({ tcp: [1e6, 9e5], unix: [1e5, 3e5] });
    expect(sentenceOf(usual, 'messages-per-second')).toContain('the lines begin flat');
    expect(sentenceOf(usual, 'bytes-per-second')).toContain('come closer');
    const unusual = withRates({ tcp: [1e6, 3e5], unix: [5e5, 1e5] });
    expect(sentenceOf(unusual, 'messages-per-second')).not.toContain('flat');
    expect(sentenceOf(unusual, 'bytes-per-second')).not.toContain('closer');
  });

  it('give a reason for the fan-out of the chat only where it is ahead, at an audience that both had', () => {
    const window = (target: string, members: number, rate: number) => ({
      ...sampleReport().fanout.windows[0]!,
      target,
      members,
      deliveriesPerSecond: { median: rate, min: rate * 0.9, max: rate * 1.1 },
    });
    const fanout = {
      ...sampleReport().fanout,
      windows: [window('chat', 1000, 9e6), window('chat', 100, 4e6), window('ws', 100, 1e6)],
    };
    expect(sentenceOf(sampleReport({ fanout }), 'fan-out')).toContain(
      'At 100 the chat makes 4 M, a plain ws broadcast 1 M: the same bytes',
    );
    const behind = { ...fanout, windows: [window('chat', 100, 1e6), window('ws', 100, 1e6)] };
    expect(sentenceOf(sampleReport({ fanout: behind }), 'fan-out')).toMatch(/broadcast 1 M\.$/);
  });
});
