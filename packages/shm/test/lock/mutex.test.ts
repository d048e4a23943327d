import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, inject, it } from 'vitest';
import { type Mutex, openMutex } from '../../src/lock/mutex.js';
import { load, store } from '../../src/platform/atomics.js';
import { currentIdentity } from '../../src/platform/liveness.js';
import { LOCK_WORD, SLOT_PID, SLOT_START_LOW, slotWord } from '../../src/segment/layout.js';
import { openSegment } from '../../src/segment/shared-segment.js';
import { inspect } from '../../src/tools/inspect.js';
import { ChildProcess } from '../support/child-process.js';
import { joinDead } from '../support/dead.js';
import { memoryOf } from '../support/memory.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const onLinux = process.platform === 'linux';

function open(): Mutex {
  return openMutex(place.name, { directory: place.directory });
}

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'ShmError', code: expected });
}

function startChild(wrapper?: readonly string[]): ChildProcess {
  return new ChildProcess(inject('childProgram'), wrapper);
}

/** Leaves the lock as a holder does that was killed. */
function dieHolding(mutex: Mutex): void {
  store(memoryOf(mutex).words, LOCK_WORD, joinDead(memoryOf(mutex).words).token);
}

describe('Mutex.withLock', () => {
  it('returns what the function returns, and gives the lock up', async () => {
    const mutex = open();
    expect(await mutex.withLock(() => 1)).toBe(1);
    expect(await mutex.withLock(async () => 2)).toBe(2);
    expect(mutex.owner()).toBeUndefined();
  });

  it('throws what the function throws, and gives the lock up', async () => {
    const mutex = open();
    const error = new Error('inside');
    await expect(
      mutex.withLock(() => {
        throw error;
      }),
    ).rejects.toBe(error);
    await expect(mutex.withLock(() => Promise.reject(error))).rejects.toBe(error);
    expect(mutex.tryLock()).toBeDefined();
  });

  it('runs the callers of one handle one at a time, in order', async () => {
    const mutex = open();
    const order: string[] = [];
    await Promise.all(
      [1, 2, 3].map((caller) =>
        mutex.withLock(async () => {
          order.push(`${caller} in`);
          await new Promise(setImmediate);
          order.push(`${caller} out`);
        }),
      ),
    );
    expect(order).toEqual(['1 in', '1 out', '2 in', '2 out', '3 in', '3 out']);
  });

  it('excludes two handles of one process', async () => {
    const [one, two] = [open(), open()];
    let inside = 0;
    const section = async (): Promise<void> => {
      expect(++inside).toBe(1);
      await new Promise(setImmediate);
      inside--;
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : two).withLock(section)));
    expect(inside).toBe(0);
  });

  it('excludes processes: no count is lost', async () => {
    const segment = openSegment(place.name, { directory: place.directory });
    const children = Array.from({ length: 3 }, () => startChild());
    try {
      await Promise.all(children.map((child) => child.act('count to 300 under the mutex', place)));
      expect(segment.words[0]).toBe(900);
    } finally {
      await Promise.all(children.map((child) => child.end()));
    }
  });

  it('leaves it to each of those who sleep for it in turn, and to nobody who comes in between', async () => {
    const handles = [open(), open(), open()];
    const [busy, ...others] = handles as [Mutex, Mutex, Mutex];
    const order: number[] = [];
    const held = busy.tryLock();
    const waits = others.map((mutex, i) => mutex.withLock(() => void order.push(i)));
    const asleep = (): number =>
      inspect(place.name, { directory: place.directory }).participants.filter((one) => one.asleep).length;
    while (asleep() < others.length) await new Promise(setImmediate);
    held?.release();
    expect(busy.tryLock()).toBeUndefined();
    await Promise.all([...waits, busy.withLock(() => void order.push(2))]);
    expect(order).toEqual([0, 1, 2]);
    for (const mutex of handles) mutex.close();
  });

  it('refuses to wait for itself, through another handle too, and only while it holds', async () => {
    const [mutex, other] = [open(), open()];
    await mutex.withLock(async () => {
      await expect(mutex.withLock(() => {})).rejects.toThrow(code('ERR_SHM_DEADLOCK'));
      await new Promise(setImmediate);
      await expect(other.withLock(() => {})).rejects.toThrow(code('ERR_SHM_DEADLOCK'));
      expect(mutex.tryLock()).toBeUndefined();
    });
    await mutex.withLock(async (lock) => {
      lock.release();
      await mutex.withLock(() => {});
    });
  });

  it('lets independent callers wait while the lock is held, and nests different locks', async () => {
    const mutex = open();
    const inner = openMutex('inner', { directory: place.directory });
    const first = mutex.withLock(() => delay(5));
    const second = mutex.withLock(() => inner.withLock(() => 'both'));
    await first;
    expect(await second).toBe('both');
  });

  it('gives up after timeoutMs, naming the holder, and leaves no trace', async () => {
    const [holder, mutex] = [open(), open()];
    const lock = holder.tryLock();
    for (const timeoutMs of [0, 5]) {
      await expect(mutex.withLock(() => {}, { timeoutMs })).rejects.toThrow(code('ERR_SHM_LOCK_TIMEOUT'));
      await expect(mutex.withLock(() => {}, { timeoutMs })).rejects.toThrow(
        `within ${timeoutMs} ms; it is held by process ${process.pid}, which is alive`,
      );
    }
    lock?.release();
    expect(load(memoryOf(mutex).words, LOCK_WORD)).toBe(0);
    expect(await holder.withLock(() => 'free', { timeoutMs: 0 })).toBe('free');
  });

  it.each([-1, Number.NaN])('refuses a timeout of %s', async (timeoutMs) => {
    await expect(open().withLock(() => {}, { timeoutMs })).rejects.toThrow(RangeError);
  });

  it('takes a timeout beyond what a timer can hold for none', async () => {
    const [holder, mutex] = [open(), open()];
    const lock = holder.tryLock();
    const waiting = mutex.withLock(() => 'had it', { timeoutMs: 2 ** 40 });
    await delay(20);
    lock?.release();
    expect(await waiting).toBe('had it');
  });

  it('stops waiting when told to, and leaves no trace', async () => {
    const [holder, mutex] = [open(), open()];
    const lock = holder.tryLock();
    const controller = new AbortController();
    const reason = new Error('never mind');
    const waiting = mutex.withLock(() => 'never', { signal: controller.signal });
    const behind = mutex.withLock(() => 'behind');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(mutex.withLock(() => {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    lock?.release();
    expect(await behind).toBe('behind');
    expect(load(memoryOf(mutex).words, LOCK_WORD)).toBe(0);
  });

  it('reports a lock that was taken away', async () => {
    const mutex = open();
    const rob = (): void => store(memoryOf(mutex).words, LOCK_WORD, 0);
    await expect(mutex.withLock(rob)).rejects.toThrow(code('ERR_SHM_LOCK_LOST'));
    const cause = new Error('inside');
    const failing = mutex.withLock(() => {
      rob();
      throw cause;
    });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_SHM_LOCK_LOST', cause });
    const lock = mutex.tryLock();
    rob();
    expect(() => lock?.release()).toThrow(code('ERR_SHM_LOCK_LOST'));
    expect(mutex.tryLock()).toBeDefined();
  });
});

describe('Mutex.tryLock', () => {
  it('takes a free lock and no other', () => {
    const [mutex, other] = [open(), open()];
    const lock = mutex.tryLock();
    expect(lock).toMatchObject({ recovered: false, deceased: undefined, held: true });
    expect(mutex.held).toBe(true);
    expect(mutex.tryLock()).toBeUndefined();
    expect(other.tryLock()).toBeUndefined();
    expect(other.owner()).toMatchObject({ pid: process.pid, liveness: 'alive' });
    lock?.release();
    lock?.release();
    expect(lock?.held).toBe(false);
    using again = other.tryLock();
    expect(again?.held).toBe(true);
  });
});

describe('after the death of the holder', () => {
  it('the next one has the lock at once, is told, and whose it was', () => {
    const mutex = open();
    dieHolding(mutex);
    const lock = mutex.tryLock();
    expect(lock).toMatchObject({ recovered: true, deceased: { liveness: 'dead' } });
    lock?.markConsistent();
    lock?.release();
    expect(mutex.tryLock()).toMatchObject({ recovered: false });
  });

  it('one that waits has it', async () => {
    const mutex = open();
    await using child = startChild();
    const { pid } = await child.act('hold the mutex', place);
    const waiting = mutex.withLock((lock) => {
      lock.markConsistent();
      return { recovered: lock.recovered, pid: lock.deceased?.pid };
    });
    await delay(20);
    child.process.kill('SIGKILL');
    expect(await waiting).toEqual({ recovered: true, pid });
  });

  it('of several that wait, one is told', async () => {
    const mutexes = [open(), open(), open()];
    dieHolding(mutexes[0] as Mutex);
    const recovered = await Promise.all(
      mutexes.map((mutex) =>
        mutex.withLock((lock) => {
          lock.markConsistent();
          return lock.recovered;
        }),
      ),
    );
    expect(recovered.filter(Boolean)).toHaveLength(1);
  });

  it('a lock that nobody vouches for is poisoned, until somebody repairs it', async () => {
    const mutex = open();
    dieHolding(mutex);
    await mutex.withLock(() => {});
    expect(mutex.poisoned).toBe(true);
    expect(() => mutex.tryLock()).toThrow(code('ERR_SHM_POISONED'));
    await expect(mutex.withLock(() => {})).rejects.toThrow(code('ERR_SHM_POISONED'));
    await expect(open().withLock(() => {})).rejects.toThrow(code('ERR_SHM_POISONED'));
    await mutex.withLock((lock) => expect(lock.recovered).toBe(true), { acceptPoisoned: true });
    expect(mutex.poisoned).toBe(true);
    await mutex.withLock((lock) => lock.markConsistent(), { acceptPoisoned: true });
    expect(mutex.poisoned).toBe(false);
    expect(mutex.tryLock()).toMatchObject({ recovered: false });
  });

  it('a repair that fails half way poisons, whatever it threw', async () => {
    const mutex = open();
    dieHolding(mutex);
    await expect(mutex.withLock(() => Promise.reject(new Error('repair failed')))).rejects.toThrow(
      'repair failed',
    );
    expect(mutex.poisoned).toBe(true);
  });

  it('one that waits while it becomes poisoned is refused, those behind it too', async () => {
    const [holder, mutex] = [open(), open()];
    dieHolding(holder);
    const lock = holder.tryLock();
    const waiting = [1, 2].map(() => mutex.withLock(() => {}));
    const repairing = mutex.withLock((repair) => repair.markConsistent(), { acceptPoisoned: true });
    lock?.release();
    for (const each of waiting) await expect(each).rejects.toThrow(code('ERR_SHM_POISONED'));
    await repairing;
    expect(mutex.poisoned).toBe(false);
  });

  it('a lock is recovered even if its number belongs to a living process by now', () => {
    const mutex = open();
    const { words } = memoryOf(mutex);
    const past = { ...currentIdentity(), pid: process.ppid, tid: process.ppid, startTicks: 1 };
    store(words, LOCK_WORD, joinDead(words, past).token);
    expect(mutex.tryLock()).toMatchObject({ recovered: true, deceased: { pid: process.ppid } });
  });

  it.runIf(onLinux)('a zombie is dead', async () => {
    const mutex = open();
    // Its parent becomes a program that never waits for it.
    const shell = spawn('sh', [
      '-c',
      'exec 3<&0; "$0" "$1" <&3 & exec sleep 60',
      process.execPath,
      inject('childProgram'),
    ]);
    shell.stdin.write(`${JSON.stringify({ scenario: 'hold the mutex', place })}\n`);
    const [line] = await once(shell.stdout, 'data');
    const { pid } = JSON.parse(String(line)).result;
    expect(mutex.tryLock()).toBeUndefined();
    process.kill(pid, 'SIGKILL');
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) await delay(1);
    // The first thread is a zombie as soon as it has ended; the kernel lets go with the last one.
    await mutex.withLock((lock) => expect(lock).toMatchObject({ recovered: true, deceased: { pid } }));
    shell.kill('SIGKILL');
    await once(shell, 'exit');
  });
});

describe('a live holder is not robbed', () => {
  it('when it is stopped', async () => {
    const mutex = open();
    await using child = startChild();
    await child.act('hold the mutex', place);
    await child.stop();
    expect(mutex.tryLock()).toBeUndefined();
    await expect(mutex.withLock(() => {}, { timeoutMs: 50 })).rejects.toThrow(/which is stopped/);
    child.process.kill('SIGCONT');
    expect(mutex.tryLock()).toBeUndefined();
  });

  it('when it blocks its event loop', async () => {
    const mutex = open();
    await using child = startChild();
    await child.act('hold the mutex and block the event loop', place);
    await expect(mutex.withLock(() => {}, { timeoutMs: 50 })).rejects.toThrow(code('ERR_SHM_LOCK_TIMEOUT'));
  });

  it('whatever the numbers in the table say of it', () => {
    const [mutex, holder] = [open(), open()];
    holder.tryLock();
    const { words } = memoryOf(mutex);
    const base = slotWord(holder.participant.slot);
    for (const [pid, startTicks] of [
      [4_194_303, 1],
      [process.pid, 1],
      [0, 0],
    ] as const) {
      words[base + SLOT_PID] = pid;
      words[base + SLOT_START_LOW] = startTicks;
      expect(mutex.tryLock()).toBeUndefined();
    }
  });
});

describe('Mutex.close', () => {
  it('refuses those who wait and those who come, and can be called again', async () => {
    const [holder, mutex] = [open(), open()];
    holder.tryLock();
    const waiting = mutex.withLock(() => {});
    mutex.close();
    mutex.close();
    await expect(waiting).rejects.toThrow(code('ERR_SHM_CLOSED'));
    await expect(mutex.withLock(() => {})).rejects.toThrow(code('ERR_SHM_CLOSED'));
    expect(() => mutex.tryLock()).toThrow(code('ERR_SHM_CLOSED'));
    expect(() => mutex.owner()).toThrow(code('ERR_SHM_CLOSED'));
    expect(() => mutex.poisoned).toThrow(code('ERR_SHM_CLOSED'));
  });

  it('does not take the lock from under its holder', async () => {
    const [mutex, other] = [open(), open()];
    const result = mutex.withLock(async () => {
      mutex.close();
      await new Promise(setImmediate);
      expect(other.tryLock()).toBeUndefined();
      return 'finished';
    });
    expect(await result).toBe('finished');
    expect(other.participants()).toHaveLength(1);
    expect(other.tryLock()).toBeDefined();
  });

  it('happens at the end of a block', async () => {
    {
      using mutex = open();
      await mutex.withLock(() => {});
    }
    await using mutex = open();
    expect(mutex.participants()).toHaveLength(1);
  });
});
