/** A chat that goes on from a snapshot, at a server that comes late. */
import { CloseCode } from '@chat/protocol';
import { expect, it } from 'vitest';
import { openNatsLog } from '../../../src/nats/index.js';
import { UNLIMITED } from '../../../src/options/options.js';
import { helloOf } from '../../support/many-servers.js';
import { MemoryChat } from '../../support/memory-chat.js';
import { NatsProcess, newNats } from '../../support/nats-process.js';
import { until } from '../../support/turn.js';

it.skipIf(newNats === undefined)(
  'knows sessions, rooms, members, bans, answers and what was said, and a session goes on at it',
  async () => {
    const nats = await NatsProcess.start(newNats!);
    const open = async (): Promise<MemoryChat & { readonly recovered: number }> => {
      const log = await openNatsLog({ servers: nats.url, snapshotBlocks: 100 });
      const recovered = log.open.bind(log);
      let known = 0;
      log.open = async (consumer) => {
        const found = await recovered(consumer);
        known = found?.tail.length ?? 0;
        return found;
      };
      const memory = await MemoryChat.open({ ...UNLIMITED, log });
      return Object.assign(memory, { recovered: known });
    };
    const one = await open();
    const ada = await one.enter('ada');
    const bob = await one.enter('bob');
    const { handle } = await ada.join('Lobby');
    await bob.join('Lobby');
    one.chat.operator.ban('mallory', Number.POSITIVE_INFINITY, 'spam');
    for (let i = 0; i < 260; i++) await ada.say(handle, `said ${i}`);
    const late = await open();
    expect(late.recovered).toBeGreaterThan(150);
    const rooms = [{ room: 'lobby', after: ada.entries(handle).at(-1)!.seq }];
    const again = late.connect();
    await again.enter(helloOf(ada, rooms));
    expect(again.welcome).toMatchObject({
      resumed: true,
      lastPublishId: ada.publishId,
      member: { name: 'ada' },
    });
    expect(again.welcome!.rooms[0]!.gap).toBeUndefined();
    expect(again.welcome!.rooms[0]!.members.map(({ name }) => name)).toEqual(['ada', 'bob']);
    const mallory = late.connect();
    mallory.greet({ name: 'mallory' });
    expect(await mallory.closed).toMatchObject({ code: CloseCode.Banned });
    await again.say(handle, 'from there');
    await until(() => bob.texts(handle).includes('from there'));
    const carl = await late.enter('carl');
    await carl.join('lobby', { history: 300 });
    const texts = carl.texts(handle).filter((text) => text.startsWith('said'));
    expect(texts).toEqual(Array.from({ length: 260 }, (_, i) => `said ${i}`));
    for (const { chat } of [one, late]) await chat.close();
    await nats.remove();
  },
  60_000,
);
