/** Options that do not exist are refused wherever options are taken, and nothing is made then. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cleanup,
  inspect,
  listSegments,
  openChannel,
  openLatest,
  openLog,
  openMutex,
  openRing,
  openSegment,
  unlink,
} from '../src/index.js';
import { optionsOf, type Taker } from '../src/option-names.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chat-shm-options-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Open = (name: string, options: never) => { close(): unknown } | Promise<{ close(): unknown }>;

const OPENERS = {
  openSegment,
  openLatest,
  openMutex,
  openRing,
  openChannel,
  openLog,
} satisfies Partial<Record<Taker, unknown>>;

describe.each(Object.entries(OPENERS) as [Taker, Open][])('%s', (taker, open) => {
  it('refuses an option that does not exist, with the name that was meant', async () => {
    const options = { directory, maxParticpants: 4 };
    await expect((async () => open('x', options as never))()).rejects.toThrow(
      new TypeError('unknown option "maxParticpants"; did you mean "maxParticipants"?'),
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([['text'], [7], [null], [[]]])('refuses %j for its options', async (options) => {
    await expect((async () => open('x', options as never))()).rejects.toThrow(
      new RegExp(`^the options of ${taker} must be an object, not `),
    );
  });

  it('takes every option that it has', async () => {
    const undefineds = optionsOf(taker).map((name) => [name, undefined]);
    const opened = await open('x', {
      ...Object.fromEntries(undefineds),
      directory,
    } as never);
    await opened.close();
  });

  it('refuses a mode that does not exist', async () => {
    const options = { directory, mode: 'crate' };
    await expect((async () => open('x', options as never))()).rejects.toThrow(
      `mode is 'create', 'open', 'open-or-create', not "crate"`,
    );
  });
});

it('capcityBytes is meant for capacityBytes', () => {
  expect(() => openChannel('x', { directory, capcityBytes: 4096 } as object)).toThrow(
    'unknown option "capcityBytes"; did you mean "capacityBytes"?',
  );
});

it('what is like no option is refused with those that there are', () => {
  expect(() => listSegments({ where: '/tmp' } as object)).toThrow(
    'unknown option "where"; there is directory',
  );
});

it('methods refuse what does not exist', async () => {
  const wrong = { sginal: 1 } as never;
  const refused = /^unknown option "sginal"; /;
  const mutex = openMutex('mutex', { directory });
  const channel = openChannel('channel', { directory });
  const log = openLog('log', { directory });
  const reader = log.reader();
  const calls: readonly (() => unknown)[] = [
    () => inspect('mutex', wrong),
    () => unlink('mutex', wrong),
    () => listSegments(wrong),
    () => cleanup(wrong),
    () => mutex.withLock(() => {}, wrong),
    () => mutex.tryLock(wrong),
    () => channel.send(Uint8Array.of(1), wrong),
    () => channel.receive(wrong),
    () => channel.readable(wrong),
    () => channel.messages(wrong),
    () => log.append(Uint8Array.of(1), wrong),
    () => log.reader(wrong),
    () => reader.readable(wrong),
    () => reader.entries(wrong).next(),
  ];
  for (const call of calls) {
    await expect((async () => call())(), String(call)).rejects.toThrow(refused);
  }
  expect(listSegments({ directory })).toEqual(['channel', 'log', 'mutex']);
  reader.close();
  log.close();
  channel.close();
  mutex.close();
});
