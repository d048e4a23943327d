import { bytesCodec, jsonCodec, textCodec } from '@chat/protocol';
import { encodeFrame, FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { ClientError } from '../../src/errors.js';
import { type Gap, Identity, type Notice } from '../../src/rooms/entry.js';
import type { JoinOptions } from '../../src/rooms/room.js';
import { RoomStream } from '../../src/rooms/room-stream.js';
import { turns } from '../support/fake-clock.js';
import { EPOCH, joined, notice } from '../support/scripted-server.js';

/** A room by itself, of a client that is member 1. */
function alone(options: JoinOptions<string> = {}, start = 0) {
  const identity = new Identity();
  identity.assume(EPOCH, { id: 1, name: 'ada' });
  const told = { gaps: [] as Gap[], notices: [] as Notice[], errors: [] as unknown[], evictions: 0 };
  const owner = {
    identity,
    onGap: (gap: Gap) => told.gaps.push(gap),
    onNotice: (heard: Notice) => told.notices.push(heard),
    onListenerError: (error: unknown) => told.errors.push(error),
  };
  const room = new RoomStream<string>(owner, () => told.evictions++, joined('lobby', { start }), options);
  const take = (frame: Parameters<typeof encodeFrame>[0]) => {
    const bytes = encodeFrame(frame);
    room.entries.receive(frame.type, bytes, 0, bytes.length);
  };
  return { room, told, take };
}

const left = (seq: number, sender: number) => notice(seq, seq - 1, NoticeKind.Left, { sender, name: 'x' });

describe('RoomStream', () => {
  it('tells its owner of each notice at once, and of each gap once somebody listens', async () => {
    const { room, told, take } = alone();
    take(notice(1, 0));
    take(notice(5, 3));
    expect(told.notices.map(({ seq }) => seq)).toEqual([1, 5]);
    expect(told.gaps).toEqual([]);
    room.listeners.on('gap', () => {});
    room.entries.release();
    await turns();
    expect(told.gaps).toMatchObject([{ room: 'lobby', reason: 'hole', from: 1, to: 3 }]);
  });

  it('was left against the will of this side when a notice says that this client has left', () => {
    const { told, take } = alone();
    take(left(1, 2));
    expect(told.evictions).toBe(0);
    take(left(2, 1));
    expect(told.evictions).toBe(1);
  });

  it.each([
    ['expired', { epoch: EPOCH, seq: 3 }],
    ['epoch-changed', { epoch: 'before', seq: 3 }],
  ] as const)('begins with a gap where it cannot go on: %s', async (reason, since) => {
    const { room, told } = alone({ since }, 10);
    room.entries.release();
    await turns();
    expect(told.gaps).toEqual([{ type: 'gap', room: 'lobby', reason, from: 3, to: 10 }]);
  });

  it('has nothing more to be sent to once it has ended, and ends once', () => {
    const { room } = alone();
    const ends: unknown[] = [];
    room.listeners.on('closed', ({ error }) => ends.push(error));
    expect(room.refusal).toBeUndefined();
    const error = new ClientError('ERR_CLIENT_KICKED', 'out');
    room.end(error);
    room.end();
    expect(ends).toEqual([error]);
    expect(room.refusal).toMatchObject({ code: 'ERR_CLIENT_NOT_MEMBER' });
    expect([room.lostBy, room.listeners.count]).toEqual([error, 0]);
  });

  it('lets its messages wait from a lost session until it is joined again, and not when it has ended', () => {
    const { room } = alone();
    expect(room.isWaiting).toBe(false);
    room.inSession = false;
    expect(room.isWaiting).toBe(true);
    room.rejoin(joined('lobby'));
    expect(room.isWaiting).toBe(false);
    room.inSession = false;
    room.end();
    expect(room.isWaiting).toBe(false);
  });

  it('reads signals of three codecs, and drops those that it cannot read', () => {
    const { room } = alone();
    const values: unknown[] = [];
    room.listeners.on('signal', ({ value }) => values.push(value));
    const signal = { type: FrameType.Signal, room: 7, sender: 2, name: 'bob' } as const;
    room.onSignal({ ...signal, codec: jsonCodec.tag, body: jsonCodec.encode([1]) });
    room.onSignal({ ...signal, codec: textCodec.tag, body: textCodec.encode('text') });
    room.onSignal({ ...signal, codec: bytesCodec.tag, body: Uint8Array.of(1) });
    room.onSignal({ ...signal, codec: jsonCodec.tag, body: Uint8Array.of(0xff) });
    room.onSignal({ ...signal, codec: 77, body: Uint8Array.of(1) });
    expect(values).toEqual([[1], 'text', Uint8Array.of(1)]);
  });
});
