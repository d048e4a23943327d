import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { openChannel } from '../../src/channel/channel.js';
import { load, pause, sleepSync, store } from '../../src/platform/atomics.js';
import { currentIdentity, formatIdentity } from '../../src/platform/liveness.js';
import { SegmentKind } from '../../src/segment/layout.js';
import { Segment } from '../../src/segment/segment.js';
import { openSegment } from '../../src/segment/shared-segment.js';
import type { SegmentSpec } from '../../src/segment/spec.js';
import {
  arm,
  bellPath,
  Doorbell,
  type DoorbellOptions,
  disarm,
  removeDeadBells,
  takeWaiter,
} from '../../src/waiting/doorbell.js';
import { ChildProcess } from '../support/child-process.js';
import { deadIdentity } from '../support/dead.js';
import { usePlace } from '../support/place.js';
import { ACK, BELL, DONE, RACE_BYTES, TAIL, WAITS } from '../support/race-words.js';

const place = usePlace();
const spec: SegmentSpec = { kind: SegmentKind.Raw, params: [], payloadBytes: () => 4096 };
const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0)) close();
});

function segment(): Segment {
  const opened = Segment.open(spec, place.name, place);
  open.push(() => opened.close());
  return opened;
}

function bell(on: Segment, options: Partial<DoorbellOptions> = {}): Doorbell {
  const made = new Doorbell(on, { onRing: () => {}, onLook: () => {}, ...options });
  open.push(() => made.close());
  return made;
}

/** Counts what a bell reports. */
function wakeUps(): DoorbellOptions & {
  rings: number;
  closes: number;
  reached(what: 'rings' | 'closes', count: number): Promise<void>;
} {
  const state = {
    rings: 0,
    closes: 0,
    onRing(): void {
      state.rings++;
    },
    onLook(closed: boolean): void {
      if (closed) state.closes++;
    },
    async reached(what: 'rings' | 'closes', count: number): Promise<void> {
      while (state[what] < count) await new Promise(setImmediate);
    },
  };
  return state;
}

describe('Doorbell', () => {
  it('is a socket beside the segment, for its owner only, gone when it is closed', async () => {
    const one = segment();
    const made = bell(one);
    expect(basename(made.path)).toMatch(/^shm-[0-9a-z]+\..*\.bell$/);
    expect(made.path).toBe(bellPath(one, one.participant.token, currentIdentity()));
    expect(statSync(made.path).isSocket()).toBe(true);
    expect(statSync(made.path).mode & 0o777).toBe(0o600);
    made.close();
    made.close();
    expect(existsSync(made.path)).toBe(false);
  });

  it('wakes by a ring, and when a connection closes', async () => {
    const [one, two] = [segment(), segment()];
    const seen = wakeUps();
    bell(one, seen);
    const other = bell(two);
    other.ring(one.participant.token);
    other.ring(one.participant.token);
    other.close();
    await seen.reached('closes', 1);
    expect(seen.rings).toBeGreaterThan(0);
  });

  it('wakes nobody, and fails nobody, where there is no bell', async () => {
    const [one, two] = [segment(), segment()];
    const seen = wakeUps();
    const mine = bell(two, seen);
    // A participant without a bell, and none at all.
    mine.ring(one.participant.token);
    mine.ring(12_345);
    await seen.reached('closes', 1);
    mine.ring(one.participant.token);
    await seen.reached('closes', 2);
  });

  it('rings over the connection of who says who he is, and calls him back', async () => {
    const [one, two] = [segment(), segment()];
    const seen = wakeUps();
    bell(one, seen);
    const seenByRinger = wakeUps();
    const ringer = bell(two, seenByRinger);
    const sleeper = connect(ringer.path);
    const rung: number[] = [];
    sleeper.on('data', (data) => rung.push(...data));
    // The introduction may come in pieces.
    const introduction = Buffer.alloc(4);
    introduction.writeInt32LE(one.participant.token);
    for (const byte of introduction) {
      const { rings } = seenByRinger;
      sleeper.write(Uint8Array.of(byte));
      await seenByRinger.reached('rings', rings + 1);
    }
    await seen.reached('rings', 1);
    ringer.ring(one.participant.token);
    while (rung.length === 0) await new Promise(setImmediate);
    expect(rung).toEqual([1]);
    sleeper.destroy();
    await seenByRinger.reached('closes', 1);
    // Now over the connection that called back.
    const { rings } = seen;
    ringer.ring(one.participant.token);
    await seen.reached('rings', rings + 1);
  });

  it('leaves it at a few hundred bytes for a sleeper that does not read', async () => {
    const seen = wakeUps();
    const ringer = bell(segment(), seen);
    const sleeper = connect(ringer.path);
    sleeper.write(Uint8Array.of(57, 48, 0, 0));
    await seen.reached('rings', 1);
    for (let i = 0; i < 10_000; i++) ringer.ring(12_345);
    let bytes = 0;
    sleeper.on('data', (data) => {
      bytes += data.length;
    });
    for (let before = -1; before !== bytes; ) {
      before = bytes;
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    }
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(5000);
    sleeper.destroy();
  });

  it('removes the bells of the dead, and no others', () => {
    const one = segment();
    const made = bell(one);
    const dead = bellPath(one, 257, deadIdentity());
    const prefix = basename(made.path).split('.')[0];
    const unreadable = join(place.directory, `${prefix}.x.y.nobody.bell`);
    const foreign = join(place.directory, `shm-other.1.2.${formatIdentity(deadIdentity())}.bell`);
    for (const path of [dead, unreadable, foreign]) writeFileSync(path, '');
    expect(removeDeadBells(one.path, currentIdentity())).toEqual([basename(dead)]);
    for (const path of [made.path, unreadable, foreign]) expect(existsSync(path)).toBe(true);
  });

  it('replaces a stale socket under its own name', async () => {
    const one = segment();
    const path = bellPath(one, one.participant.token, currentIdentity());
    writeFileSync(path, 'a leftover that nobody listens on');
    const seen = wakeUps();
    bell(one, seen);
    while (!statSync(path, { throwIfNoEntry: false })?.isSocket()) await new Promise(setImmediate);
    const other = bell(segment());
    other.ring(one.participant.token);
    other.close();
    await seen.reached('closes', 1);
  });

  it('leaves a socket alone on which somebody listens', async () => {
    const one = segment();
    const path = bellPath(one, one.participant.token, currentIdentity());
    const server = createServer().listen(path);
    await once(server, 'listening');
    const connected = once(server, 'connection');
    const { ino } = statSync(path);
    bell(one);
    await connected;
    await new Promise(setImmediate);
    expect(statSync(path).ino).toBe(ino);
    server.close();
  });

  it('rings once per sleep, however much is published meanwhile', async () => {
    const a = openChannel(place.name, { directory: place.directory, side: 'a' });
    const b = openChannel(place.name, { directory: place.directory, side: 'b' });
    open.push(
      () => a.close(),
      () => b.close(),
    );
    const awake = b.readable();
    // All in one turn: the sleeper cannot run in between, and what it gets is one byte.
    for (let i = 0; i < 10_000; i++) a.trySend(Uint8Array.of(1));
    expect(await awake).toBe(true);
    let count = 0;
    while (count < 10_000) count += b.read(() => {});
    expect(count).toBe(10_000);
  });

  it('leaves the words as they are when nobody waits', () => {
    const words = new Int32Array(1);
    expect(takeWaiter(words, 0)).toBe(false);
    arm(words, 0);
    expect(takeWaiter(words, 0)).toBe(true);
    expect(takeWaiter(words, 0)).toBe(false);
    arm(words, 0);
    disarm(words, 0);
    expect(takeWaiter(words, 0)).toBe(false);
  });
});

describe.skipIf(process.platform !== 'linux')('Doorbell between processes', { timeout: 60_000 }, () => {
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
    expect(readdirSync(place.directory).filter((file) => file.endsWith('.bell')).length).toBeLessThan(3);
  });

  it('loses no wake-up in a million publications that race with going to sleep', {
    timeout: 120_000,
  }, async () => {
    using shared = openSegment(place.name, { directory: place.directory, payloadBytes: RACE_BYTES });
    const { words } = shared;
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
      arm(words, WAITS);
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
        disarm(words, WAITS);
      }
      seen = load(words, TAIL);
      store(words, ACK, seen);
    }
    expect(lost).toBe(0);
    expect(sleeps).toBeGreaterThan(0);
  });
});
