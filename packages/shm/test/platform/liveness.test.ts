import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { currentIdentity, type Identity, seenOf } from '../../src/platform/liveness.js';
import { deadIdentity } from '../support/dead.js';

const me = currentIdentity();

/** The identity of the main thread of another process of our namespace. */
function identityOf(pid: number): Identity {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return { ...me, pid, tid: pid, startTicks };
}

function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.charAt(stat.lastIndexOf(')') + 2);
}

async function untilState(pid: number, state: string): Promise<void> {
  while (stateOf(pid) !== state) await delay(1);
}

describe.skipIf(process.platform !== 'linux')('seenOf', () => {
  it('knows the caller to be alive', () => {
    expect(me.pid).toBe(process.pid);
    expect(me.startTicks).toBeGreaterThan(0);
    expect(seenOf(me, me)).toBe('alive');
  });

  it('sees nothing of a process that is gone', () => {
    expect(seenOf(deadIdentity(), me)).toBe('unknown');
  });

  it('does not take another process for the one that had its number before', () => {
    expect(seenOf({ ...me, startTicks: me.startTicks - 1 }, me)).toBe('unknown');
  });

  it('calls a stopped process stopped', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const identity = identityOf(child.pid as number);
    child.kill('SIGSTOP');
    await untilState(identity.pid, 'T');
    expect(seenOf(identity, me)).toBe('stopped');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(seenOf(identity, me)).toBe('unknown');
  });

  it('does not call a zombie alive', async () => {
    // The shell becomes a program that never waits for the child it inherits.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = await once(parent.stdout, 'data');
    const identity = identityOf(Number(line));
    expect(seenOf(identity, me)).toBe('alive');
    while (readFileSync(`/proc/${parent.pid}/comm`, 'latin1') !== 'sleep\n') await delay(1);
    process.kill(identity.pid, 'SIGKILL');
    await untilState(identity.pid, 'Z');
    expect(seenOf(identity, me)).toBe('unknown');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  it('sees nothing of another namespace, whatever the number or the time', () => {
    for (const change of [{}, { startTicks: 1 }, { pid: deadIdentity().pid }]) {
      expect(seenOf({ ...me, ...change, namespace: me.namespace ^ 1 }, me)).toBe('unknown');
    }
  });

  it('is not fooled by parentheses and spaces in the name of a program', async () => {
    const child = spawn('sh', ['-c', 'printf %s ") Z 1 (" > /proc/$$/comm; echo; read line']);
    await once(child.stdout, 'data');
    expect(readFileSync(`/proc/${child.pid}/stat`, 'latin1')).toContain('() Z 1 ()');
    expect(seenOf(identityOf(child.pid as number), me)).toBe('alive');
    child.stdin.end();
    await once(child, 'exit');
  });

  it('sees a worker thread, and nothing of it once it has ended while its process lives', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       parentPort.postMessage(require('node:fs').readlinkSync('/proc/thread-self'));
       setInterval(() => {}, 1000);`,
      { eval: true },
    );
    const [link] = await once(worker, 'message');
    const tid = Number(String(link).split('/')[2]);
    const stat = readFileSync(`/proc/${process.pid}/task/${tid}/stat`, 'latin1');
    const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    const identity = { ...me, tid, startTicks };
    expect(seenOf(identity, me)).toBe('alive');
    await worker.terminate();
    expect(seenOf(identity, me)).toBe('unknown');
  });
});
