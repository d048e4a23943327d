import { describe, expect, it } from 'vitest';
import { parseFanoutOptions } from './fanout-options.js';

describe('parseFanoutOptions', () => {
  it('measures what the documentation says when nothing is given', () => {
    expect(parseFanoutOptions([])).toEqual({
      members: [100],
      windows: [256, 16, 1],
      payloadBytes: 64,
      roundMs: 2000,
      rounds: 3,
      peers: ['bare', 'ws', 'socket.io', 'redis', 'nats'],
      dialect: 'binary',
      workers: [],
      verify: false,
      latencyRate: 200,
      memory: false,
      idleConnections: 5000,
      json: false,
      profile: undefined,
    });
  });

  it('takes lists', () => {
    const options = parseFanoutOptions(['--members', '100,1000', '--window', '1', '--peers', 'redis,ws']);
    expect(options).toMatchObject({ members: [100, 1000], windows: [1], peers: ['redis', 'ws'] });
  });

  it('is short when quick, and lets a given length win', () => {
    expect(parseFanoutOptions(['--quick', '--rounds', '2'])).toMatchObject({ roundMs: 600, rounds: 2 });
  });
});
