import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { type Channel, openChannel } from '../../src/channel/channel.js';
import { ShmError } from '../../src/errors.js';
import { load, pause, sleepSync, store } from '../../src/platform/atomics.js';
import {
  NOTIFIED_WAITS_WORD,
  SegmentKind,
  SLOT_BELL,
  SLOT_SLEEPS,
  slotWord,
} from '../../src/segment/layout.js';
import { Segment } from '../../src/segment/segment.js';
import { openSegment } from '../../src/segment/shared-segment.js';
import type { SegmentSpec } from '../../src/segment/spec.js';
import { Bell, type BellMember, LAST_LOOK_MS } from '../../src/waiting/bell.js';
import { BellFolder, bellIdOf, bellName, bellsIn, removeBell } from '../../src/waiting/bell-file.js';
import { TurnCounter } from '../../src/waiting/turn-counter.js';
import { WaitBit, WaitPoint } from '../../src/waiting/wait-point.js';
import { Waiting } from '../../src/waiting/waiting.js';
import { ChildProcess } from '../support/child-process.js';
import { usePlace } from '../support/place.js';
import { ACK, BELL, DONE, RACE_BYTES, TAIL } from '../support/race-words.js';

const place = usePlace();
const spec: SegmentSpec = { kind: SegmentKind.Raw, params: [], payloadBytes: () => 4096 };
const toClose: (() => void)[] = [];

afterEach(() => {
  for (const close of toClose.splice(0)) close();
});

function segment(): Segment {
  const opened = Segment.open(spec, place.name, place);
  toClose.push(() => opened.close());
  return opened;
}

function waitingIn(on: Segment): { waiting: Waiting; point: WaitPoint } {
  const waiting = new Waiting(on);
  toClose.unshift(() => waiting.close());
  return { waiting, point: new WaitPoint(on, NOTIFIED_WAITS_WORD, WaitBit.Notified) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const until = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await turn();
};
const bellPlace = (mode = 0o600): { directory: string; mode: number; gid: number } => ({
  directory: place.directory,
  mode,
  gid: process.getgid?.() ?? 0,
});

/** A member that counts. */
function member(): BellMember & { rings: number; looks: number; closed: (number | undefined)[] } {
  const state = {
    rings: 0,
    looks: 0,
    closed: [] as (number | undefined)[],
    rung(): void {
      state.rings++;
    },
    look(closedBell: number | undefined): void {
      state.looks++;
      if (closedBell !== undefined) state.closed.push(closedBell);
    },
  };
  return state;
}

/** Talks to a bell as the thread of another bell would, whose number is `id`. */
async function stranger(bell: Bell, id: number): Promise<{ socket: Socket; keys: number[] }> {
  const socket = connect(join(place.directory, bellName(bell.id)));
  const keys: number[] = [];
  socket.on('data', (data: Buffer) => {
    for (let at = 0; at + 4 <= data.length; at += 4) keys.push(data.readInt32LE(at));
  });
  await once(socket, 'connect');
  say(socket, id);
  return { socket, keys };
}

function say(socket: Socket, key: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(key);
  for (const byte of bytes) socket.write(Uint8Array.of(byte));
}

describe('Bell', () => {
  it('is one socket for all handles of a thread, with the permissions of their segments', () => {
    const handles = [0o600, 0o600, 0o660].map((permissions, i) => {
      const { directory } = place;
      const opened = openChannel(`c${i}`, { directory, permissions, side: 'a' });
      chmodSync(opened.path, permissions);
      return opened;
    });
    const again = openChannel('c3', { directory: place.directory, permissions: 0o660, side: 'a' });
    const files = bellsIn(place.directory).map((id) => statSync(join(place.directory, bellName(id))));
    expect(files.every((file) => file.isSocket())).toBe(true);
    expect(files.length).toBeLessThan(3);
    for (const handle of [...handles, again]) handle.close();
    expect(bellsIn(place.directory)).toEqual([]);
    const bells = [0o600, 0o660].map((mode) => Bell.for(bellPlace(mode)));
    const keys = bells.map((bell) => bell.join(member()));
    const modes = bells.map(({ id }) => statSync(join(place.directory, bellName(id))).mode & 0o777);
    expect(modes).toEqual([0o600, 0o660]);
    for (const [i, bell] of bells.entries()) bell.leave(keys[i]!);
    expect(bellsIn(place.directory)).toEqual([]);
  });

  it('wakes the member whose key was rung, over the connection of the sleeper, and calls back', async () => {
    const bell = Bell.for(bellPlace());
    const members = [member(), member()];
    const keys = members.map((one) => bell.join(one));
    const back = createServer();
    back.listen(join(place.directory, bellName(77)));
    const called = once(back, 'connection');
    const { socket, keys: rung } = await stranger(bell, 77);
    const [caller] = (await called) as [Socket];
    // What it says first is whose connection it is.
    const [introduction] = (await once(caller, 'data')) as [Buffer];
    expect(introduction.readInt32LE()).toBe(bell.id);
    say(socket, keys[1]!);
    await until(() => members[1]!.rings === 1);
    expect(members[0]!.rings).toBe(0);
    // However it is cut on the way.
    for (const byte of [keys[1]!, 0, 0, 0, keys[1]!, 0, 0, 0]) {
      socket.write(Uint8Array.of(byte));
      await turn();
    }
    await until(() => members[1]!.rings === 3);
    expect(members[0]!.rings).toBe(0);
    // And over the connection that called back.
    say(caller, keys[0]!);
    await until(() => members[0]!.rings === 1);
    bell.ring(77, 5);
    await until(() => rung.length === 1);
    expect(rung).toEqual([5]);
    socket.destroy();
    back.close();
    caller.destroy();
    await until(() => members[0]!.closed.includes(77));
    for (const key of keys) bell.leave(key);
  });

  it('leaves it at a few hundred bytes for a sleeper that does not read, and loses no ring', async () => {
    const bell = Bell.for(bellPlace());
    const one = member();
    const key = bell.join(one);
    const { socket, keys } = await stranger(bell, 57);
    // It has heard who this is, and nobody is there to be called back.
    await until(() => one.closed.includes(57));
    socket.pause();
    for (let i = 1; i <= 10_000; i++) bell.ring(57, i);
    socket.resume();
    await until(() => keys.includes(0) || keys.length === 10_000);
    expect(keys.length).toBeLessThan(5000);
    socket.destroy();
    bell.leave(key);
  });

  it('removes the file of a bell on which nobody listens, and no others', async () => {
    const dead = [11, 12, 13].map(bellName);
    for (const file of dead) {
      const server = createServer().listen(join(place.directory, `${file}.x`));
      await once(server, 'listening');
      server.close();
      writeFileSync(join(place.directory, file), '');
    }
    const alive = createServer().listen(join(place.directory, bellName(14)));
    writeFileSync(join(place.directory, 'shm-.bell'), '');
    const bell = Bell.for(bellPlace());
    const key = bell.join(member());
    await until(() => bellsIn(place.directory).length === 2);
    expect(bellsIn(place.directory).sort((x, y) => x - y)).toEqual([14, bell.id].sort((x, y) => x - y));
    alive.close();
    bell.leave(key);
  });

  it('puts its file back when somebody tidied up too much', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    try {
      const bell = Bell.for(bellPlace());
      const key = bell.join(member());
      const file = join(place.directory, bellName(bell.id));
      unlinkSync(file);
      vi.advanceTimersByTime(1200);
      expect(statSync(file).isSocket()).toBe(true);
      bell.leave(key);
      expect(existsSync(file)).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it('looks soon after a member fell asleep, and then less and less often', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    try {
      const bell = Bell.for(bellPlace());
      const one = member();
      const key = bell.join(one);
      vi.advanceTimersByTime(100);
      const before = one.looks;
      bell.slept(key);
      vi.advanceTimersByTime(200);
      expect(one.looks - before).toBe(1);
      vi.advanceTimersByTime(60 * LAST_LOOK_MS);
      expect(one.looks - before).toBeLessThan(70);
      expect(one.looks - before).toBeGreaterThan(60);
      // One that falls asleep all the time looks too.
      const busyFrom = one.looks;
      for (let ms = 0; ms < LAST_LOOK_MS; ms += 10) {
        bell.slept(key);
        vi.advanceTimersByTime(10);
      }
      expect(one.looks - busyFrom).toBeGreaterThanOrEqual(4);
      bell.leave(key);
    } finally {
      vi.useRealTimers();
    }
  });

  it('has names that tell it, and takes no others for one', () => {
    expect(bellIdOf(bellName(1))).toBe(1);
    expect(bellIdOf(bellName(2 ** 31 - 1))).toBe(2 ** 31 - 1);
    for (const other of [
      'shm-.bell',
      'shm-A.bell',
      'shm-0.bell',
      'shm-zzzzzzzz.bell',
      'x.bell',
      'shm-1.cshm',
    ])
      expect(bellIdOf(other)).toBeUndefined();
    expect(removeBell(place.directory, 5)).toBe(false);
  });
});

describe.skipIf(process.platform !== 'linux')(
  'a bell in a folder whose path is too long for a socket',
  () => {
    it('wakes all the same', async () => {
      const directory = join(place.directory, 'd'.repeat(100), 'e'.repeat(100));
      mkdirSync(directory, { recursive: true });
      await using child = new ChildProcess(inject('childProgram'));
      using a = openChannel(place.name, { directory, side: 'a' });
      await child.act('echo on side b', { directory, name: place.name });
      for (let i = 0; i < 20; i++) {
        a.trySend(Uint8Array.of(i));
        expect(await a.receive()).toEqual(Uint8Array.of(i));
      }
      expect(bellsIn(directory)).toHaveLength(2);
    });

    it('is a folder with a way that is short enough', () => {
      const directory = join(place.directory, 'd'.repeat(100));
      mkdirSync(directory);
      const folder = new BellFolder(directory);
      expect(Buffer.byteLength(folder.socketPath(2 ** 31 - 1) ?? '')).toBeLessThan(60);
      folder.close();
    });
  },
);

describe('WaitPoint', () => {
  const pointsIn = (on: Segment): [WaitPoint, WaitPoint] => [
    new WaitPoint(on, NOTIFIED_WAITS_WORD, WaitBit.Notified),
    new WaitPoint(on, NOTIFIED_WAITS_WORD + 1, WaitBit.Readable),
  ];

  it('gives out each sleeper once, to one publisher, for what it sleeps for', () => {
    const [one, two] = [segment(), segment()];
    const [ready, other] = pointsIn(one);
    const [seen, seenOther] = pointsIn(two);
    expect(seen.mayHaveSleepers).toBe(false);
    ready.arm(WaitBit.Notified);
    expect(seen.mayHaveSleepers).toBe(true);
    expect(seenOther.takeSleepers()).toEqual([]);
    expect(seen.takeSleepers().map(({ slot }) => slot)).toEqual([one.participant.slot]);
    expect(seen.takeSleepers()).toEqual([]);
    expect(seen.mayHaveSleepers).toBe(false);
    other.arm(WaitBit.Notified | WaitBit.Readable);
    other.disarm(WaitBit.Notified);
    expect(seenOther.takeSleepers()).toEqual([]);
    expect(load(one.words, slotWord(one.participant.slot) + SLOT_SLEEPS)).toBe(WaitBit.Notified);
  });

  it('goes round the sleepers from the slot behind the one who asks, and leaves the hint for the rest', () => {
    const all = [segment(), segment(), segment(), segment()];
    const points = all.map((one) => pointsIn(one)[0]);
    for (const point of points) point.arm(WaitBit.Notified);
    points[2]!.disarm(0);
    const order: number[] = [];
    for (let taken = points[2]!.takeSleepers(1); taken.length > 0; taken = points[2]!.takeSleepers(1))
      order.push(taken[0]!.slot);
    expect(order).toEqual([3, 0, 1].map((i) => all[i]!.participant.slot));
    expect(points[0]!.mayHaveSleepers).toBe(false);
  });

  it('names a sleeper that is alone, and says several of more', () => {
    const [one, two] = [segment(), segment()];
    const [first, second] = [pointsIn(one)[0], pointsIn(two)[0]];
    const hint = (): number => load(one.words, NOTIFIED_WAITS_WORD);
    first.arm(WaitBit.Notified);
    first.arm(WaitBit.Notified);
    expect(hint()).toBe(2 + one.participant.slot);
    second.arm(WaitBit.Notified);
    expect(hint()).toBe(1);
    first.arm(WaitBit.Notified);
    expect(hint()).toBe(1);
    expect(second.takeSleepers().map(({ slot }) => slot)).toEqual([0, 1]);
  });

  it('finds everybody at a hint that names nobody in the table', () => {
    const one = segment();
    const [point] = pointsIn(one);
    for (const hint of [-7, 2 + one.participants.count, 2 ** 31 - 1]) {
      point.arm(WaitBit.Notified);
      store(one.words, NOTIFIED_WAITS_WORD, hint);
      expect(point.takeSleepers()).toHaveLength(1);
    }
  });

  it('does not take the hint of another for its own', () => {
    const [one, two] = [segment(), segment()];
    const [first, second] = [pointsIn(one)[0], pointsIn(two)[0]];
    first.arm(WaitBit.Notified);
    expect(first.isArmed(WaitBit.Notified)).toBe(true);
    // A publisher was killed after it had taken the hint.
    store(one.words, NOTIFIED_WAITS_WORD, 0);
    second.arm(WaitBit.Notified);
    expect(first.isArmed(WaitBit.Notified)).toBe(false);
    expect(second.isArmed(WaitBit.Notified)).toBe(true);
    first.arm(WaitBit.Notified);
    expect([first, second].map((point) => point.isArmed(WaitBit.Notified))).toEqual([true, true]);
  });
});

describe('Waiting', () => {
  it('looks once more after it has said that it sleeps, and then does not', async () => {
    const { waiting, point } = waitingIn(segment());
    let looks = 0;
    let isOver = false;
    void waiting
      .until(point, () => ++looks > 1)
      .then(() => {
        isOver = true;
      });
    await turn();
    expect(isOver).toBe(true);
  });

  it('wakes those for whom it is ready, and leaves the others asleep', async () => {
    const { waiting, point } = waitingIn(segment());
    const { waiting: publisher, point: same } = waitingIn(segment());
    let [first, second] = [false, false];
    const order: string[] = [];
    const one = waiting.until(point, () => first).then(() => order.push('first'));
    const two = waiting.until(point, () => second).then(() => order.push('second'));
    second = true;
    publisher.signal(same);
    await two;
    expect(order).toEqual(['second']);
    first = true;
    publisher.signal(same);
    await one;
  });

  it('gives up with the reason of its signal, with an error of what it waits for, and at the end', async () => {
    const { waiting, point } = waitingIn(segment());
    const controller = new AbortController();
    const given = waiting.until(point, () => false, controller.signal);
    let broken = false;
    const failing = waiting.until(point, () => {
      if (broken) throw new ShmError('ERR_SHM_CORRUPT', 'broken');
      return false;
    });
    const ended = waiting.until(point, () => false);
    controller.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await expect(waiting.until(point, () => true, controller.signal)).rejects.toThrow('enough');
    broken = true;
    const refused = expect(failing).rejects.toThrow('broken');
    waiting.look();
    await refused;
    waiting.close();
    await ended;
  });

  it('says in its slot where to ring, and nothing any more once it is closed', () => {
    const on = segment();
    const { waiting } = waitingIn(on);
    const word = slotWord(on.participant.slot) + SLOT_BELL;
    expect(load(on.words, word)).toBe(0);
    waiting.begin();
    expect(bellsIn(place.directory)).toEqual([load(on.words, word)]);
    waiting.close();
    expect(load(on.words, word)).toBe(0);
    expect(readdirSync(place.directory)).toEqual([`${place.name}.cshm`]);
  });
});

describe('TurnCounter', () => {
  it('asks for a turn after so many', () => {
    const counter = new TurnCounter(2);
    const asked = Array.from({ length: 6 }, () => counter.next() !== undefined);
    expect(asked).toEqual([false, false, true, false, false, true]);
  });

  it('counts what was there at once, begins anew with each wait, and looks again after a turn', async () => {
    const counter = new TurnCounter(2);
    const waited: string[] = [];
    const until = (isReady: boolean): Promise<void> | undefined =>
      counter.until(
        () => isReady,
        async () => void waited.push(`ready: ${isReady}`),
      );
    expect([until(true), until(true)]).toEqual([undefined, undefined]);
    await until(false);
    expect([until(true), until(true)]).toEqual([undefined, undefined]);
    expect(waited).toEqual(['ready: false']);
    await until(true);
    expect(waited).toEqual(['ready: false', 'ready: true']);
  });
});

describe('SharedSegment.changed', () => {
  it('wakes for a notify of anybody, and misses none that came before it was asked', async () => {
    const [a, b] = [
      openSegment('s', { directory: place.directory }),
      openSegment('s', { directory: place.directory }),
    ];
    b.notify();
    expect(await a.changed()).toBe(true);
    const next = a.changed();
    b.words[0] = 7;
    b.notify();
    await next;
    expect(a.words[0]).toBe(7);
    const reader = openSegment('s', { directory: place.directory, mode: 'open', access: 'read-only' });
    const seen = reader.changed();
    a.notify();
    expect(await seen).toBe(true);
    expect(() => reader.notify()).toThrow(expect.objectContaining({ code: 'ERR_SHM_READ_ONLY' }));
    const end = b.changed();
    void b.changed().catch(() => {});
    b.close();
    expect(await end).toBe(false);
    for (const one of [a, reader]) one.close();
  });
});

describe('a handle that waits for the first time when its folder is gone', () => {
  it('can still be waited for', async () => {
    const one = openSegment(place.name, { directory: place.directory, payloadBytes: 64 });
    rmSync(place.directory, { recursive: true });
    symlinkSync(basename(place.directory), place.directory);
    const seen = one.changed();
    one.notify();
    expect(await seen).toBe(true);
    one.close();
  });
});

describe('a handle whose name is gone', () => {
  it('tells, however the file was removed', async () => {
    const opened: Channel[] = [];
    const removals = [
      (path: string) => unlinkSync(path),
      () => opened.at(-1)!.unlink(),
      // The path leads nowhere any more, and cannot even be looked at.
      (path: string) => {
        rmSync(dirname(path), { recursive: true });
        symlinkSync(basename(dirname(path)), dirname(path));
      },
    ];
    for (const remove of removals) {
      const one = openChannel(place.name, { directory: place.directory, side: 'a' });
      opened.push(one);
      const retired = once(one, 'retired');
      expect(one.retired).toBe(false);
      remove(one.path);
      expect(one.retired).toBe(true);
      one.ref();
      await retired;
      one.close();
    }
  });
});

describe.skipIf(process.platform !== 'linux')('waiting between processes', { timeout: 60_000 }, () => {
  it('lets a process end that only sleeps, unless it is asked to stay', async () => {
    for (const keepAlive of [false, true]) {
      const child = new ChildProcess(inject('childProgram'));
      await child.act(keepAlive ? 'sleep in a channel that keeps alive' : 'sleep in a channel', place);
      child.process.stdin.end();
      if (keepAlive) {
        expect(child.process.exitCode).toBeNull();
        await child.end();
        expect(child.process.signalCode).toBe('SIGKILL');
      } else {
        await once(child.process, 'exit');
        expect(child.process.exitCode).toBe(0);
      }
    }
    expect(bellsIn(place.directory).length).toBeLessThan(3);
  });

  it('loses no wake-up in a million publications that race with going to sleep', {
    timeout: 120_000,
  }, async () => {
    const shared = Segment.open({ ...spec, payloadBytes: () => RACE_BYTES }, place.name, place);
    toClose.push(() => shared.close());
    const words = shared.words.subarray(shared.payloadOffset / 4);
    const point = new WaitPoint(shared, NOTIFIED_WAITS_WORD, WaitBit.Notified);
    await using child = new ChildProcess(inject('childProgram'));
    const last = 1_000_000;
    await child.act('publish a million times in bursts', place);
    let seen = 0;
    let sleeps = 0;
    let lost = 0;
    let random = 1;
    while (seen < last && lost === 0) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) | 0;
      for (let rest = (random >>> 16) % 60; rest > 0; rest--) pause();
      const rung = load(words, BELL);
      point.arm(WaitBit.Notified);
      if (load(words, TAIL) === seen) {
        sleeps++;
        for (let spins = 0; load(words, BELL) === rung; spins++) {
          // Everything that was published is done with, its ring included, and we sleep.
          const done = load(words, DONE);
          if (done !== seen && done === load(words, TAIL) && load(words, BELL) === rung) {
            lost++;
            break;
          }
          if (spins % 1000 === 999) sleepSync(0.02);
        }
      } else {
        point.disarm(0);
      }
      seen = load(words, TAIL);
      store(words, ACK, seen);
    }
    expect(lost).toBe(0);
    expect(sleeps).toBeGreaterThan(0);
  });
});
