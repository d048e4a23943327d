import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openChannel } from '../../src/channel/channel.js';
import { openLatest } from '../../src/latest/latest.js';
import { openMutex } from '../../src/lock/mutex.js';
import { openLog } from '../../src/log/log.js';
import { ByteLock } from '../../src/platform/byte-lock.js';
import { openQueue } from '../../src/queue/queue.js';
import { openRing } from '../../src/ring/ring.js';
import { PARAMS_WORD, PAYLOAD_BYTES_WORD, SLOT_BELL, slotWord } from '../../src/segment/layout.js';
import { MAKER_BYTE, temporaryPath } from '../../src/segment/path.js';
import { openSegment } from '../../src/segment/shared-segment.js';
import { listen } from '../../src/server/server.js';
import { cleanup, inspect, listSegments, unlink } from '../../src/tools/inspect.js';
import { bellName, bellsIn, NoBell } from '../../src/waiting/bell-file.js';
import { deadIdentity, joinDead } from '../support/dead.js';
import { memoryOf } from '../support/memory.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'ShmError', code: expected });
}

describe('inspect', () => {
  it('describes a segment, who is in it, and who of them is dead', () => {
    const before = Date.now();
    const segment = openSegment(place.name, {
      directory: place.directory,
      payloadBytes: 5000,
      maxParticipants: 7,
    });
    joinDead(memoryOf(segment).words);
    const report = inspect(place.name, { directory: place.directory });
    expect(report).toMatchObject({
      name: place.name,
      path: join(place.directory, `${place.name}.cshm`),
      kind: 'raw',
      layoutVersion: '2.0',
      payloadBytes: 5000,
      incarnation: segment.segment.incarnation,
      creatorPid: process.pid,
      retired: false,
      maxParticipants: 7,
      participants: [
        { slot: 0, pid: process.pid, liveness: 'alive' },
        { slot: 1, pid: deadIdentity().pid, liveness: 'dead' },
      ],
      lock: { state: 'free' },
      details: { kind: 'raw' },
    });
    expect(report.totalBytes).toBe(statSync(report.path).size);
    expect(report.createdAt).toBeGreaterThanOrEqual(before);
    expect(report.createdAt).toBeLessThanOrEqual(Date.now());
    expect(report.participants[0]?.joinedAt).toBeGreaterThanOrEqual(before);
  });

  it('changes nothing', () => {
    const segment = openSegment(place.name, { directory: place.directory });
    joinDead(memoryOf(segment).words);
    const { path } = segment.segment;
    const before = readFileSync(path);
    inspect(place.name, { directory: place.directory });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('tells who holds the lock, and that it is poisoned', () => {
    const mutex = openMutex(place.name, { directory: place.directory });
    const lock = mutex.tryLock();
    expect(inspect(place.name, { directory: place.directory })).toMatchObject({
      kind: 'mutex',
      lock: { state: 'held', owner: { pid: process.pid, liveness: 'alive' } },
    });
    lock?.release();
    memoryOf(mutex).words[96] = -1;
    expect(inspect(place.name, { directory: place.directory }).lock).toEqual({ state: 'poisoned' });
  });

  it('tells of a latest value its version and its writer', () => {
    const latest = openLatest(place.name, { directory: place.directory, maxValueBytes: 10 });
    expect(inspect(place.name, { directory: place.directory }).details).toEqual({
      kind: 'latest',
      maxValueBytes: 10,
      cells: 4,
      version: 0,
      writer: undefined,
    });
    latest.write(new Uint8Array(3));
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      version: 1,
      writer: { pid: process.pid },
    });
  });

  it('tells of a ring who writes, who reads, and how much waits', () => {
    const [writer, reader] = [1, 2].map(() =>
      openRing(place.name, { directory: place.directory, capacityBytes: 4096 }),
    );
    writer?.tryWrite(new Uint8Array(10));
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      kind: 'ring',
      capacityBytes: 4096,
      unreadBytes: 24,
      writer: { slot: 0, liveness: 'alive' },
      reader: undefined,
    });
    reader?.read(() => {});
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      unreadBytes: 0,
      reader: { slot: 1 },
    });
    writer?.close();
    reader?.close();
  });

  it('tells of a channel who has which side, who left, and what each has sent in vain', async () => {
    const a = openChannel(place.name, { directory: place.directory, side: 'a' });
    const b = openChannel(place.name, { directory: place.directory, side: 'b' });
    await a.send(new Uint8Array(10));
    b.close();
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      kind: 'channel',
      capacityBytes: 1_048_576,
      a: { holder: { pid: process.pid, liveness: 'alive' }, left: false, unreadBytes: 24 },
      b: { holder: undefined, left: true, unreadBytes: 0 },
    });
    a.close();
  });

  it('tells of a log how much is kept, and how far its readers are behind', () => {
    const log = openLog(place.name, { directory: place.directory, capacityBytes: 4096 });
    log.tryAppend(new Uint8Array(8));
    const lossy = openLog(place.name, { directory: place.directory });
    const reliable = openLog(place.name, { directory: place.directory });
    const readers = [lossy.reader(), reliable.reader({ start: 'oldest', reliable: true })];
    log.tryAppend(new Uint8Array(8));
    const details = { pid: process.pid, lostEntries: 0, asleep: false };
    expect(inspect(place.name, { directory: place.directory }).details).toEqual({
      kind: 'log',
      capacityBytes: 4096,
      entries: 2,
      keptBytes: 48,
      writer: undefined,
      participants: [
        { ...details, slot: 0, reads: undefined, lagBytes: undefined },
        { ...details, slot: 1, reads: 'lossily', lagBytes: 24 },
        { ...details, slot: 2, reads: 'reliably', lagBytes: 48 },
      ],
      cursors: [],
    });
    for (const reader of readers) reader.read(() => {});
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      participants: [{}, { lagBytes: 0 }, { lagBytes: 0 }],
    });
    for (const reader of readers) reader.close();
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      participants: [
        {},
        { reads: undefined, lagBytes: undefined },
        { reads: undefined, lagBytes: undefined },
      ],
    });
    for (const each of [log, lossy, reliable]) each.close();
  });

  it('tells of a log how many entries its lossy readers have lost', () => {
    const log = openLog(place.name, { directory: place.directory, capacityBytes: 4096 });
    const readers = [log.reader(), log.reader()];
    for (let i = 0; i < 300; i++) log.tryAppend(new Uint8Array(8));
    const { details } = inspect(place.name, { directory: place.directory });
    const { keptBytes = 0, participants = [] } = details.kind === 'log' ? details : {};
    expect(participants[0]).toMatchObject({ reads: 'lossily', lostEntries: 0 });
    expect(participants[0]?.lagBytes).toBeGreaterThan(keptBytes);
    for (const reader of readers) reader.read(() => {});
    const [first, second] = readers;
    expect(first?.lost).toBeGreaterThan(0);
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      participants: [{ lagBytes: 0, lostEntries: (first?.lost ?? 0) + (second?.lost ?? 0) }],
    });
    log.close();
  });

  it('shows the reliable reader of a handle, whatever its lossy ones do', () => {
    const log = openLog(place.name, { directory: place.directory, capacityBytes: 4096 });
    const lossy = log.reader();
    const reliable = log.reader({ reliable: true });
    log.tryAppend(new Uint8Array(8));
    const another = log.reader({ start: 'oldest' });
    const shown = { reads: 'reliably', lagBytes: 24 };
    lossy.read(() => {});
    another.read(() => {});
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      participants: [shown],
    });
    lossy.close();
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      participants: [shown],
    });
    reliable.close();
    another.read(() => {});
    expect(inspect(place.name, { directory: place.directory }).details).toMatchObject({
      participants: [{ reads: 'lossily', lagBytes: 0 }],
    });
    log.close();
  });

  it('tells of a log which cursors outlive their readers', () => {
    const { directory, name } = place;
    const log = openLog(name, { directory, capacityBytes: 4096 });
    for (let i = 0; i < 3; i++) log.tryAppend(new Uint8Array(8));
    log.reader({ name: 'a', start: 'oldest' }).read(() => {}, 1);
    log.reader({ name: 'b', start: 'next' }).close();
    expect(inspect(name, { directory }).details).toMatchObject({
      cursors: [
        { name: 'a', next: 2, reliable: true, holder: { pid: process.pid, liveness: 'alive' } },
        { name: 'b', next: 4, reliable: true, holder: undefined },
      ],
    });
    log.close();
  });

  it('tells of a queue and of a server who is there', () => {
    const { directory } = place;
    const queue = openQueue('queue', { directory, capacityBytes: 4096 });
    queue.tryPut(new Uint8Array(8));
    expect(inspect('queue', { directory }).details).toEqual({
      kind: 'queue',
      capacityBytes: 4096,
      keptBytes: 24,
      holder: undefined,
    });
    const server = listen('server', { directory });
    expect(inspect('server', { directory }).details).toMatchObject({
      kind: 'server',
      server: { pid: process.pid },
    });
    server.close();
    queue.close();
  });

  it('counts what each participant does', async () => {
    const { directory, name } = place;
    const a = openChannel(name, { directory, side: 'a' });
    const b = openChannel(name, { directory, side: 'b' });
    const received = b.receive();
    a.trySend(new Uint8Array(1));
    a.tryStage(new Uint8Array(1));
    a.tryClaim(1);
    a.commit();
    await received;
    expect(b.read(() => {})).toBe(2);
    const [first, second] = inspect(name, { directory }).participants;
    expect(first?.counters).toEqual({ sent: 3, received: 0, rung: 1, slept: 0, lockWaits: 0 });
    expect(second?.counters).toEqual({ sent: 0, received: 3, rung: 0, slept: 1, lockWaits: 0 });
    expect([second?.asleep, second?.noBell]).toEqual([false, undefined]);
    const waiting = b.receive();
    await new Promise(setImmediate);
    expect(inspect(name, { directory }).participants[1]?.asleep).toBe(true);
    b.close();
    a.close();
    await waiting;
    const log = openLog('log', { directory });
    const reader = log.reader();
    log.tryAppendAll([new Uint8Array(1), new Uint8Array(1)]);
    log.tryAppend(new Uint8Array(1));
    reader.read(() => {});
    expect(inspect('log', { directory }).participants[0]?.counters).toMatchObject({ sent: 3, received: 3 });
    log.close();
    const queue = openQueue('queue', { directory });
    queue.tryPut(new Uint8Array(1));
    queue.tryTake();
    expect(inspect('queue', { directory }).participants[0]?.counters).toMatchObject({ sent: 1, received: 1 });
    queue.close();
    const mutex = openMutex('mutex', { directory });
    const other = openMutex('mutex', { directory });
    const lock = mutex.tryLock();
    await expect(other.withLock(() => {}, { timeoutMs: 1 })).rejects.toEqual(code('ERR_SHM_LOCK_TIMEOUT'));
    lock?.release();
    expect(inspect('mutex', { directory }).participants[1]?.counters).toMatchObject({ lockWaits: 1 });
    mutex.close();
    other.close();
  });

  it('says why somebody has no bell', () => {
    const { directory, name } = place;
    const segment = openSegment(name, { directory });
    for (const [word, reason] of [
      [NoBell.PathTooLong, 'too long'],
      [NoBell.Refused, 'does not let it'],
      [NoBell.Failed, 'could not be made'],
    ] as const) {
      memoryOf(segment).words[slotWord(0) + SLOT_BELL] = word;
      expect(inspect(name, { directory }).participants[0]?.noBell).toContain(reason);
    }
    segment.close();
  });

  it('names a kind that it does not know', () => {
    const segment = openSegment(place.name, { directory: place.directory });
    memoryOf(segment).words[5] = 77;
    expect(inspect(place.name, { directory: place.directory })).toMatchObject({
      kind: 'unknown kind 77',
      details: { kind: 'unknown' },
    });
    segment.close();
  });

  it.each([
    ['log', () => openLog(place.name, { directory: place.directory, capacityBytes: 4096 }), 2 ** 30],
    ['ring', () => openRing(place.name, { directory: place.directory, capacityBytes: 4096 }), 2 ** 20],
    ['channel', () => openChannel(place.name, { directory: place.directory, capacityBytes: 4096 }), 2 ** 20],
    ['channel', () => openChannel(place.name, { directory: place.directory, capacityBytes: 4096 }), -5],
    ['latest', () => openLatest(place.name, { directory: place.directory, maxValueBytes: 64 }), 2 ** 20],
    ['raw', () => openSegment(place.name, { directory: place.directory, payloadBytes: 64 }), 2 ** 20],
    ['mutex', () => openMutex(place.name, { directory: place.directory }), undefined],
  ] as const)(
    'says that the header of a %s is damaged, rather than look beyond its end',
    (kind, open, param) => {
      const opened = open();
      const { words } = memoryOf(opened);
      if (param === undefined) words[PAYLOAD_BYTES_WORD] = 4;
      else words[PARAMS_WORD] = param;
      expect(() => inspect(place.name, { directory: place.directory })).toThrow(code('ERR_SHM_CORRUPT'));
      expect(() => inspect(place.name, { directory: place.directory })).toThrow(kind);
      // It is nobody's leftover, and does not keep others from being cleaned up.
      const other = openSegment('other', { directory: place.directory });
      joinDead(memoryOf(other).words);
      expect(cleanup({ directory: place.directory }).participants).toBe(1);
      other.close();
      opened.close();
    },
  );

  it('fails where there is nothing to see', () => {
    expect(() => inspect('none', { directory: place.directory })).toThrow(code('ERR_SHM_NOT_FOUND'));
    writeFileSync(join(place.directory, 'text.cshm'), 'text');
    expect(() => inspect('text', { directory: place.directory })).toThrow(code('ERR_SHM_FOREIGN'));
  });
});

describe('unlink', () => {
  it('gives up a name of any kind, and says whether there was one', () => {
    const mutex = openMutex(place.name, { directory: place.directory });
    expect(unlink(place.name, { directory: place.directory })).toBe(true);
    expect(unlink(place.name, { directory: place.directory })).toBe(false);
    expect(mutex.segment.retired).toBe(true);
    expect(mutex.tryLock()).toBeDefined();
    expect(readdirSync(place.directory)).toEqual([]);
  });

  it('leaves alone what is no segment', () => {
    const path = join(place.directory, 'text.cshm');
    writeFileSync(path, 'text');
    expect(() => unlink('text', { directory: place.directory })).toThrow(code('ERR_SHM_FOREIGN'));
    expect(existsSync(path)).toBe(true);
    expect(() => unlink('../x', { directory: place.directory })).toThrow(code('ERR_SHM_INVALID_NAME'));
  });
});

describe('removing a segment', () => {
  it('removes the bells of its dead, and of nobody else', () => {
    const segment = openSegment(place.name, { directory: place.directory });
    const other = openSegment('other', { directory: place.directory });
    // Bells of one who lives, of two who are dead, and of somebody elsewhere.
    for (const [slot, bell] of [1, 2, 3].entries()) {
      if (slot > 0) joinDead(memoryOf(segment).words);
      memoryOf(segment).words[slotWord(slot) + SLOT_BELL] = bell;
      writeFileSync(join(place.directory, bellName(bell)), '');
    }
    memoryOf(other).words[slotWord(0) + SLOT_BELL] = 4;
    writeFileSync(join(place.directory, bellName(4)), '');
    expect(segment.closeAndRemoveIfLast()).toBe(true);
    expect(bellsIn(place.directory).sort()).toEqual([1, 4]);
  });
});

describe('listSegments', () => {
  it('lists names, and nothing else that lies in the folder', () => {
    for (const name of ['b', 'a', 'ü']) openMutex(name, { directory: place.directory }).close();
    mkdirSync(join(place.directory, 'folder'));
    for (const file of ['x', '.cshm', '-.cshm', temporaryPath('a.cshm')]) {
      writeFileSync(join(place.directory, file), '');
    }
    expect(listSegments({ directory: place.directory })).toEqual(['a', 'b', 'ü']);
    expect(() => listSegments({ directory: join(place.directory, 'none') })).toThrow(
      code('ERR_SHM_NOT_FOUND'),
    );
  });
});

describe('cleanup', () => {
  it('removes what the dead left, and nothing of the living', () => {
    const alive = openSegment('alive', { directory: place.directory });
    joinDead(memoryOf(alive).words);
    const abandoned = openSegment('abandoned', { directory: place.directory });
    joinDead(memoryOf(abandoned).words);
    abandoned.close();
    const [leftover, unfinished] = [temporaryPath('alive.cshm'), temporaryPath('alive.cshm')];
    const deadBell = bellName(1);
    const bell = bellName(2);
    memoryOf(alive).words[slotWord(0) + SLOT_BELL] = 2;
    for (const file of [leftover, unfinished, deadBell, bell, 'foreign.cshm']) {
      writeFileSync(join(place.directory, file), '');
    }
    const fd = openSync(join(place.directory, unfinished), 'r+');
    const making = new ByteLock(fd, unfinished);
    closeSync(fd);
    making.take(MAKER_BYTE);

    expect(cleanup({ directory: place.directory })).toEqual({
      leftovers: [leftover, deadBell],
      participants: 2,
      removed: [],
    });
    expect(alive.participants()).toHaveLength(1);
    expect(cleanup({ directory: place.directory })).toEqual({ leftovers: [], participants: 0, removed: [] });

    const others = cleanup({ directory: place.directory, removeAbandoned: true, prefix: 'other-' });
    expect(others).toEqual({ leftovers: [], participants: 0, removed: [] });
    const ours = cleanup({ directory: place.directory, removeAbandoned: true, prefix: 'aban' });
    expect(ours.removed).toEqual(['abandoned']);
    expect(readdirSync(place.directory).sort()).toEqual(
      ['alive.cshm', unfinished, bell, 'foreign.cshm'].sort(),
    );
    alive.close();
    expect(cleanup({ directory: place.directory, removeAbandoned: true }).removed).toEqual(['alive']);
  });
});
