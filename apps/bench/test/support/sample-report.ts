/** A small report with made-up figures, for tests of what is made of reports. */
import type { PairFigure } from '../../src/pairs/benchmark.js';
import type { CompareReport } from '../../src/report/figures.js';

export function samplePair(
  id: string,
  title: string,
  p50Ns: number,
  over: Partial<PairFigure> = {},
): PairFigure {
  const spread = { median: p50Ns, min: p50Ns * 0.9, max: p50Ns * 1.1 };
  return {
    id,
    title,
    family: 'socket',
    level: 'bare',
    polls: false,
    roundTrip: {
      summary: {
        count: 1000,
        minNs: p50Ns / 2,
        p50Ns,
        p90Ns: p50Ns * 2,
        p99Ns: p50Ns * 4,
        p999Ns: p50Ns * 8,
        maxNs: p50Ns * 9,
        meanNs: p50Ns,
      },
      p50Ns: spread,
      distribution: [1, 50, 90, 99, 99.9, 100].map((percent) => ({
        percent,
        ns: p50Ns * (1 + percent / 50),
      })),
    },
    wakeUp: undefined,
    throughput: [64, 1024].map((bytes) => ({
      bytes,
      messagesPerSecond: { median: 1e9 / p50Ns, min: 0.9e9 / p50Ns, max: 1.1e9 / p50Ns },
      bytesPerSecond: { median: (bytes * 1e9) / p50Ns, min: 1, max: 2 },
      cpuNsPerMessage: { near: 100, far: 50, server: undefined },
    })),
    idleCpuMsPerSecond: { median: 1, min: 1, max: 1 },
    attachMs: { median: 2, min: 1, max: 3 },
    serverStartMs: undefined,
    lost: 0,
    overwritten: 0,
    ...over,
  };
}

export function sampleReport(over: Partial<CompareReport> = {}): CompareReport {
  return {
    format: 1,
    machine: {
      cpu: 'a CPU <fast>',
      cores: 2,
      memoryBytes: 8 * 1024 ** 3,
      system: 'Linux 6',
      governor: 'performance',
      node: 'v20.0.0',
      commit: 'abc1234',
      date: '2026-01-02T03:04:05.000Z',
    },
    otherWork: 0.01,
    settings: {
      quick: false,
      rounds: 3,
      roundTripBytes: 64,
      ratePerSecond: 2000,
      complete: true,
      elapsedMs: 1000,
    },
    transports: [
      samplePair('shm-channel-polled', 'channel (polled)', 500, {
        family: 'shared memory',
        polls: true,
      }),
      samplePair('tcp', 'TCP', 20_000),
      samplePair('chat-tcp', 'chat over TCP', 90_000, { family: 'chat' }),
    ],
    fanout: {
      windows: ['chat', 'ws'].map((target, i) => ({
        target,
        members: 100,
        window: 16,
        deliveriesPerSecond: { median: 4e6 / (1 + i * 9), min: 1, max: 2 },
        deliveriesPerCpuSecond: undefined,
        serverLoad: undefined,
        loadCpuNsPerDelivery: 10,
        lost: 0,
      })),
      paced: [],
      failures: [],
      otherWork: 0,
    },
    logReaders: [
      {
        readers: 100,
        deliveriesPerSecond: { median: 9e6, min: 1, max: 2 },
        deliveriesPerCpuSecond: undefined,
        lost: 0,
      },
    ],
    memory: [{ target: 'chat', connections: 5000, beforeBytes: 1, afterBytes: 2, perConnectionBytes: 8000 }],
    code: [
      { part: 'protocol', files: 1, codeLines: 10, commentLines: 5, exports: 2 },
      { part: 'shared memory', files: 1, codeLines: 30, commentLines: 5, exports: 3 },
    ],
    missing: [],
    failures: [],
    ...over,
  };
}
