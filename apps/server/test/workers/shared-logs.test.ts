import type { Log } from '@chat/shm';
import { describe, expect, it } from 'vitest';
import { LOG_PREFIX, SharedLogs } from '../../src/workers/shared-logs.js';

/** Logs that only say what was done with them. */
function logsOf(isCarried: boolean) {
  const done: string[] = [];
  const logs = new SharedLogs((name) => {
    done.push(`open ${name}`);
    return {
      name,
      unlink: () => done.push(`unlink ${name}`),
      close: () => done.push(`close ${name}`),
    } as unknown as Log;
  }, isCarried);
  return { logs, done };
}

describe('SharedLogs', () => {
  it('are one log, in a life that is named, where nothing is stored', () => {
    const { logs, done } = logsOf(false);
    expect(done).toEqual([`open ${logs.log}`]);
    expect(logs.log.startsWith(`${LOG_PREFIX}${process.pid}-`)).toBe(true);
    expect([logs.wanted, logs.epoch !== '']).toEqual([undefined, true]);
  });

  it('are two where there is a store, which names the life', () => {
    const { logs, done } = logsOf(true);
    expect(done).toEqual([`open ${logs.log}`, `open ${logs.wanted}`]);
    expect(logs.epoch).toBe('');
  });

  it.each([false, true])(
    'of another life have other names, and the former ones are given up (stored: %s)',
    (isCarried) => {
      const { logs, done } = logsOf(isCarried);
      const former = [logs.log, ...(logs.wanted === undefined ? [] : [logs.wanted])];
      const { epoch } = logs;
      logs.epoch = epoch || 'told by the store';
      done.length = 0;
      logs.renew();
      expect(done.slice(0, former.length * 2)).toEqual(
        former.flatMap((name) => [`unlink ${name}`, `close ${name}`]),
      );
      expect(former).not.toContain(logs.log);
      expect(former).not.toContain(logs.wanted);
      expect(logs.epoch).not.toBe(epoch || 'told by the store');
    },
  );
});
