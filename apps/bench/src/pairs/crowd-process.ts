/** A process that is one of many: at one mutex without pause, or at channels on which nothing comes; for `npm run bench:shm`. */
import { readdirSync } from 'node:fs';
import { type Channel, openChannel, openMutex } from '@chat/shm';
import { serveRemote } from '../harness/remote.js';

/** How it went at the mutex. */
export interface Contention {
  readonly turns: number;
  readonly worstWaitMs: number;
}

/** What waiting at channels takes. */
export interface Idleness {
  /** CPU time as a share of a core. */
  readonly cpuShare: number;
  /** Open descriptors; undefined where the system does not list them. */
  readonly descriptors: number | undefined;
}

/** What this process is asked to do. */
export interface CrowdOperations {
  /** Takes the mutex again and again, and holds it for `holdMs` of work each time. */
  contend(params: { name: string; durationMs: number; holdMs: number }): Promise<Contention>;
  /** Opens one side of `count` channels, and waits at each for a message. */
  open(params: { name: string; count: number; side: 'a' | 'b' }): void;
  rest(params: { durationMs: number }): Promise<Idleness>;
  close(params: object): void;
  [name: string]: (params: never) => unknown;
}

const channels: Channel[] = [];

const operations: CrowdOperations = {
  async contend({ name, durationMs, holdMs }) {
    const mutex = openMutex(name);
    const work = (): void => {
      for (const end = performance.now() + holdMs; performance.now() < end; );
    };
    let turns = 0;
    let worstWaitMs = 0;
    for (const end = performance.now() + durationMs; performance.now() < end; turns++) {
      const asked = performance.now();
      await mutex.withLock(() => {
        worstWaitMs = Math.max(worstWaitMs, performance.now() - asked);
        work();
      });
    }
    mutex.closeAndRemoveIfLast();
    return { turns, worstWaitMs };
  },
  open({ name, count, side }) {
    for (let i = 0; i < count; i++) {
      const channel = openChannel(`${name}-${i}`, { side, capacityBytes: 4096, keepAlive: true });
      void channel.receive();
      channels.push(channel);
    }
  },
  async rest({ durationMs }) {
    const start = performance.now();
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    const { user, system } = process.cpuUsage(before);
    const cpuShare = (user + system) / 1000 / (performance.now() - start);
    const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined;
    return { cpuShare, descriptors };
  },
  close() {
    for (const channel of channels) channel.closeAndRemoveIfLast();
  },
};

serveRemote(operations);
