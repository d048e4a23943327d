/** What waits for a peer that does not read: answers of every kind up to `maxQueuedBytes`, and each room has its turn. */
import { CloseCode } from '@chat/protocol';
import { encodeFrame, FrameType, type Joined } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../src/options/options.js';
import { MemoryChat } from './support/memory-chat.js';
import type { MemoryLink } from './support/memory-link.js';
import { turn } from './support/turn.js';

const MAX_QUEUED_BYTES = 100_000;
const OPTIONS = { ...UNLIMITED, maxQueuedBytes: MAX_QUEUED_BYTES, maxFrameBytes: 16_384, maxLineBytes: 1000 };

describe('answers to one that does not read', () => {
  it.each<[string, object]>([
    ['history', { op: 'history', room: 'lobby', limit: 1000 }],
    ['history backwards', { op: 'history', room: 'lobby', limit: 1000, before: 90 }],
    ['members', { op: 'members', room: 'lobby', limit: 200 }],
    ['what is wrong', { op: 'nonsense' }],
  ])('%s: no more of them wait than may', async (_what, request) => {
    const memory = await MemoryChat.open(OPTIONS);
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    for (let i = 0; i < 100; i++) await ada.say(handle, new Uint8Array(10_000));
    await bob.join('lobby');
    await turn();
    bob.link.stall();
    const bytes = Buffer.concat(
      Array.from({ length: 4000 }, (_, i) =>
        encodeFrame({ type: FrameType.Request, id: i + 100, request } as never),
      ),
    );
    for (let i = 0; i < 10; i++) bob.pipe.write(bytes.subarray(i * 32_768, (i + 1) * 32_768));
    await turn(30);
    expect(bob.link.unsentBytes).toBeLessThanOrEqual(MAX_QUEUED_BYTES + OPTIONS.maxFrameBytes);
    expect(bob.link.paused).toBe(true);
  });

  it('in lines: no more of them wait than may', async () => {
    const memory = await MemoryChat.open({
      ...OPTIONS,
      hooks: { onMessage: () => ({ reject: 'x'.repeat(200) }) },
    });
    const line = memory.connectLine();
    line.send('ada\n');
    await turn(2);
    line.link.stall();
    for (let i = 0; i < 10; i++) line.send('no\n'.repeat(300));
    await turn(30);
    expect(line.link.unsentBytes).toBeGreaterThan(MAX_QUEUED_BYTES / 2);
    line.link.flow();
    line.link.stall();
    await turn(30);
    expect(line.link.unsentBytes).toBeLessThanOrEqual(MAX_QUEUED_BYTES + 1000);
  });

  it('a page that is larger than what may wait comes whole when it is read', async () => {
    const memory = await MemoryChat.open({ ...OPTIONS, maxQueuedBytes: 20_000 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    for (let i = 0; i < 50; i++) await ada.say(handle, new Uint8Array(10_000));
    await bob.join('lobby');
    bob.link.stall();
    const page = bob.history('lobby', { limit: 40 });
    for (let i = 0; i < 60; i++) {
      await turn();
      expect(bob.link.unsentBytes).toBeLessThanOrEqual(20_000 + 16_384);
      bob.link.flow();
      bob.link.stall();
    }
    bob.link.flow();
    expect((await page).entries).toHaveLength(40);
  });

  it('a page that the log has lost meanwhile ends the connection, since the rest would be a hole', async () => {
    const memory = await MemoryChat.open({ ...OPTIONS, maxQueuedBytes: 20_000, retentionBytes: 200_000 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    const other = await ada.join('other');
    for (let i = 0; i < 15; i++) await ada.say(handle, new Uint8Array(10_000));
    await bob.join('lobby');
    await turn();
    bob.link.stall();
    bob.send({ type: FrameType.Request, id: 1, request: { op: 'history', room: 'lobby', limit: 10 } });
    await turn(2);
    expect(memory.chat.rooms.find('other')!.handle).toBe(other.handle);
    memory.chat.rooms.budget.shrinkTo(0);
    bob.link.flow();
    await turn(2);
    expect(await bob.closed).toMatchObject({ code: CloseCode.SlowConsumer });
  });
});

describe('a reader that is slow', () => {
  it('of lines is whispered to while the lobby talks on', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, retentionBytes: 8_000_000 });
    const ada = await memory.enter('ada');
    const { handle } = await ada.join('lobby');
    const line = memory.connectLine();
    line.send('nc\n');
    await turn(2);
    line.link.stall();
    const talk = 'x'.repeat(60_000);
    for (let i = 0; i < 60; i++) ada.publish(handle, talk);
    ada.send({
      type: FrameType.Direct,
      publishId: ++ada.publishId,
      to: 'nc',
      codec: 1,
      body: new TextEncoder().encode('psst'),
    });
    await turn(2);
    readsPieceByPiece(line.link);
    for (let i = 0; i < 4; i++) {
      line.link.flow();
      await turn();
    }
    expect(line.text()).toContain('*** ada whispers: psst');
    expect(line.text().length).toBeLessThan(60 * talk.length);
  });

  it('is sent of each room in turn, and of its inbox', async () => {
    const memory = await MemoryChat.open({ ...UNLIMITED, retentionBytes: 4_000_000 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const rooms: Joined[] = [];
    for (const room of ['one', 'two', 'three']) {
      rooms.push(await ada.join(room));
      await bob.join(room);
    }
    await turn();
    bob.link.stall();
    for (const { handle } of rooms) for (let i = 0; i < 30; i++) ada.publish(handle, new Uint8Array(30_000));
    ada.send({
      type: FrameType.Direct,
      publishId: ++ada.publishId,
      to: 'bob',
      codec: 1,
      body: new Uint8Array(1),
    });
    await turn(2);
    const heard = (): number[] =>
      [...rooms.map(({ handle }) => handle), bob.welcome!.inbox.handle].map(
        (handle) => bob.entries(handle).length,
      );
    const before = heard();
    readsPieceByPiece(bob.link);
    for (let i = 0; i < 5; i++) {
      bob.link.flow();
      await turn();
    }
    expect(
      heard()
        .map((count, index) => count - before[index]!)
        .every((count) => count > 0),
    ).toBe(true);
  });
});

/** Each time that it reads, it reads what was written so far, and then it stops. */
function readsPieceByPiece(link: MemoryLink): void {
  const { onOutput } = link;
  link.onOutput = (bytes) => {
    onOutput(bytes);
    link.stall();
  };
}
