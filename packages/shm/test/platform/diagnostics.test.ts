import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { openChannel } from '../../src/channel/channel.js';
import { openMutex } from '../../src/lock/mutex.js';
import { openLog } from '../../src/log/log.js';
import { type News, tell } from '../../src/platform/diagnostics.js';
import { ChildProcess } from '../support/child-process.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const heard: [string, unknown][] = [];
const listener = (message: unknown, name: string | symbol): void => void heard.push([String(name), message]);
const NEWS: readonly News[] = [
  'open',
  'close',
  'lock-recovered',
  'peer-died',
  'entries-lost',
  'reader-given-up',
];

function listen(): void {
  for (const news of NEWS) subscribe(`@chat/shm:${news}`, listener);
}

afterEach(() => {
  for (const news of NEWS) unsubscribe(`@chat/shm:${news}`, listener);
  heard.length = 0;
});

describe('diagnostics', () => {
  it('make no message while nobody listens', () => {
    tell('open', () => {
      throw new Error('made');
    });
    listen();
    tell('open', () => ({ kind: 'x' }));
    expect(heard).toEqual([['@chat/shm:open', { kind: 'x' }]]);
  });

  it('tell of handles, of losses, and of readers that were given up', async () => {
    const { directory, name } = place;
    listen();
    const log = openLog(name, { directory, capacityBytes: 4096 });
    const reader = log.reader({ reliable: true, whenSlow: 'lossy', slowAfterMs: 1 });
    while (log.last < 100) {
      if (log.tryAppend(new Uint8Array(100)) === undefined) await new Promise(setImmediate);
    }
    reader.read(() => {});
    log.close();
    const { path } = log;
    expect(heard).toEqual([
      ['@chat/shm:open', { kind: 'log', name, path, created: true }],
      ['@chat/shm:reader-given-up', { name }],
      ['@chat/shm:entries-lost', { name, count: reader.lost }],
      ['@chat/shm:close', { kind: 'log', name, path }],
    ]);
  });

  it.skipIf(process.platform !== 'linux')('tell of the dead', async () => {
    const { directory, name } = place;
    using mutex = openMutex(name, { directory });
    using channel = openChannel('channel', { directory, side: 'a' });
    const child = new ChildProcess(inject('childProgram'));
    const attached = once(channel, 'peer-attached');
    await child.act('hold the mutex', { ...place });
    await child.act('attach to side b', { directory, name: 'channel' });
    const [pid] = await attached;
    listen();
    const died = once(channel, 'peer-died');
    await child.end();
    await died;
    mutex.tryLock()?.release();
    expect(heard).toEqual([
      ['@chat/shm:peer-died', { name: 'channel', pid }],
      ['@chat/shm:lock-recovered', { name, deceased: expect.objectContaining({ pid }) }],
    ]);
  });
});
