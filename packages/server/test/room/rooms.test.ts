/** The directory of rooms: pages of it against a plain list, while rooms come and go. */
import { expect, it, vi } from 'vitest';
import { createMemoryLog } from '../../src/log/memory-log.js';
import { applyEntry } from '../../src/log/state/apply-entry.js';
import { ChatState } from '../../src/log/state/chat-state.js';
import type { Room } from '../../src/room/room.js';
import { Rooms } from '../../src/room/rooms.js';
import { steadyClock } from '../../src/time/clock.js';
import { TimerWheel } from '../../src/time/timer-wheel.js';
import { ManualClock } from '../support/manual-clock.js';
import { seeded } from '../support/seeded.js';

const RETENTION = { retentionBytes: 65_536, retentionEntries: 100, retentionMs: 1000 };

/** The name of the room that was made, or the limit that forbids it. */
function make(rooms: Rooms, name: string): string | undefined {
  let made: string | undefined;
  const refusal = rooms.make(name, '', (room) => {
    made = (room as Room).name;
  });
  return refusal ?? made;
}

function directory(): {
  rooms: Rooms;
  clock: ManualClock;
  settle: (name: string) => void;
  leave: (name: string) => void;
} {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock, 250);
  const log = createMemoryLog();
  const options = { clock: steadyClock(clock), maxRooms: 5000, emptyRoomTtlMs: 1000, maxLogBytes: 1e9 };
  const rooms = new Rooms({ ...options, ...RETENTION }, log, wheel);
  const state = new ChatState();
  log.open((entries) => {
    for (const entry of entries) {
      const outcome = applyEntry(state, entry);
      if (outcome.kind === 'room-opened') rooms.opened(outcome.room);
      if (outcome.kind === 'room-forgotten') rooms.forgotten(outcome.room.key);
      entry.origin?.appended(entry, outcome);
    }
  });
  const settle = (name: string): void => {
    if (!rooms.find(name)) make(rooms, name);
    const room = rooms.find(name)!;
    state.enter(state.rooms.get(room.key)!, 1, 1);
  };
  const leave = (name: string): void => {
    const room = rooms.find(name)!;
    state.leave(state.rooms.get(room.key)!, 1);
    rooms.release(room);
  };
  return { rooms, clock, settle, leave };
}

it('names every room with members that begins so, once, in order, whatever the pages', async () => {
  const { rooms, clock, settle, leave } = directory();
  const random = seeded(7);
  const names = Array.from({ length: 300 }, (_, i) => `${'abcé#zЖ'[random.below(7)]}${i}`);
  for (const name of names) settle(name);
  const gone = new Set(names.filter(() => random.below(3) === 0));
  for (const name of gone) leave(name);
  for (const prefix of ['', 'a', 'A', 'é', '#', 'b1', 'zz']) {
    const expected = names
      .filter((name) => !gone.has(name) && name.startsWith(prefix.toLowerCase()))
      .sort((left, right) => (left < right ? -1 : 1));
    for (const limit of [1, 7, 200]) {
      const found: string[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const page: Awaited<ReturnType<Rooms['list']>> = await rooms.list(prefix, limit, 10_000, cursor);
        expect(page.rooms.length).toBeLessThanOrEqual(limit);
        found.push(...page.rooms.map(({ room }) => room));
        cursor = page.cursor;
      }
      expect(found).toEqual(expected);
    }
    // Half-way, those without members are forgotten.
    if (prefix === 'é') clock.advance(5000);
  }
  expect(rooms.size).toBe(names.length - gone.size);
});

it('looks at a bounded number of rooms for one page, and goes on with the next', async () => {
  const { rooms, settle } = directory();
  for (let i = 0; i < 2500; i++) settle(`r${String(i).padStart(4, '0')}`);
  let asked = 0;
  const maySee = (name: string): boolean => {
    asked++;
    return name === 'r2400';
  };
  const first = await rooms.list('', 10, 10_000, undefined, maySee);
  expect([first.rooms, asked]).toEqual([[], 1000]);
  const second = await rooms.list('', 10, 10_000, first.cursor, maySee);
  const third = await rooms.list('', 10, 10_000, second.cursor, maySee);
  expect(third).toEqual({ rooms: [{ room: 'r2400', memberCount: 1 }] });
});

it('keeps a room for the whole time after its last member left, also when it had been empty before', async () => {
  const { rooms, clock, settle, leave } = directory();
  settle('lobby');
  leave('lobby');
  clock.advance(750);
  settle('lobby');
  leave('lobby');
  clock.advance(750);
  expect(rooms.size).toBe(1);
  clock.advance(500);
  expect(rooms.size).toBe(0);
  // And for good while somebody is in it.
  settle('lobby');
  leave('lobby');
  settle('lobby');
  clock.advance(5000);
  expect(rooms.size).toBe(1);
});

it('gives up the room that has been empty for longest rather than refuse a new one', () => {
  const { rooms, settle, leave } = directory();
  for (let i = 0; i < 5000; i++) settle(`r${i}`);
  expect(make(rooms, 'new')).toBe('maxRooms');
  for (const name of ['r7', 'r8', 'r9']) leave(name);
  settle('r7');
  expect(make(rooms, 'new')).toBe('new');
  expect([rooms.find('r7'), rooms.find('r8'), rooms.find('r9')].map(Boolean)).toEqual([true, false, true]);
  expect(rooms.size).toBe(5000);
});

it('does not think long about a name that no room can have', async () => {
  const { rooms } = directory();
  const normalize = vi.spyOn(String.prototype, 'normalize');
  const name = '\uFDFA'.repeat(21_000);
  expect(rooms.find(name)).toBeUndefined();
  expect(await rooms.list(name, 10, 1000)).toEqual({ rooms: [] });
  expect(normalize).not.toHaveBeenCalled();
  normalize.mockRestore();
});
