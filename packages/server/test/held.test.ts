/** What is counted is what is held: totals against a recount, while people come and go, write, lag and are shown out at random. */
import { CloseCode } from '@chat/protocol';
import { expect, it } from 'vitest';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { seeded } from './support/seeded.js';
import { turn } from './support/turn.js';

interface Held {
  readonly logBytes: number;
  readonly sessions: number;
  readonly away: number;
  readonly members: number;
}

function recount({ chat }: MemoryChat): Held {
  let logBytes = 0;
  let members = 0;
  for (const { log, members: those } of chat.rooms.all) {
    logBytes += log.bytes;
    members += those.size;
  }
  const sessions = [...chat.sessions];
  for (const { inbox } of sessions) logBytes += inbox?.room.log.bytes ?? 0;
  return { logBytes, sessions: sessions.length, away: sessions.filter(({ peer }) => !peer).length, members };
}

it.each([1, 2, 3, 4])('the totals are those of a recount, seed %i', async (seed) => {
  const random = seeded(seed);
  const memory = await MemoryChat.open({
    maxLogBytes: 300_000,
    retentionBytes: 120_000,
    retentionMs: 60_000,
    inboxBytes: 70_000,
    maxRoomsPerAddress: 6,
    maxSessionsPerAddress: 8,
    resumeWindowMs: 5000,
    emptyRoomTtlMs: 3000,
    idleTimeoutMs: 600_000,
    maxMessagesPerSecond: 10_000,
    maxMessageBurst: 100_000,
    slowConsumer: seed % 2 === 0 ? 'skip' : 'close',
  });
  const clients = new Map<string, MemoryClient>();
  const names = Array.from({ length: 12 }, (_, i) => `member ${i}`);
  const body = new Uint8Array(20_000);
  for (let step = 0; step < 600; step++) {
    const name = names[random.below(names.length)]!;
    const client = clients.get(name);
    if (!client || client.gone) {
      const next = memory.connect({ address: `192.0.2.${random.below(3)}` });
      next.greet({ name });
      clients.set(name, next);
      await turn();
      continue;
    }
    const room = `room-${random.below(10)}`;
    const place = memory.chat.rooms.find(room);
    const send = (request: object): void => client.send({ type: 0x20, id: step + 1000, request } as never);
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
        send({ op: 'join', room });
        break;
      case 3:
        send({ op: 'leave', room });
        break;
      case 4:
      case 5:
      case 6:
        if (place) client.publish(place.handle, body.subarray(0, random.below(body.length)));
        break;
      case 7: {
        const to = names[random.below(names.length)]!;
        client.send({
          type: 0x15,
          publishId: ++client.publishId,
          to,
          codec: 0,
          body: body.subarray(0, 9000),
        } as never);
        break;
      }
      case 8:
        client.link.stall();
        break;
      case 9:
        client.link.flow();
        break;
      case 10:
        client.pipe.destroy();
        break;
      case 11:
        memory.clock.advance(random.below(2000));
        if (random.below(4) === 0) memory.chat.operator.kick(name, 'out');
        break;
    }
    if (random.below(3) === 0) await turn();
    const held = recount(memory);
    expect(memory.chat.rooms.logBytes, `step ${step}`).toBe(held.logBytes);
    // The newest part of the room that grew stays.
    expect(held.logBytes).toBeLessThanOrEqual(300_000 + 40_000);
    expect(memory.chat.addresses.sessions.total).toBe(held.sessions);
    expect(memory.chat.addresses.away.total).toBe(held.away);
    expect(memory.chat.rooms.size).toBe([...memory.chat.rooms.all].length);
    expect([...memory.chat.sessions].reduce((sum, { rooms }) => sum + rooms.size, 0)).toBe(held.members);
  }
  for (const client of clients.values()) client.pipe.destroy();
  await turn(2);
  memory.clock.advance(120_000);
  await turn();
  expect(recount(memory)).toEqual({ logBytes: 0, sessions: 0, away: 0, members: 0 });
  expect([
    memory.chat.rooms.logBytes,
    memory.chat.rooms.size,
    memory.chat.addresses.sessions.total,
    memory.chat.addresses.away.total,
  ]).toEqual([0, 0, 0, 0]);
  expect(memory.chat.accounts.size).toBe(0);
  expect(memory.log.at('error')).toEqual([]);
});

it('an entry that another one brings about is counted once, and comes behind it', async () => {
  const memory = await MemoryChat.open({ retentionBytes: 65_536, resumeWindowMs: 0 });
  const [ada, slow] = [await memory.enter('ada'), await memory.enter('slow')];
  const { handle } = await ada.join('lobby');
  await slow.join('lobby');
  slow.link.stall();
  for (let i = 0; i < 30; i++) ada.publish(handle, new Uint8Array(9000));
  await turn(3);
  expect(slow.gone || [...memory.chat.sessions].length === 1).toBe(true);
  expect(memory.chat.counters.closes.get(CloseCode.SlowConsumer)).toBe(1);
  expect(memory.chat.rooms.logBytes).toBe(recount(memory).logBytes);
  const seqs = ada.entries(handle).map(({ seq }) => seq);
  expect(seqs).toEqual([...seqs].sort((left, right) => left - right));
});
