import { expect, it } from 'vitest';
import { mergeMetrics } from '../../src/metrics/merge-metrics.js';

it('puts the samples of all workers under one help, each with its worker', () => {
  const text = (count: number) =>
    [
      '# HELP chat_a_total A',
      '# TYPE chat_a_total counter',
      `chat_a_total ${count}`,
      '',
      '# HELP chat_b B',
      '# TYPE chat_b histogram',
      `chat_b_bucket{le="0.5",code="a b"} ${count}`,
      `chat_b_sum 1.5e-7`,
      '',
    ].join('\n');
  const only = '# HELP chat_c C\n# TYPE chat_c gauge\nchat_c NaN';
  expect(
    mergeMetrics([
      { worker: 1, value: text(1) },
      { worker: 3, value: `${text(3)}\n${only}` },
    ]).split('\n'),
  ).toEqual([
    '# HELP chat_a_total A',
    '# TYPE chat_a_total counter',
    'chat_a_total{worker="1"} 1',
    'chat_a_total{worker="3"} 3',
    '# HELP chat_b B',
    '# TYPE chat_b histogram',
    'chat_b_bucket{worker="1",le="0.5",code="a b"} 1',
    'chat_b_sum{worker="1"} 1.5e-7',
    'chat_b_bucket{worker="3",le="0.5",code="a b"} 3',
    'chat_b_sum{worker="3"} 1.5e-7',
    '# HELP chat_c C',
    '# TYPE chat_c gauge',
    'chat_c{worker="3"} NaN',
  ]);
});
