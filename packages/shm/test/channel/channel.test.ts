import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, expect, inject, it, vi } from 'vitest';
import { type Channel, type ChannelOptions, openChannel } from '../../src/channel/channel.js';
import { channelBytes, FAREWELL_WORD, ringWord, SIDE_WORD } from '../../src/channel/layout.js';
import { store } from '../../src/platform/atomics.js';
import { HEAD_WORD, TAIL_WORD } from '../../src/record/layout.js';
import { bellsIn } from '../../src/waiting/bell-file.js';
import { ChildProcess } from '../support/child-process.js';
import { memoryOf } from '../support/memory.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

function open(options: ChannelOptions = {}): Channel {
  return openChannel(place.name, { directory: place.directory, capacityBytes: 4096, ...options });
}

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'ShmError', code: expected });
}

function message(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

async function receive(channel: Channel, count: number): Promise<number[]> {
  const firsts: number[] = [];
  if (count === 0) return firsts;
  for await (const bytes of channel) {
    firsts.push(bytes[0] ?? -1);
    if (firsts.length === count) {
      channel.release();
      break;
    }
  }
  return firsts;
}

describe('channel layout', () => {
  it('is pinned', () => {
    expect({ SIDE_WORD, FAREWELL_WORD }).toEqual({
      SIDE_WORD: { a: 0, b: 32 },
      FAREWELL_WORD: { a: 64, b: 96 },
    });
    expect([ringWord('a', 4096), ringWord('b', 4096)]).toEqual([128, 1408]);
    expect(channelBytes(4096)).toBe(10_752);
  });
});

describe('Channel', { timeout: 60_000 }, () => {
  it('carries messages both ways', async () => {
    const a = open();
    const b = open();
    expect([a.side, b.side]).toEqual(['a', 'b']);
    await a.send(message(10, 1));
    await b.send(message(10, 2));
    expect(await receive(b, 1)).toEqual([1]);
    expect(await receive(a, 1)).toEqual([2]);
    a.close();
    b.close();
  });

  it('gives out sides by name, each to one at a time', () => {
    using _b = open({ side: 'b' });
    expect(() => open({ side: 'b' })).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    using a = open();
    expect(a.side).toBe('a');
    expect(() => open()).toThrow(code('ERR_SHM_ROLE_TAKEN'));
    expect(() => open({ side: 'c' as 'a' })).toThrow(TypeError);
  });

  it('wakes a receiver that sleeps', async () => {
    using a = open();
    using b = open();
    for (let i = 0; i < 50; i++) {
      const received = receive(b, 1);
      await new Promise(setImmediate);
      a.trySend(message(1, i));
      expect(await received).toEqual([i]);
    }
  });

  it('keeps messages that are sent before anybody is there', async () => {
    const a = open();
    for (let i = 0; i < 5; i++) await a.send(message(3, i));
    a.close();
    using b = open({ side: 'b' });
    expect(await receive(b, 5)).toEqual([0, 1, 2, 3, 4]);
  });

  it('says that it is full, and lets send wait until the other side has read', async () => {
    using a = open();
    using b = open();
    let filled = 0;
    while (a.trySend(message(504, filled))) filled++;
    expect(filled).toBe(8);
    const late = [a.send(message(504, 8)), a.send(message(1, 9)), a.send(message(504, 10))];
    let sent = 0;
    for (const one of late) void one.then(() => sent++);
    await new Promise(setImmediate);
    expect(sent).toBe(0);
    expect(a.trySend(message(0, 0))).toBe(false);
    expect(a.tryStage(message(0, 0))).toBe(false);
    expect(await receive(b, 11)).toEqual(Array.from({ length: 11 }, (_, i) => i));
    await Promise.all(late);
    expect(a.unreadBytes).toBe(0);
  });

  it('carries a flood through a small ring, in order', async () => {
    using a = open();
    using b = open();
    const count = 20_000;
    const sending = (async () => {
      for (let i = 0; i < count; i++) await a.send(message(1 + (i % 500), i));
    })();
    let next = 0;
    for await (const bytes of b) {
      if (bytes.length !== 1 + (next % 500) || bytes[0] !== (next & 0xff)) break;
      if (++next === count) break;
    }
    expect(next).toBe(count);
    await sending;
  });

  it('lets timers run during a flood', async () => {
    using a = open({ capacityBytes: 2 ** 22 });
    using b = open({ capacityBytes: 2 ** 22 });
    let turns = 0;
    const count = (): void => {
      turns++;
      setImmediate(count).unref();
    };
    count();
    for (let i = 0; i < 50_000; i++) expect(a.trySend(message(1, 1))).toBe(true);
    await receive(b, 50_000);
    expect(turns).toBeGreaterThan(40);
  });

  it('lets timers run while it is read in batches and there is always one more', async () => {
    using a = open({ capacityBytes: 2 ** 16 });
    using b = open({ capacityBytes: 2 ** 16 });
    let turns = 0;
    const count = (): void => {
      turns++;
      setImmediate(count).unref();
    };
    setImmediate(count);
    for (let i = 0; i < 4000; i++) expect(a.trySend(message(1, 1))).toBe(true);
    let seen = 0;
    while (seen < 4000 && (await b.readable())) seen += b.read(() => {}, 1);
    expect(turns).toBeGreaterThan(40);
  });

  it('can stop waiting for room: the message was not sent', async () => {
    using a = open();
    using b = open();
    while (a.trySend(message(504, 1)));
    const controller = new AbortController();
    const given = a.send(message(1, 2), { signal: controller.signal });
    const kept = a.send(message(1, 3));
    controller.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await expect(a.send(message(1, 2), { signal: controller.signal })).rejects.toThrow('enough');
    expect(await receive(b, 9)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 3]);
    await kept;
  });

  it('can stop waiting for messages', async () => {
    using a = open();
    using b = open();
    const controller = new AbortController();
    const waiting = b.messages({ signal: controller.signal }).next();
    const readable = b.readable({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(readable).rejects.toThrow('enough');
    await a.send(message(1, 7));
    expect(await receive(b, 1)).toEqual([7]);
  });

  it('marks a message as read when the next one is asked for', async () => {
    using a = open();
    const b = open({ side: 'b' });
    for (let i = 0; i < 4; i++) a.trySend(message(1, i));
    const messages = b.messages();
    await messages.next();
    await messages.next();
    b.close();
    using successor = open({ side: 'b' });
    expect(await receive(successor, 3)).toEqual([1, 2, 3]);
  });

  it('marks the last message as read when the loop is left, and goes on in the next loop', async () => {
    using a = open();
    const b = open({ side: 'b' });
    for (let i = 0; i < 4; i++) a.trySend(message(1, i));
    expect(await receive(b, 2)).toEqual([0, 1]);
    expect(b.tryReceive()).toEqual(message(1, 2));
    b.close();
    using successor = open({ side: 'b' });
    expect(await receive(successor, 1)).toEqual([3]);
  });

  it('receives one message at a time, and undefined at the end', async () => {
    using a = open();
    const b = open({ side: 'b' });
    const waiting = b.receive();
    for (const fill of [1, 2]) a.trySend(message(1, fill));
    expect([await waiting, await b.receive()]).toEqual([message(1, 1), message(1, 2)]);
    const end = b.receive();
    b.close();
    expect(await end).toBeUndefined();
    using successor = open({ side: 'b' });
    expect(successor.tryReceive()).toBeUndefined();
  });

  it('answers several calls of next in order', async () => {
    using a = open();
    using b = open();
    const messages = b.messages();
    const asked = [messages.next(), messages.next(), messages.next()];
    for (let i = 0; i < 3; i++) a.trySend(message(1, i));
    expect((await Promise.all(asked)).map(({ value }) => value?.[0])).toEqual([0, 1, 2]);
  });

  it('reads in batches', async () => {
    using a = open();
    const b = open();
    const seen: number[] = [];
    const reading = (async () => {
      while (await b.readable()) b.read((bytes, start) => seen.push(bytes[start] ?? -1), 3);
    })();
    for (let i = 0; i < 10; i++) a.tryStage(message(1, i));
    a.publish();
    while (a.unreadBytes > 0) await new Promise(setImmediate);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    b.close();
    await reading;
  });

  it('ends loops and refuses waiting senders when it is closed', async () => {
    const a = open();
    const ended = receive(a, 5);
    while (a.trySend(message(504, 1)));
    const refused = a.send(message(1, 1));
    a.close();
    a.close();
    expect(await ended).toEqual([]);
    await expect(refused).rejects.toEqual(code('ERR_SHM_CLOSED'));
    await expect(a.send(message(1, 1))).rejects.toEqual(code('ERR_SHM_CLOSED'));
    for (const use of [
      () => a.trySend(message(1, 1)),
      () => a.tryReceive(),
      () => a.read(() => {}),
      () => a.unreadBytes,
    ])
      expect(use).toThrow(code('ERR_SHM_CLOSED'));
    expect(await a.readable()).toBe(false);
    expect(a.closeAndRemoveIfLast()).toBe(false);
  });

  it('removes the segment with the last one out, and no socket stays', () => {
    const a = open();
    const b = open();
    expect(a.closeAndRemoveIfLast()).toBe(false);
    expect(b.closeAndRemoveIfLast()).toBe(true);
    expect(readdirSync(place.directory)).toEqual([]);
  });

  it('refuses a message that is too large', async () => {
    using a = open();
    await expect(a.send(message(513, 0))).rejects.toEqual(code('ERR_SHM_TOO_LARGE'));
    expect(() => a.trySend(message(513, 0))).toThrow(code('ERR_SHM_TOO_LARGE'));
  });

  it('gives the error of a corrupt ring to the loop', async () => {
    using a = open();
    using b = open();
    const base = memoryOf(a).payloadWord + ringWord('a', 4096);
    store(memoryOf(a).words, base + TAIL_WORD, 10_000);
    await expect(receive(b, 1)).rejects.toEqual(code('ERR_SHM_CORRUPT'));
  });
});

describe('Channel before a corrupt ring', () => {
  it('refuses those who wait for room', async () => {
    using a = open();
    using _b = open();
    while (a.trySend(message(504, 1)));
    const waiting = a.send(message(1, 1));
    const base = memoryOf(a).payloadWord + ringWord('a', 4096);
    store(memoryOf(a).words, base + HEAD_WORD, 10_000);
    await expect(waiting).rejects.toEqual(code('ERR_SHM_CORRUPT'));
  });
});

describe('Channel peers', { timeout: 60_000 }, () => {
  it('have its farewell before its side is free: else a look between the two would find it dead', () => {
    using a = open({ side: 'a' });
    const b = open({ side: 'b' });
    const { payloadWord } = memoryOf(a);
    const spies = [vi.spyOn(Atomics, 'store'), vi.spyOn(Atomics, 'compareExchange')];
    b.close();
    const written = spies
      .flatMap(({ mock }) =>
        mock.calls.map((call, i) => ({ index: call[1], order: mock.invocationCallOrder[i] ?? 0 })),
      )
      .sort((one, other) => one.order - other.order)
      .map(({ index }) => index);
    for (const spy of spies) spy.mockRestore();
    const ofB = [FAREWELL_WORD.b, SIDE_WORD.b].map((word) => payloadWord + word);
    expect(written.filter((index) => ofB.includes(index))).toEqual(ofB);
  });

  it('sees the other side come and leave', async () => {
    using a = open();
    expect(a.peer).toEqual({ state: 'awaited' });
    const attached = once(a, 'peer-attached');
    const b = open();
    expect(b.peer).toEqual({ state: 'attached', pid: process.pid });
    expect(await once(b, 'peer-attached')).toEqual([process.pid]);
    expect(await attached).toEqual([process.pid]);
    const left = once(a, 'peer-left');
    b.close();
    expect(await left).toEqual([process.pid]);
    expect(a.peer).toEqual({ state: 'left', pid: process.pid });
    const again = once(a, 'peer-attached');
    using _c = open();
    await again;
  });

  it('can stop waiting at the news that the other side has left', async () => {
    using a = open({ side: 'a' });
    const b = open({ side: 'b' });
    await once(a, 'peer-attached');
    const controller = new AbortController();
    a.on('peer-left', () => controller.abort(new Error('alone')));
    const waiting = a.readable({ signal: controller.signal });
    b.close();
    await expect(waiting).rejects.toThrow('alone');
  });

  it('says nothing more once it was closed, though there would be more to say', async () => {
    const a = open({ side: 'a' });
    const b = open({ side: 'b' });
    await once(a, 'peer-attached');
    // Left and come again before anybody looks: two changes at one look.
    b.close();
    using next = open({ side: 'b' });
    const said: string[] = [];
    a.on('peer-left', () => {
      said.push('left');
      a.close();
    });
    a.on('peer-attached', () => said.push('attached'));
    a.on('peer-died', () => said.push('died'));
    while (!a.closed) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(said).toEqual(['left']);
    expect(next.closed).toBe(false);
  });

  it('sees another process die, and its successor come', async () => {
    using a = open();
    for (let round = 0; round < 2; round++) {
      const child = new ChildProcess(inject('childProgram'));
      const attached = once(a, 'peer-attached');
      const { pid } = await child.act('attach to side b', { ...place });
      expect(await attached).toEqual([pid]);
      const died = once(a, 'peer-died');
      await child.end();
      expect(await died).toEqual([pid]);
      expect(a.peer).toEqual({ state: 'died', pid });
    }
    // Who sees a peer die removes its bell.
    while (bellsIn(place.directory).length > 1) await new Promise(setImmediate);
  });

  it('sees another process leave', async () => {
    using a = open();
    await using child = new ChildProcess(inject('childProgram'));
    const left = once(a, 'peer-left');
    await child.act('attach to side b and leave', { ...place });
    await left;
  });

  it('is not disturbed by ringing for a sleeper that was killed', async () => {
    using a = open();
    const child = new ChildProcess(inject('childProgram'));
    const attached = once(a, 'peer-attached');
    await child.act('sleep in a channel', { ...place });
    await attached;
    child.process.kill('SIGKILL');
    await once(child.process, 'exit');
    for (let i = 0; i < 100; i++) expect(a.trySend(message(1, i))).toBe(true);
    if (a.peer.state !== 'died') await once(a, 'peer-died');
    for (let i = 100; i < 150; i++) expect(a.trySend(message(1, i))).toBe(true);
    using b = open({ side: 'b' });
    expect(await receive(b, 150)).toEqual(Array.from({ length: 150 }, (_, i) => i));
  });

  it('is woken by the last message of a process that exits at once', async () => {
    using a = open();
    const child = new ChildProcess(inject('childProgram'));
    const received = receive(a, 1);
    await child.act('send on side b and exit at once', { ...place }).catch(() => {});
    expect(await received).toEqual([42]);
    await child.end();
  });

  it('ends a loop with the peer where that is wanted, after its last message', async () => {
    using a = open();
    const b = open();
    b.trySend(message(1, 5));
    b.close();
    const got: number[] = [];
    for await (const bytes of a.messages({ endWithPeer: true })) got.push(bytes[0] ?? -1);
    expect(got).toEqual([5]);
    using c = open();
    c.trySend(message(1, 6));
    expect(await receive(a, 1)).toEqual([6]);
  });

  it('goes back and forth with another process, asleep in between', async () => {
    using a = open();
    await using child = new ChildProcess(inject('childProgram'));
    await child.act('echo on side b', { ...place });
    for (let i = 0; i < 200; i++) {
      await a.send(message(20, i));
      expect(await receive(a, 1)).toEqual([i & 0xff]);
    }
  });

  it('gives the message that a killed receiver was busy with to its successor, and none before', async () => {
    using a = open();
    for (let i = 0; i < 5; i++) a.trySend(message(1, i));
    const child = new ChildProcess(inject('childProgram'));
    expect(await child.act('take one message of side b and keep it', { ...place })).toEqual({
      busyWith: [1],
    });
    await child.end();
    using b = open({ side: 'b' });
    expect(await receive(b, 4)).toEqual([1, 2, 3, 4]);
  });
});
