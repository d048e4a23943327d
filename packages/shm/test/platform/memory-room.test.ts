import { describe, expect, it } from 'vitest';
import { memoryRoom } from '../../src/platform/memory-room.js';

function roomIn(files: Readonly<Record<string, string>>): number {
  return memoryRoom((path) => files[path]);
}

describe('memoryRoom', () => {
  it('knows no limit where there are no groups', () => {
    expect(roomIn({})).toBe(Number.POSITIVE_INFINITY);
    expect(
      roomIn({
        '/proc/self/cgroup': '0::/\n',
        '/sys/fs/cgroup/memory.max': 'max\n',
        '/sys/fs/cgroup/memory.current': '5\n',
      }),
    ).toBe(Number.POSITIVE_INFINITY);
  });

  it('is what the container leaves, and what it would throw away by itself', () => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': '1000000\n',
      '/sys/fs/cgroup/memory.current': '700000\n',
    };
    expect(roomIn(files)).toBe(300_000);
    expect(roomIn({ ...files, '/sys/fs/cgroup/memory.stat': 'anon 1\ninactive_file 200000\n' })).toBe(
      500_000,
    );
    expect(roomIn({ ...files, '/sys/fs/cgroup/memory.current': '1200000\n' })).toBe(0);
  });

  it('is the least of a group and of those above it', () => {
    expect(
      roomIn({
        '/proc/self/cgroup': '0::/a/b\n',
        '/sys/fs/cgroup/a/b/memory.max': '900\n',
        '/sys/fs/cgroup/a/b/memory.current': '100\n',
        '/sys/fs/cgroup/a/memory.max': '500\n',
        '/sys/fs/cgroup/a/memory.current': '100\n',
        '/sys/fs/cgroup/memory.max': 'max\n',
      }),
    ).toBe(400);
  });

  it('reads version 1 as well, whose "no limit" is a large number', () => {
    const files = {
      '/proc/self/cgroup': '12:pids:/x\n5:cpu,memory:/docker/1\n',
      '/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes': '4096\n',
      '/sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes': '96\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1\n',
    };
    expect(roomIn(files)).toBe(4000);
  });

  it('is a number on this machine', () => {
    expect(memoryRoom()).toBeGreaterThan(0);
  });
});
