import { describe, expect, it } from 'vitest';
import { MemberList } from '../../src/rooms/member-list.js';
import { notice } from '../support/fake-room.js';
import { joined } from '../support/scripted-server.js';

const member = (id: number, name = `m${id}`) => ({ id, name });

/** A list of two members of five, as of position 10. */
function partial(): MemberList {
  const list = new MemberList();
  list.reset(joined('lobby', { members: [member(1), member(2)], memberCount: 5, head: 10 }));
  return list;
}

describe('MemberList', () => {
  it('counts those that it does not know', () => {
    const list = partial();
    expect([list.count, list.complete, list.byId.size]).toEqual([5, false, 2]);
  });

  it('ignores notices that are older than its snapshot', () => {
    const list = partial();
    expect(list.apply(notice(10, { kind: 'left', member: member(1) }))).toBe(false);
    expect(list.byId.has(1)).toBe(true);
  });

  it.each(['left', 'gone'] as const)('counts one less when somebody has %s, known or not', (kind) => {
    const list = partial();
    expect(list.apply(notice(11, { kind, member: member(1) }))).toBe(true);
    list.apply(notice(12, { kind, member: member(77) }));
    expect([list.count, [...list.byId.keys()]]).toEqual([3, [2]]);
  });

  it('counts a member that joined once', () => {
    const list = partial();
    list.apply(notice(11, { kind: 'joined', member: member(3) }));
    list.apply(notice(12, { kind: 'joined', member: member(3) }));
    expect(list.count).toBe(6);
  });

  it('gets to know a member by its new name, and counts it no more often', () => {
    const list = partial();
    list.apply(notice(11, { kind: 'renamed', member: member(4, 'new'), oldName: 'old' }));
    expect([list.byId.get(4), list.count]).toEqual([member(4, 'new'), 5]);
  });

  it('counts what it knows once the last page is there', () => {
    const list = partial();
    list.add([member(3)], false);
    expect([list.count, list.complete]).toEqual([5, false]);
    list.add([member(4), member(5), member(6)], true);
    expect([list.count, list.complete]).toEqual([6, true]);
  });
});
