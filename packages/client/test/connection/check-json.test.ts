import { describe, expect, it } from 'vitest';
import { checkShape, JOINED_SHAPE, MEMBERS_SHAPE, WELCOME_SHAPE } from '../../src/connection/check-json.js';
import { joined, welcome } from '../support/scripted-server.js';

const HELLO = { name: 'ada', maxFrameBytes: 65_536 };

describe('the JSON of a server', () => {
  it('is taken when it has what the client relies on, whatever it has besides', () => {
    checkShape(
      WELCOME_SHAPE,
      { ...welcome(HELLO, { rooms: [joined('lobby')] }), news: 1 } as never,
      'welcome',
    );
    checkShape(JOINED_SHAPE, { ...joined('lobby', { members: [] }), news: 1 } as never, 'joined');
    checkShape(MEMBERS_SHAPE, [{ id: 1, name: 'ada', news: 1 }], 'members');
  });

  it.each([
    [{ session: 1 }, 'welcome.session must be of type string, got number'],
    [{ epoch: undefined }, 'welcome.epoch must be of type string, got undefined'],
    [{ member: null }, 'welcome.member must be of type object, got null'],
    [{ inbox: { handle: '7', start: 0 } }, 'welcome.inbox.handle must be of type number, got string'],
    [{ limits: {} }, 'welcome.limits.maxFrameBytes must be of type number, got undefined'],
    [{ rooms: {} }, 'welcome.rooms must be of type array, got object'],
    [
      { rooms: [joined('a'), { room: 'b' }] },
      'welcome.rooms[1].handle must be of type number, got undefined',
    ],
    [{ resumed: 'yes' }, 'welcome.resumed must be of type boolean, got string'],
  ])('is refused as a welcome with %j', (changes, message) => {
    expect(() => checkShape(WELCOME_SHAPE, welcome(HELLO, changes as never), 'welcome')).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL_FRAME_MALFORMED', message }),
    );
  });

  it.each([
    [
      'a room without members',
      () => checkShape(JOINED_SHAPE, joined('a', { members: undefined as never }), 'joined'),
    ],
    ['members that are no list', () => checkShape(MEMBERS_SHAPE, {}, 'members')],
    [
      'a member without a name',
      () => checkShape(MEMBERS_SHAPE, [{ id: 1, name: 'ada' }, { id: 2 }], 'members'),
    ],
    ['nothing', () => checkShape(JOINED_SHAPE, undefined as never, 'joined')],
  ])('is refused as %s', (_, check) => {
    expect(check).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL_FRAME_MALFORMED' }));
  });
});
