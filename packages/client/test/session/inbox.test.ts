import { textCodec } from '@chat/protocol';
import { encodeSent, FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { Notice } from '../../src/index.js';
import { connected, join } from '../support/connected.js';
import { turns } from '../support/fake-clock.js';
import { message, notice } from '../support/scripted-server.js';

describe('direct messages', () => {
  it('arrive as an event and in an iterator, those from before the first subscription included', async () => {
    const { client, server } = await connected();
    await server.end.send(message(1, 0, 'early', { room: 900 }));
    const seen: unknown[] = [];
    client.on('direct', (direct) => seen.push(direct));
    const directs = client.directs();
    await turns();
    await server.end.send(message(2, 1, 'later', { room: 900 }));
    expect(seen).toEqual([
      expect.objectContaining({ type: 'direct', value: 'early', sender: { id: 2, name: 'bob' } }),
      expect.objectContaining({ value: 'later' }),
    ]);
    expect(seen[0]).not.toHaveProperty('room');
    expect((await directs.next()).value?.value).toBe('early');
    expect((await directs.next()).value?.value).toBe('later');
  });

  it('are acknowledged, or refused when nobody has the name', async () => {
    const { client, server } = await connected();
    const sending = client.direct('bob', 'psst');
    await turns();
    expect(server.end.last(FrameType.Direct)).toMatchObject({ publishId: 1, to: 'bob' });
    await server.end.ack(1, 40);
    expect(await sending).toEqual({ id: 'e1-40', seq: 40, at: 1040, delivery: 'delivered' });
    const failing = client.direct('nobody', 'psst');
    await turns();
    await server.end.send({
      type: FrameType.Nack,
      publishId: 2,
      failure: { code: 'no-such-user', message: 'nobody is called nobody' },
    });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_CLIENT_NO_SUCH_USER' });
  });

  it('wait for one who is away, or cannot any more', async () => {
    const { client, server } = await connected();
    const sending = client.direct('bob', 'psst');
    await turns();
    await server.end.send({ type: FrameType.Ack, publishId: 1, seq: 40, at: 1040, waiting: true });
    expect(await sending).toEqual({ id: 'e1-40', seq: 40, at: 1040, delivery: 'waiting' });
    const failing = client.direct('bob', 'psst');
    await turns();
    const failure = {
      code: 'inbox-full',
      message: 'bob is away, and no more than 1 messages wait',
      max: 1,
    } as const;
    await server.end.send({ type: FrameType.Nack, publishId: 2, failure });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_CLIENT_INBOX_FULL', max: 1 });
  });

  it('that were sent on another session are here as well, and those of this one only once', async () => {
    const { client, server } = await connected();
    const seen: unknown[] = [];
    const copy = (seq: number, device: number) => {
      const body = encodeSent({ codec: 1, to: textCodec.encode('bob'), body: textCodec.encode('psst') });
      return notice(seq, seq - 1, NoticeKind.Sent, { room: 900, sender: 1, name: '', device, body });
    };
    // Before anybody listens, and afterwards.
    await server.end.send(copy(1, 1));
    client.on('direct', (direct) => seen.push(direct));
    client.on('unreadable', (entry) => seen.push(entry));
    client.on('gap', (gap) => seen.push(gap));
    await turns();
    for (const one of [copy(2, 0), copy(3, 1)]) await server.end.send(one);
    await server.end.send({ ...copy(4, 1), body: Uint8Array.of(1, 9) });
    const sent = { type: 'direct', to: 'bob', sender: { id: 1, name: 'ada' }, value: 'psst', codec: 1 };
    expect(seen).toMatchObject([
      { ...sent, seq: 1, own: true, elsewhere: true },
      { ...sent, seq: 3 },
      { seq: 4, own: true },
    ]);
  });

  it('that cannot be read are told apart', async () => {
    const { client, server } = await connected();
    const seen: unknown[] = [];
    client.on('unreadable', (entry) => seen.push(entry));
    client.on('direct', () => {});
    await turns();
    await server.end.send(message(1, 0, '', { room: 900, body: Uint8Array.of(0xff) }));
    expect(seen).toEqual([expect.objectContaining({ type: 'unreadable', room: undefined })]);
  });
});

describe('own name', () => {
  it('follows a rename that came from elsewhere', async () => {
    const scene = await connected();
    const room = await join(scene);
    const renames: unknown[] = [];
    scene.client.on('renamed', (event) => renames.push(event));
    const notices: Notice[] = [];
    room.on('notice', (entry) => notices.push(entry));
    await scene.server.end.send(
      notice(1, 0, NoticeKind.Renamed, { sender: 1, name: 'ada', body: textCodec.encode('countess') }),
    );
    expect(scene.client.name).toBe('countess');
    expect(renames).toEqual([{ name: 'countess', oldName: 'ada' }]);
    expect(notices).toHaveLength(1);
  });
});
