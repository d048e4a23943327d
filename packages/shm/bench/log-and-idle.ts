/** A log with one writer and three readers; and what a reader costs that has nothing to read. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChannel } from '../src/channel/channel.js';
import { openLog } from '../src/log/log.js';

const READERS = 3;
const ENTRY_BYTES = 64;
const LOG_BYTES = 2 ** 20;
const COUNT = 2_000_000;

function start(task: string, directory: string): ChildProcess {
  return fork(process.argv[1] ?? '', ['--peer', task, '--directory', directory]);
}

function folder(): string {
  return mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'chat-shm-bench-'));
}

async function told(child: ChildProcess): Promise<Record<string, number>> {
  const [message] = (await once(child, 'message')) as [Record<string, number>];
  return message;
}

/** Reads reliably, so that every entry counts, and says when it has them all. */
export async function peerOfLog(directory: string): Promise<void> {
  const log = openLog('log', { directory, keepAlive: true });
  process.on('disconnect', () => process.exit());
  const reader = log.reader({ reliable: true });
  process.send?.({ ready: 1 });
  for (;;) {
    const [{ count }] = (await once(process, 'message')) as [{ count: number }];
    let seen = 0;
    let sum = 0;
    while (seen < count) {
      const read = reader.read((bytes, start) => {
        sum = (sum + (bytes[start] as number)) | 0;
      });
      seen += read;
      if (read === 0) await reader.readable();
    }
    process.send?.({ seen, sum, lost: reader.lost });
  }
}

export async function measureLog(scale: number): Promise<string[]> {
  const directory = folder();
  const log = openLog('log', { directory, capacityBytes: LOG_BYTES });
  const children = Array.from({ length: READERS }, () => start('log', directory));
  await Promise.all(children.map(told));
  const entry = new Uint8Array(new ArrayBuffer(ENTRY_BYTES)).fill(1);
  const lines: string[] = [];
  for (const batch of [1, 32]) {
    const entries = Array.from({ length: batch }, () => entry);
    const count = Math.ceil((COUNT * scale) / 32) * 32;
    const rates: number[] = [];
    for (let run = 0; run < 4; run++) {
      const done = Promise.all(children.map(told));
      for (const child of children) child.send({ count });
      const begin = performance.now();
      for (let i = 0; i < count; ) {
        const appended =
          batch === 1 ? (log.tryAppend(entry) === undefined ? 0 : 1) : log.tryAppendAll(entries);
        i += appended;
        if (appended === 0) {
          await log.append(entry);
          i++;
        }
      }
      await done;
      rates.push((count * READERS) / (performance.now() - begin) / 1000);
    }
    const [best = 0] = rates.slice(1).sort((a, b) => b - a);
    const total = [...rates.slice(1)].sort((a, b) => a - b)[1] ?? 0;
    lines.push(
      `log, 1 writer, ${READERS} reliable readers, ${ENTRY_BYTES} B, ${batch === 1 ? 'one at a time' : `${batch} at a time`}: ` +
        `${total.toFixed(2)} M entries/s read in total (best ${best.toFixed(2)})`,
    );
  }
  for (const child of children) child.disconnect();
  log.close();
  rmSync(directory, { recursive: true, force: true });
  return ['', ...lines];
}

/** Sleeps in a channel, and tells on demand what CPU time it has used. */
export async function peerOfIdle(directory: string): Promise<void> {
  const channel = openChannel('idle', { directory, side: 'b', keepAlive: true });
  void channel.readable();
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ microseconds: user + system });
  });
  process.send?.({ ready: 1 });
}

export async function measureIdle(milliseconds: number): Promise<string> {
  const directory = folder();
  const channel = openChannel('idle', { directory, side: 'a' });
  const child = start('idle', directory);
  await told(child);
  const usage = async (): Promise<number> => {
    child.send({});
    return (await told(child)).microseconds ?? 0;
  };
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const before = await usage();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const share = (await usage()) - before;
  child.disconnect();
  channel.close();
  rmSync(directory, { recursive: true, force: true });
  return `idle reader of a channel: ${(share / milliseconds / 10).toFixed(2)} % of a core, over ${milliseconds / 1000} s`;
}
