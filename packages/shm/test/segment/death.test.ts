/**
 * Who may be robbed: the dead, and nobody else, wherever they live. Each test is a claim of the README or of docs/memory-layout.md.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, inject, it } from 'vitest';
import { type Mutex, openMutex } from '../../src/lock/mutex.js';
import { inspect } from '../../src/tools/inspect.js';
import { ChildProcess } from '../support/child-process.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

function open(permissions = 0o600): Mutex {
  return openMutex(place.name, { directory: place.directory, permissions });
}

/** A command that runs its arguments in a world of its own. */
const OTHER_PIDS = ['unshare', '--pid', '--fork', '--kill-child'];
const within = (command: string[], script: string): string[] => [
  ...command,
  'sh',
  '-c',
  `${script}; exec "$@"`,
  'sh',
];

function isPossible([command = '', ...args]: readonly string[]): boolean {
  return process.platform === 'linux' && spawnSync(command, [...args, 'true']).status === 0;
}

const worlds: readonly (readonly [string, string[]])[] = [
  ['another pid namespace with a /proc of its own', [...OTHER_PIDS, '--mount-proc']],
  ['another pid namespace under the /proc of its parent', OTHER_PIDS],
  ['a sandbox without /proc', within([...OTHER_PIDS, '--mount'], 'mount -t tmpfs none /proc')],
  [
    'a container that is told another boot id',
    within(
      ['unshare', '--mount'],
      `f=$(mktemp -p ${tmpdir()}) && echo 11111111-2222-3333-4444-555555555555 > $f && mount --bind $f /proc/sys/kernel/random/boot_id && rm $f`,
    ),
  ],
  ['the user nobody', ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']],
];

for (const [name, wrapper] of worlds) {
  describe.runIf(isPossible(wrapper))(`a participant in ${name}`, () => {
    /** The segment is root's, whom everybody trusts; its file and folder are open to all. */
    const openForAll = (): Mutex => {
      chmodSync(place.directory, 0o777);
      const umask = process.umask(0);
      try {
        return open(0o666);
      } finally {
        process.umask(umask);
      }
    };

    it('is not robbed while it lives, is robbed once it is killed, and robs nobody', async () => {
      const mutex = openForAll();
      {
        await using holder = new ChildProcess(inject('childProgram'), wrapper);
        await holder.act('hold the mutex', place);
        expect(mutex.tryLock()).toBeUndefined();
        await using thief = new ChildProcess(inject('childProgram'), wrapper);
        expect(await thief.act('try the mutex', place)).toEqual({ got: false });
      }
      let lock = mutex.tryLock();
      // What was started inside of the world ends a moment after the command that made it.
      for (; lock === undefined; lock = mutex.tryLock()) await delay(1);
      expect(lock).toMatchObject({ recovered: true });
      lock.markConsistent();
      await using thief = new ChildProcess(inject('childProgram'), wrapper);
      expect(await thief.act('try the mutex', place)).toEqual({ got: false });
      lock.release();
      expect(await thief.act('try the mutex', place)).toEqual({ got: true, recovered: false });
    });

    it('is seen to live by who only looks, and to be dead afterwards', async () => {
      const mutex = openForAll();
      const states = (): string[] =>
        inspect(place.name, { directory: place.directory }).participants.map(({ liveness }) => liveness);
      {
        await using holder = new ChildProcess(inject('childProgram'), wrapper);
        await holder.act('hold the mutex', place);
        expect(states()).toEqual(['alive', 'alive']);
      }
      while (states().join() !== 'alive,dead') await delay(1);
      mutex.close();
    });
  });
}

/** The newest Node at hand that can become another program. */
const execNode = (process.env.CHAT_SHM_TEST_NODES?.split(':') ?? [process.execPath])
  .filter((node) => spawnSync(node, ['-p', 'typeof process.execve']).stdout?.toString().includes('function'))
  .at(-1);

describe.runIf(execNode !== undefined)('a process that becomes another program', () => {
  it('is dead as what it was', async () => {
    const mutex = open();
    await using child = new ChildProcess(inject('childProgram'), [], execNode);
    await child.act('hold the mutex and become another program', place);
    while (readFileSync(`/proc/${child.process.pid}/comm`, 'latin1') !== 'sleep\n') await delay(1);
    expect(mutex.tryLock()).toMatchObject({ recovered: true });
  });
});
