/** What one address holds leaves room for others, and the one that holds most gives up first. */
import { CloseCode, FailureCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { AddressLimit } from '../src/limits/addresses/address-limit.js';
import { AddressRate } from '../src/limits/addresses/address-rate.js';
import { MemoryGuard } from '../src/limits/memory-guard.js';
import { LogBudget, type LogShare, type Shedding } from '../src/log/log-budget.js';
import { resolveOptions, UNLIMITED } from '../src/options/options.js';
import { TimerWheel } from '../src/time/timer-wheel.js';
import { ManualClock } from './support/manual-clock.js';
import { MemoryChat } from './support/memory-chat.js';
import { turn } from './support/turn.js';

const HERE = '192.0.2.1';
const THERE = '192.0.2.2';

describe('rooms', () => {
  it('of one address leave rooms to others', async () => {
    const memory = await MemoryChat.open({ maxRooms: 10, maxRoomsPerAddress: 4 });
    const [ada, bob] = [
      await memory.enter('ada', { address: HERE }),
      await memory.enter('bob', { address: HERE }),
    ];
    for (let i = 0; i < 3; i++) await ada.join(`a${i}`);
    await bob.join('b0');
    expect(await bob.request({ op: 'join', room: 'b1' })).toMatchObject({
      failure: { code: FailureCode.TooManyRooms, max: 4, message: 'your address has made 4 rooms' },
    });
    // One that is there already may be joined by anybody.
    await bob.join('a0');
    const other = await memory.enter('other', { address: THERE });
    for (let i = 0; i < 4; i++) await other.join(`o${i}`);
    expect(memory.chat.rooms.size).toBe(8);
  });

  it('of one address that are empty make room for others of its own', async () => {
    const memory = await MemoryChat.open({ maxRoomsPerAddress: 2 });
    const [ada, other] = [await memory.enter('ada'), await memory.enter('other', { address: THERE })];
    await other.join('kept');
    await other.ask({ op: 'leave', room: 'kept' });
    for (const room of ['one', 'two']) {
      await ada.join(room);
      await ada.ask({ op: 'leave', room });
    }
    await ada.join('three');
    expect(['kept', 'one', 'two', 'three'].map((room) => memory.chat.rooms.find(room) !== undefined)).toEqual(
      [true, false, true, true],
    );
  });

  it('may all be taken, and the lobby is there', async () => {
    const memory = await MemoryChat.open({ maxRooms: 2 });
    const ada = await memory.enter('ada');
    for (const room of ['one', 'two']) await ada.join(room);
    expect((await ada.request({ op: 'join', room: 'three' })).type).toBe(FrameType.Failed);
    const nc = memory.connectLine();
    nc.send('nc\n');
    await turn(3);
    expect(nc.text()).toBe('');
    expect(memory.chat.rooms.find('lobby')!.members.size).toBe(1);
    expect(memory.chat.rooms.size).toBe(3);
  });
});

describe('sessions', () => {
  it('of one address, away ones included, are bounded, and one that is away makes room', async () => {
    const memory = await MemoryChat.open({ maxSessionsPerAddress: 2 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const carol = memory.connect();
    carol.greet({ name: 'carol' });
    expect(await carol.closed).toMatchObject({ code: CloseCode.TooManyConnections });
    await memory.enter('other', { address: THERE });
    ada.pipe.destroy();
    await turn();
    await memory.enter('dave');
    expect(memory.chat.sessions.find('ada')).toBeUndefined();
    expect(bob.gone).toBe(false);
    expect(memory.chat.addresses.sessions.total).toBe(3);
  });

  it('count for the address where they go on', async () => {
    const memory = await MemoryChat.open({ maxSessionsPerAddress: 1 });
    const ada = await memory.enter('ada', { address: HERE });
    const { session, secret, epoch } = ada.welcome!;
    ada.pipe.destroy();
    await turn();
    const resume = { session, secret, epoch, rooms: [], inbox: 0 };
    await memory.enter({ name: 'ada', resume }, { address: THERE });
    await memory.enter('bob', { address: HERE });
    const carol = memory.connect({ address: THERE });
    carol.greet({ name: 'carol' });
    expect(await carol.closed).toMatchObject({ code: CloseCode.TooManyConnections });
  });
});

describe('IPv6', () => {
  it('is counted by /64, with more leave by /56 and by /48', () => {
    const limit = new AddressLimit(() => 2, []);
    const enter = (address: string): boolean => limit.tryEnter(address);
    expect([enter('2001:db8:1:100::1'), enter('2001:db8:1:100::2'), enter('2001:db8:1:100::3')]).toEqual([
      true,
      true,
      false,
    ]);
    let home = 2;
    for (let i = 1; i < 16; i++) if (enter(`2001:db8:1:1${i.toString(16).padStart(2, '0')}::1`)) home++;
    expect(home).toBe(8);
    let site = 8;
    for (let i = 2; i < 90; i++) if (enter(`2001:db8:1:${i.toString(16)}00::1`)) site++;
    expect(site).toBe(32);
    expect(enter('2001:db8:2::1')).toBe(true);
    expect(limit.total).toBe(33);
    limit.leave('2001:db8:1:100::1');
    expect([enter('2001:db8:1:100::3'), enter('2001:db8:1:100::4')]).toEqual([true, false]);
  });

  it('and so are the connections of a second', () => {
    const rate = new AddressRate({ perSecond: 1, burst: 1 });
    const come = (i: number): boolean =>
      rate.tryCharge(`2001:db8:1:1${i.toString(16).padStart(2, '0')}::1`, 0);
    expect(Array.from({ length: 10 }, (_, i) => come(i)).filter(Boolean)).toHaveLength(5);
  });
});

describe('history', () => {
  const options = { ...UNLIMITED, maxLogBytes: 1_000_000, retentionBytes: 500_000, maxMemoryBytes: Infinity };

  it('is given up by the address that holds most, not by the room that grows', async () => {
    const memory = await MemoryChat.open(options);
    const [eve, bob] = [await memory.enter('eve'), await memory.enter('bob', { address: THERE })];
    const { handle } = await bob.join('team');
    for (let r = 0; r < 4; r++) {
      const { handle: mine } = await eve.join(`eve-${r}`);
      for (let i = 0; i < 8; i++) await eve.say(mine, new Uint8Array(40_000));
    }
    for (let i = 0; i < 100; i++) await bob.say(handle, new Uint8Array(2000));
    expect(memory.chat.rooms.logBytes).toBeLessThanOrEqual(options.maxLogBytes);
    const { entries, end } = await bob.history('team', { limit: 1000 });
    expect(entries).toHaveLength(101);
    expect(end).toBe(true);
  });

  it('is given up of many small rooms of one address before that of one larger room of another', async () => {
    const memory = await MemoryChat.open(options);
    const [eve, bob] = [await memory.enter('eve'), await memory.enter('bob', { address: THERE })];
    const { handle } = await bob.join('team');
    for (let i = 0; i < 10; i++) await bob.say(handle, new Uint8Array(30_000));
    for (let r = 0; r < 60; r++) {
      const { handle: mine } = await eve.join(`eve-${r}`);
      await eve.say(mine, new Uint8Array(30_000));
    }
    expect(memory.chat.rooms.logBytes).toBeLessThanOrEqual(options.maxLogBytes);
    expect((await bob.history('team', { limit: 1000 })).entries).toHaveLength(11);
  });

  it('is given up after all who read have it, also of comings and goings that wait', async () => {
    const memory = await MemoryChat.open({ ...options, presenceDelayMembers: 1, presenceDelayMs: 60_000 });
    const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    await turn();
    const eve = await memory.enter('eve', { address: THERE });
    await eve.join('lobby');
    for (let r = 0; r < 3; r++) {
      const { handle: mine } = await eve.join(`eve-${r}`);
      for (let i = 0; i < 12; i++) await eve.say(mine, new Uint8Array(40_000));
    }
    expect(ada.entries(handle).map(({ name }) => name)).toEqual(['ada', 'bob', 'eve']);
    expect([ada.gone, bob.gone]).toEqual([false, false]);
  });

  it('follows from the memory there is', () => {
    expect(resolveOptions({ maxMemoryBytes: 400_000_000 }).maxLogBytes).toBe(100_000_000);
    expect(resolveOptions({ maxMemoryBytes: Infinity }).maxLogBytes).toBe(536_870_912);
    expect(resolveOptions({ maxMemoryBytes: 400_000_000, maxLogBytes: 5_000_000 }).maxLogBytes).toBe(
      5_000_000,
    );
  });

  it('goes before people are turned away, and so much that there is memory again', () => {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock, 250);
    let [resident, held] = [80, 60];
    const wanted: number[] = [];
    const guard = new MemoryGuard(
      () => 100,
      wheel,
      () => {},
      () => ({ residentBytes: resident, heapBytes: 0, maxHeapBytes: 1 }),
      (bytes) => {
        wanted.push(bytes);
        const freed = Math.min(bytes, held);
        held -= freed;
        return freed;
      },
    );
    resident = 120;
    clock.advance(1250);
    expect([guard.isShort, wanted]).toEqual([false, [30]]);
    // Garbage that is not collected yet is not given up twice.
    clock.advance(1250);
    expect([guard.isShort, wanted]).toEqual([false, [30]]);
    // It is resident still after so long: there is more to give up, until there is nothing.
    clock.advance(31_000);
    expect([guard.isShort, held]).toEqual([false, 0]);
    clock.advance(31_000);
    expect(guard.isShort).toBe(true);
    wheel.close();
  });
});

describe('LogBudget', () => {
  class Log implements Shedding {
    bytes = 0;
    readonly share: LogShare;

    constructor(share: LogShare) {
      this.share = share;
    }

    grow(bytes: number): void {
      this.bytes += bytes;
      this.share.add(this, bytes);
    }
    shed(keepsNewest: boolean): number {
      const freed = Math.min(10, keepsNewest ? this.bytes - 10 : this.bytes);
      if (freed <= 0) return 0;
      this.grow(-freed);
      return freed;
    }
  }

  it('takes from the largest holder, and there from the largest log', () => {
    const budget = new LogBudget();
    const [small, large, other] = ['x', 'x', 'y'].map((holder) => new Log(budget.open(holder)));
    small!.grow(30);
    large!.grow(70);
    other!.grow(60);
    budget.shrinkTo(120);
    expect([small!.bytes, large!.bytes, other!.bytes, budget.bytes]).toEqual([30, 30, 60, 120]);
  });

  it('leaves its newest to the log that grows, and ends when there is nothing more to give', () => {
    const budget = new LogBudget();
    const [growing, other] = ['x', 'y'].map((holder) => new Log(budget.open(holder)));
    growing!.grow(40);
    other!.grow(20);
    budget.keepWithin(0, growing!);
    expect([growing!.bytes, other!.bytes]).toEqual([10, 0]);
  });
});
