import { encodeFrame, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { RoomEntry } from '../../src/index.js';
import { connected, join } from '../support/connected.js';
import { turns } from '../support/fake-clock.js';
import { message, notice } from '../support/scripted-server.js';

const valuesOf = (entries: readonly RoomEntry[]) =>
  entries.map((entry) => (entry.type === 'message' ? entry.value : entry.type));

describe('history', () => {
  const entries = (...frames: Parameters<typeof encodeFrame>[0][]) =>
    Uint8Array.from(frames.flatMap((frame) => [...encodeFrame(frame)]));

  it('comes in several frames, as one page', async () => {
    const scene = await connected();
    const room = await join(scene);
    const asking = room.history({ before: 10, limit: 3 });
    await turns();
    const { id, request } = scene.server.end.last(FrameType.Request);
    expect(request).toEqual({ op: 'history', room: 'lobby', before: 10, limit: 3 });
    await scene.server.end.send({
      type: FrameType.History,
      id,
      last: false,
      end: false,
      entries: entries(message(1, 0, 'one'), notice(2, 1)),
    });
    await scene.server.end.send({
      type: FrameType.History,
      id,
      last: true,
      end: true,
      entries: entries(message(3, 2, 'three')),
    });
    const page = await asking;
    expect(page.end).toBe(true);
    expect(valuesOf(page.entries)).toEqual(['one', 'notice', 'three']);
    expect(page.entries[0]).toMatchObject({ history: true, room: 'lobby' });
  });

  it('shows a hole in its chain as a gap', async () => {
    const scene = await connected();
    const room = await join(scene);
    const asking = room.history();
    await turns();
    await scene.server.end.send({
      type: FrameType.History,
      id: scene.server.end.last(FrameType.Request).id,
      last: true,
      end: false,
      entries: entries(message(1, 0, 'one'), message(5, 4, 'five')),
    });
    expect((await asking).entries.map(({ type }) => type)).toEqual(['message', 'gap', 'message']);
  });

  it('shows what is held no longer, behind the position that it was to go on from, as a gap', async () => {
    const scene = await connected();
    const room = await join(scene);
    const ask = async (after: number, first: number, prev: number) => {
      const asking = room.history({ after });
      await turns();
      await scene.server.end.send({
        type: FrameType.History,
        id: scene.server.end.last(FrameType.Request).id,
        last: true,
        end: true,
        entries: entries(message(first, prev, 'text')),
      });
      return (await asking).entries;
    };
    expect((await ask(3, 900, 880))[0]).toEqual({
      type: 'gap',
      room: 'lobby',
      reason: 'expired',
      from: 3,
      to: 880,
    });
    // Another room may have had this position: nothing is missing here.
    expect((await ask(3, 5, 2)).map(({ type }) => type)).toEqual(['message']);
    expect((await ask(3, 5, 3)).map(({ type }) => type)).toEqual(['message']);
  });

  it.each([
    ['half an entry', entries(message(1, 0, 'one')).slice(0, -1), 'FRAME_MALFORMED'],
    ['an entry without a type', new Uint8Array(40), 'FRAME_UNKNOWN'],
    ['an entry of length 0', Uint8Array.of(0, 0, 0, 0, FrameType.Message, 0, 0, 0), 'FRAME_TOO_SHORT'],
    ['what is no entry', encodeFrame({ type: FrameType.Ping, nonce: 1 }), 'FRAME_MALFORMED'],
  ])('rejects %s', async (_what, bytes, code) => {
    const scene = await connected();
    const room = await join(scene);
    const asking = room.history();
    asking.catch(() => {});
    await turns();
    await scene.server.end.send({
      type: FrameType.History,
      id: scene.server.end.last(FrameType.Request).id,
      last: true,
      end: false,
      entries: bytes,
    });
    await expect(asking).rejects.toMatchObject({ code: `ERR_PROTOCOL_${code}` });
  });
});

describe('history', () => {
  it('says that what it was to go on from is all gone', async () => {
    const scene = await connected();
    const room = await join(scene, 'lobby', { start: 9 });
    const reading = room.history({ after: 4 });
    await turns();
    const { id } = scene.server.end.last(FrameType.Request);
    await scene.server.end.send({
      type: FrameType.History,
      id,
      last: true,
      end: true,
      entries: new Uint8Array(0),
    });
    expect((await reading).entries).toEqual([
      { type: 'gap', room: 'lobby', reason: 'expired', from: 4, to: 9 },
    ]);
  });
});
