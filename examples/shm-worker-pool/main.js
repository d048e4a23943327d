/**
 * A pool of processes. Work comes from a queue in shared memory, each piece to one of them; the configuration is a
 * latest value, which all of them see as soon as it is written, without being asked or sent anything.
 *
 *     npm run example
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { jsonCodec, openLatest, openQueue, unlink } from '@chat/shm';

const NAME = process.env.CHAT_POOL ?? 'pool';
const WORKERS = 3;
const PARTS = ['work', 'results', 'configuration'].map((part) => `${NAME}-${part}`);

/** @type {import('@chat/shm').Codec<number>} */
const numbers = jsonCodec();
/** @type {import('@chat/shm').Codec<{ factor: number }>} */
const settings = jsonCodec();
/** @param {'read-only' | 'read-write'} access - to the configuration, which has one writer */
const open = (access) => ({
  // A process that waits for work has nothing else that would keep it alive.
  jobs: openQueue(PARTS[0], { codec: numbers, keepAlive: true }),
  done: openQueue(PARTS[1], { codec: numbers, keepAlive: true }),
  config: openLatest(PARTS[2], { codec: settings, access }),
});

if (process.argv[2] === 'worker') {
  const { jobs, done, config } = open('read-only');
  for await (const job of jobs) {
    await done.put(job.value * (config.read()?.factor ?? 1));
    job.done();
    if (job.value === 0) break;
  }
  for (const handle of [jobs, done, config]) handle.close();
} else {
  for (const part of PARTS) unlink(part); // what a run that was killed has left
  const { jobs, done, config } = open('read-write');
  config.write({ factor: 10 });
  const pool = Array.from({ length: WORKERS }, () =>
    once(fork(new URL(import.meta.url), ['worker']), 'exit'),
  );
  console.log(await products(jobs, done, [1, 2, 3, 4]));
  config.write({ factor: 100 }); // from here on, in every process
  console.log(await products(jobs, done, [1, 2, 3, 4]));
  for (const _ of pool) await jobs.put(0);
  await Promise.all(pool);
  for (const handle of [jobs, done, config]) handle.close();
  for (const part of PARTS) unlink(part);
}

/** Gives out the numbers, and waits for what becomes of them. */
async function products(jobs, done, factors) {
  for (const factor of factors) await jobs.put(factor);
  const found = [];
  for await (const result of done) {
    found.push(result.value);
    result.done(); // or it would be given to somebody else, since the loop ends here
    if (found.length === factors.length) break;
  }
  return found.sort((a, b) => a - b).join(' ');
}
