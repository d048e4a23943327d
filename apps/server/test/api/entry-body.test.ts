import type { RoomEntry } from '@chat/server';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../src/admin/admin-output.js';
import { entryBody } from '../../src/api/entry-body.js';

const info = { id: 'e-7', room: 'lobby', seq: 7, prev: 6, at: 1000 };
const sender = { id: 2, name: 'ada' };
const bodyOf = (entry: object): object => entryBody({ ...info, ...entry } as RoomEntry);

describe('entryBody', () => {
  it('has what a message answers, and who reacts to it', () => {
    const reactions = [{ reaction: '👍', by: [sender] }];
    const body = bodyOf({ type: 'message', sender, value: 'tea?', codec: 1, reply: 3, reactions });
    expect(body).toEqual({
      ...{ type: 'message', id: 'e-7', seq: 7, prev: 6, at: 1000, name: 'ada', member: 2 },
      ...{ text: 'tea?', reply: 3, reactions },
    });
    expect(linesOf({ entries: [body] })[0]).toContain(
      'reactions={"reaction":"👍","by":[{"id":2,"name":"ada"}]}',
    );
  });

  it('says who has taken a message back, and has the bytes of what is no text', () => {
    const unreadable = {
      type: 'unreadable',
      sender,
      codec: 4,
      body: new TextEncoder().encode('{"by":"bob"}'),
    };
    const gone = bodyOf({ ...unreadable, takenBackBy: 'bob' });
    expect(gone).toMatchObject({ type: 'message', takenBackBy: 'bob' });
    expect(gone).not.toHaveProperty('base64');
    expect(bodyOf({ ...unreadable, codec: 3 })).toMatchObject({ codec: 3, base64: 'eyJieSI6ImJvYiJ9' });
  });

  it('has what a notice says of a message', () => {
    const change = { seq: 3, of: sender, reaction: '👍', maxBytes: 9 };
    const notice = { type: 'notice', kind: 'reacted', member: sender, oldName: undefined, change };
    expect(bodyOf(notice)).toMatchObject({ kind: 'reacted', name: 'ada', change });
  });
});
