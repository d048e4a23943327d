import { expect, inject, it } from 'vitest';
import { openChannel } from '../../src/channel/channel.js';
import { ChildProcess } from '../support/child-process.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

it.skipIf(process.platform !== 'linux')(
  '400 channels that wait cost a descriptor each, for the lock, and one timer in all',
  { timeout: 120_000 },
  async () => {
    const { name, directory } = place;
    const channels = Array.from({ length: 400 }, (_, i) =>
      openChannel(`${name}-${i}`, { directory, side: 'a', capacityBytes: 4096 }),
    );
    await using child = new ChildProcess(inject('childProgram'));
    const { one, all } = (await child.act(
      'wait at 400 channels, and count what that takes',
      place,
    )) as Record<string, { readonly descriptors: number; readonly timers: number }>;
    expect(all?.descriptors).toBe((one?.descriptors ?? 0) + 399);
    expect([one?.timers, all?.timers]).toEqual([1, 1]);
    for (const channel of channels) channel.close();
  },
);
