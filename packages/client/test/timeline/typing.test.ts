import { describe, expect, it } from 'vitest';
import { OwnTyping, Typists } from '../../src/timeline/typing.js';

const member = (id: number) => ({ id, name: `m${id}` });

/** A room that remembers what was told. */
function target() {
  const told: unknown[] = [];
  return { told, signal: (value: unknown) => told.push(value) > 0 };
}

describe('OwnTyping', () => {
  it('is told at once, and again every three seconds while it goes on', () => {
    const own = new OwnTyping();
    const room = target();
    for (const now of [0, 10, 2999, 3000, 4000]) own.goesOn(room, now);
    expect(room.told).toEqual([{ typing: true }, { typing: true }]);
  });

  it('is over where the user writes elsewhere, or stops; a message says so by itself', () => {
    const own = new OwnTyping();
    const [first, second] = [target(), target()];
    own.goesOn(first, 0);
    own.goesOn(second, 1);
    expect(first.told).toEqual([{ typing: true }, { typing: false }]);
    own.stop();
    own.stop();
    expect(second.told).toEqual([{ typing: true }, { typing: false }]);
    own.goesOn(first, 2);
    own.sent();
    own.stop();
    expect(first.told).toHaveLength(3);
  });
});

describe('Typists', () => {
  it('are believed for six seconds after each signal', () => {
    const typists = new Typists();
    expect(typists.heard(member(2), { typing: true }, 0)).toBe(true);
    expect(typists.heard(member(2), { typing: true }, 1000)).toBe(false);
    expect(typists.nextAt).toBe(7000);
    expect(typists.expire(6999)).toBe(false);
    expect(typists.expire(7000)).toBe(true);
    expect([typists.members, typists.nextAt]).toEqual([[], undefined]);
  });

  it('stop by a signal, and by what they say', () => {
    const typists = new Typists();
    typists.heard(member(2), { typing: true }, 0);
    typists.heard(member(3), { typing: true }, 0);
    expect(typists.heard(member(2), { typing: false }, 1)).toBe(true);
    expect(typists.stopped(3)).toBe(true);
    expect(typists.stopped(3)).toBe(false);
    expect(typists.members).toEqual([]);
  });

  it.each([[undefined], ['typing'], [null], [{}], [{ typing: 'yes' }]])('ignore a signal of %j', (value) => {
    expect(new Typists().heard(member(2), value, 0)).toBe(false);
  });

  it('are no more than fifty, since nobody reads so many names', () => {
    const typists = new Typists();
    for (let id = 0; id < 60; id++) typists.heard(member(id), { typing: true }, 0);
    expect(typists.members).toHaveLength(50);
    expect(typists.clear()).toBe(true);
    expect(typists.clear()).toBe(false);
  });
});
