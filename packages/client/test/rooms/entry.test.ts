import { type Codec, jsonCodec, textCodec } from '@chat/protocol';
import { encodeFrame, NoticeKind, readEntryHeader } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { type EntryContext, Identity, readMessage, readNotice } from '../../src/rooms/entry.js';
import { EPOCH, message, notice } from '../support/scripted-server.js';

/** Where entries are read: by member 1 of epoch e1, in the lobby, with all up to 5 as history. */
function context(changes: Partial<EntryContext<string>> = {}): EntryContext<string> {
  const identity = new Identity();
  identity.assume(EPOCH, { id: 1, name: 'ada' });
  return { identity, room: 'lobby', codec: textCodec, historyUntil: 5, ...changes };
}

/** Reads an entry that stands between other bytes. */
function read(frame: Parameters<typeof encodeFrame>[0], where: EntryContext<string> = context()) {
  const bytes = encodeFrame(frame);
  const chunk = Uint8Array.from([1, 2, 3, ...bytes, 4]);
  const end = 3 + bytes.length;
  const header = readEntryHeader(chunk, 3, end);
  return 'kind' in frame ? readNotice(where, header, chunk, end) : readMessage(where, header, chunk, end);
}

describe('an entry', () => {
  it('is a message of a room, or of the inbox', () => {
    expect(read(message(6, 4, 'hello'))).toEqual({
      ...{
        type: 'message',
        room: 'lobby',
        id: 'e1-6',
        seq: 6,
        prev: 4,
        at: 1006,
        own: false,
        history: false,
      },
      ...{ sender: { id: 2, name: 'bob' }, value: 'hello', codec: textCodec.tag },
    });
    expect(read(message(6, 4, 'hello'), context({ room: undefined }))).toMatchObject({ type: 'direct' });
  });

  it('is history up to a position, and own by every id that this client has had in the epoch', () => {
    expect(read(message(5, 4, 'old'))).toMatchObject({ history: true });
    const where = context();
    where.identity.assume(EPOCH, { id: 3, name: 'ada' });
    for (const sender of [1, 3])
      expect(read(message(6, 5, 'mine', { sender }), where)).toMatchObject({ own: true });
    where.identity.assume('e2', { id: 4, name: 'ada' });
    expect(read(message(6, 5, 'not mine', { sender: 1 }), where)).toMatchObject({ own: false, id: 'e2-6' });
  });

  it('of another session of this user is own as well, and says so', () => {
    const where = context();
    where.identity.assume(EPOCH, { id: 1, name: 'ada' }, 2);
    const said = [{ sender: 1, device: 2 }, { sender: 1 }, { sender: 2 }] as const;
    expect(said.map((more) => read({ ...message(6, 5, 'x'), ...more }, where))).toMatchObject([
      { own: true },
      { own: true, elsewhere: true },
      { own: false },
    ]);
    expect(read({ ...message(6, 5, 'x'), ...said[0] }, where)).not.toHaveProperty('elsewhere');
    expect(read({ ...notice(6, 5, NoticeKind.Joined), sender: 1 }, where)).toMatchObject({ elsewhere: true });
  });

  it('names its sender as it was called then, and as one object while that stays', () => {
    const where = context();
    const senderOf = (name: string) =>
      (read(message(6, 5, 'x', { name }), where) as { sender: object }).sender;
    const first = senderOf('bob');
    expect(senderOf('bob')).toBe(first);
    expect(senderOf('rob')).toEqual({ id: 2, name: 'rob' });
    expect(senderOf('bob')).toEqual(first);
  });

  it('is unreadable with another codec, or when the codec refuses it, and has its bytes then', () => {
    expect(read(message(6, 5, '1', { codec: jsonCodec.tag }))).toMatchObject({
      ...{ type: 'unreadable', room: 'lobby', sender: { id: 2, name: 'bob' }, body: textCodec.encode('1') },
      error: { code: 'ERR_CLIENT_UNREADABLE' },
    });
    const cause = new Error('not today');
    const codec: Codec<string> = {
      ...textCodec,
      decode: () => {
        throw cause;
      },
    };
    expect(read(message(6, 5, 'x'), context({ codec }))).toMatchObject({ error: { cause } });
  });

  it.each([
    [NoticeKind.Joined, 'joined'],
    [NoticeKind.Left, 'left'],
    [NoticeKind.Gone, 'gone'],
  ] as const)('is a notice of kind %i: %s', (kind, word) => {
    expect(read(notice(6, 5, kind))).toEqual({
      ...{ type: 'notice', room: 'lobby', id: 'e1-6', seq: 6, prev: 5, at: 1006, own: false, history: false },
      ...{ kind: word, member: { id: 2, name: 'bob' }, oldName: undefined },
    });
  });

  it('is a notice with both names when somebody was renamed', () => {
    const renamed = notice(6, 5, NoticeKind.Renamed, { body: textCodec.encode('rob') });
    expect(read(renamed)).toMatchObject({ kind: 'renamed', member: { id: 2, name: 'rob' }, oldName: 'bob' });
  });
});
